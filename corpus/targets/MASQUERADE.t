@ 46 nat POSTROUTING
-j MASQUERADE ; = ; OK
-p tcp -j MASQUERADE --to-ports 1024-2047 --random --random-fully ; = ; OK
-j MASQUERADE --to-ports 80 ;  ; FAIL
@ 4 nat PREROUTING
-j MASQUERADE ;  ; LOAD
