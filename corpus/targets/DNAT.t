@ 4 nat PREROUTING
-j DNAT --to-destination 192.0.2.1 ; = ; OK
-p tcp -j DNAT --to-destination 192.0.2.1:http ; -p tcp -j DNAT --to-destination 192.0.2.1:80 ; OK
-p tcp -j DNAT --to-destination 192.0.2.1-192.0.2.3:80-90/8000 --random --persistent ; = ; OK
-p tcp -j DNAT --to-destination :8080 ; = ; OK
-j DNAT --to-destination 192.0.2.1:80 ;  ; FAIL
-p tcp -j DNAT --to-destination 192.0.2.1 --to-destination 192.0.2.2 ;  ; FAIL
-p tcp -j DNAT --to-destination 192.0.2.1 --random-fully ;  ; FAIL
@ 6 nat PREROUTING
-p tcp -j DNAT --to-destination [2001:db8::1]:80 ; = ; OK
-p tcp -j DNAT --to-destination [2001:db8::1 ;  ; FAIL
@ 4 filter FORWARD
-j DNAT --to-destination 192.0.2.1 ;  ; LOAD
