@ 46 raw PREROUTING
-j NOTRACK ; = ; OK
@ 4 filter INPUT
-j NOTRACK ;  ; LOAD
