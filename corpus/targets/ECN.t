@ 4 mangle PREROUTING
-p tcp -j ECN --ecn-tcp-remove ; = ; OK
-p tcp -j ECN --ecn-tcp-cwr 1 --ecn-ip-ect 2 ; = ; OK
-j ECN --ecn-ip-ect 1 ; = ; OK
-j ECN --ecn-tcp-remove ;  ; LOAD
-j ECN ;  ; FAIL
