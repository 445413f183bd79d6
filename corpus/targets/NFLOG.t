@ 46 filter INPUT
-j NFLOG ; = ; OK
-j NFLOG --nflog-threshold 5 --nflog-size 30 --nflog-group 7 --nflog-prefix "a b" ; -j NFLOG --nflog-prefix "a b" --nflog-group 7 --nflog-size 30 --nflog-threshold 5 ; OK
-j NFLOG --nflog-group 65536 ;  ; FAIL
-j NFLOG --nflog-size 1 --nflog-range 2 ;  ; FAIL
