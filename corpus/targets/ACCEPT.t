@ 46 filter INPUT
-j ACCEPT ; = ; OK
-j ACCEPT --foo ;  ; FAIL
