@ 4 filter INPUT
-j CONNSECMARK --save ;  ; LOAD

@ 4 mangle PREROUTING
-j CONNSECMARK --restore ; = ; OK
