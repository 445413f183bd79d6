@ 46 filter INPUT
-j LED ;  ; FAIL
