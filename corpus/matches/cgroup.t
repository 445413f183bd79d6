@ 46 filter OUTPUT
-m cgroup --cgroup 5 ; = ; OK
-m cgroup ! --cgroup 7 ; = ; OK
-m cgroup ;  ; LOAD
