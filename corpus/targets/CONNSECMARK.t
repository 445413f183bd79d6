@ 4 filter INPUT
-j CONNSECMARK --save ;  ; LOAD
