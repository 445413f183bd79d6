@ 46 filter INPUT
-j NFQUEUE ; -j NFQUEUE --queue-num 0 ; OK
-j NFQUEUE --queue-num 5 --queue-bypass ; = ; OK
-j NFQUEUE --queue-balance 0:3 --queue-cpu-fanout ; = ; OK
-j NFQUEUE --queue-balance 3:3 ;  ; FAIL
-j NFQUEUE --queue-num 1 --queue-cpu-fanout ;  ; FAIL
