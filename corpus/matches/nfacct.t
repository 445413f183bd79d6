@ 4 filter INPUT
-m nfacct ;  ; FAIL
