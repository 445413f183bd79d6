@ 46 filter INPUT
-m quota --quota 1000 ; = ; OK
-m quota ! --quota 5 ; = ; OK
-m quota ;  ; FAIL
