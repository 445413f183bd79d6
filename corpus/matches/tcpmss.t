@ 46 filter INPUT
-p tcp -m tcpmss --mss 500:1000 ; = ; OK
-p tcp -m tcpmss ! --mss 5 ; = ; OK
-p tcp -m tcpmss ;  ; FAIL
-m tcpmss --mss 5 ;  ; LOAD
