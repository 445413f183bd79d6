@ 4 filter INPUT
-j ULOG --ulog-nlgroup 1 ;  ; LOAD
