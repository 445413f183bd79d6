@ 4 filter INPUT
-j SET --add-set foo src ; = ; OK
-j SET --del-set bar src,dst ; = ; OK
-j SET --add-set foo src --exist ; = ; OK
-j SET ;  ; FAIL
