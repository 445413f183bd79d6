@ 46 filter INPUT
-j IDLETIMER --timeout 5 --label a ; = ; OK
-j IDLETIMER --timeout 0 --label a ;  ; LOAD

@ 4 filter INPUT
-j IDLETIMER --timeout 5 --label other --alarm ; = ; OK
