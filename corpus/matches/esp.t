@ 46 filter INPUT
-p esp -m esp ; = ; OK
-p esp --espspi 5:7 ; -p esp -m esp --espspi 5:7 ; OK
-p esp ! --espspi 5 ; -p esp -m esp ! --espspi 5 ; OK
-p esp --espspi : ; -p esp -m esp ; OK
-m esp --espspi 5 ;  ; LOAD

# Meaning.
@ 46 filter INPUT
match -p esp --espspi 5 ;; proto=50 -> unknown
match -p esp -m esp ;; proto=50 -> yes
match -p esp --espspi 5 ;; proto=6 -> no
match -p esp --espspi 5 ;; proto=50 truncated=1 -> drop
