@ 4 filter INPUT
-m ipvs --ipvs ;  ; LOAD
