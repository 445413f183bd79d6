@ 4 filter INPUT
-j SECMARK --selctx x ;  ; LOAD
