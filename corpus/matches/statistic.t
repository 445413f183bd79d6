@ 46 filter INPUT
-m statistic --mode random --probability 0.5 ; -m statistic --mode random --probability 0.50000000000 ; OK
-m statistic --mode random ! --probability 0.25 ; -m statistic --mode random ! --probability 0.25000000000 ; OK
-m statistic --mode random --probability 1 ; -m statistic --mode random --probability 1.00000000000 ; OK
-m statistic --mode nth --every 3 --packet 0 ; = ; OK
-m statistic --mode nth ! --every 3 --packet 2 ; = ; OK
-m statistic --mode nth --every 3 --packet 3 ;  ; FAIL
-m statistic --mode nth --every 3 ;  ; FAIL
-m statistic --mode random ;  ; FAIL
-m statistic --mode random --probability 1 --packet 0 ;  ; FAIL
-m statistic --mode random --probability 1.5 ;  ; FAIL
-m statistic --mode other --probability 0.5 ;  ; FAIL
-m statistic --probability 0.5 ;  ; FAIL

# Meaning.
@ 46 filter INPUT
match -m statistic --mode random --probability 0.5 ;; proto=6 -> unknown
match -m statistic --mode random --probability 0 ;; proto=6 -> no
match -m statistic --mode random --probability 1 ;; proto=6 -> yes
match -m statistic --mode random ! --probability 1 ;; proto=6 -> no
match -m statistic --mode nth --every 1 --packet 0 ;; proto=6 -> yes
match -m statistic --mode nth --every 2 --packet 0 ;; proto=6 -> unknown
