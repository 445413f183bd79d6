@ 46 nat PREROUTING
-j REDIRECT ; = ; OK
-p tcp -j REDIRECT --to-ports 8080 ; = ; OK
-p udp -j REDIRECT --to-ports 10-20 --random ; = ; OK
-p tcp -j REDIRECT --to-ports 80-90/1000 ;  ; FAIL
-j REDIRECT --to-ports 8080 ;  ; FAIL
