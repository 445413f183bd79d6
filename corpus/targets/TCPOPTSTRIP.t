@ 46 mangle PREROUTING
-p tcp -j TCPOPTSTRIP --strip-options sack-permitted,3 ; -p tcp -j TCPOPTSTRIP --strip-options 3,4 ; OK
-p tcp -j TCPOPTSTRIP --strip-options foo ;  ; FAIL
