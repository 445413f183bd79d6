@ 46 mangle PREROUTING
-p tcp -j TCPOPTSTRIP --strip-options sack-permitted,3 ; -p tcp -j TCPOPTSTRIP --strip-options 3,4 ; OK
-p tcp -j TCPOPTSTRIP --strip-options foo ;  ; FAIL
-p tcp -j TCPOPTSTRIP --strip-options 255,2 ; -p tcp -j TCPOPTSTRIP --strip-options 2,255 ; OK
-p tcp -j TCPOPTSTRIP --strip-options 256 ;  ; FAIL
-p tcp -j TCPOPTSTRIP --strip-options 1 ;  ; FAIL
