@ 4 filter INPUT
-m connlimit --connlimit-above 5 ; -m connlimit --connlimit-above 5 --connlimit-mask 32 --connlimit-saddr ; OK
-m connlimit --connlimit-upto 5 --connlimit-mask 24 --connlimit-daddr ; = ; OK
-m connlimit ! --connlimit-above 5 --connlimit-saddr ; -m connlimit --connlimit-upto 5 --connlimit-mask 32 --connlimit-saddr ; OK
-m connlimit --connlimit-above 5 --connlimit-mask 33 ; -m connlimit --connlimit-above 5 --connlimit-mask 32 --connlimit-saddr ; OK
-m connlimit --connlimit-above 5 --connlimit-upto 6 ;  ; FAIL
-m connlimit ;  ; FAIL
