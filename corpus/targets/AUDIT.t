@ 46 filter INPUT
-j AUDIT --type drop ; = ; OK
-j AUDIT --type foo ;  ; FAIL
