@ 46 filter INPUT
-m limit ; -m limit --limit 3/hour ; OK
-m limit --limit 5/second --limit-burst 9 ; -m limit --limit 5/sec --limit-burst 9 ; OK
-m limit --limit 5 ; -m limit --limit 5/sec ; OK
-m limit --limit 90/min ; = ; OK
-m limit --limit 100/h ; -m limit --limit 100/hour ; OK
-m limit --limit 7/d --limit-burst 5 ; -m limit --limit 7/day ; OK
-m limit --limit 10000/s ; -m limit --limit 10000/sec ; OK
-m limit --limit 10001/s ;  ; FAIL
-m limit --limit 0/s ;  ; FAIL
-m limit --limit 5/week ;  ; FAIL
-m limit --limit-burst 10001 ;  ; FAIL
-m limit --limit-burst 0 ;  ; LOAD

# Meaning.
@ 46 filter INPUT
match -m limit --limit 5/s ;; proto=6 -> unknown
