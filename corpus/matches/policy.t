@ 4 filter INPUT
-m policy --dir in --pol none ; = ; OK
-m policy --dir in --pol ipsec --proto esp ; = ; OK
-m policy --dir in --pol ipsec --strict --reqid 5 ! --spi 16 --proto esp --mode tunnel --tunnel-src 192.0.2.1 --tunnel-dst 10.0.0.1/8 --next --reqid 6 ; -m policy --dir in --pol ipsec --strict --reqid 5 ! --spi 0x10 --proto esp --mode tunnel --tunnel-dst 10.0.0.1/8 --tunnel-src 192.0.2.1 --next --reqid 6 ; OK
-m policy --dir in --pol ipsec --strict ;  ; FAIL
-m policy --dir in --pol ipsec --next --reqid 6 ;  ; FAIL
-m policy --dir sideways --pol none ;  ; FAIL
-m policy --pol ipsec ;  ; FAIL
-m policy --dir out --pol ipsec ;  ; LOAD
