@ 4 mangle PREROUTING
-p tcp -j ECN --ecn-tcp-remove ; = ; OK
-p tcp -j ECN --ecn-tcp-cwr 1 --ecn-ip-ect 2 ; = ; OK
-j ECN --ecn-ip-ect 1 ; = ; OK
-j ECN --ecn-tcp-remove ;  ; LOAD
-j ECN ;  ; FAIL
-p tcp -j ECN --ecn-tcp-ece 1 ; = ; OK
-p tcp -j ECN --ecn-tcp-cwr 1 --ecn-tcp-ece 0 --ecn-ip-ect 1 ; -p tcp -j ECN --ecn-tcp-ece 0 --ecn-tcp-cwr 1 --ecn-ip-ect 1 ; OK
