@ 4 filter INPUT
-j CLUSTERIP ;  ; LOAD
