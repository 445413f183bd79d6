@ 4 filter INPUT
-p ah -m ah ; = ; OK
-p ah --ahspi 5:7 ; -p ah -m ah --ahspi 5:7 ; OK
-p ah ! --ahspi 5 ; -p ah -m ah ! --ahspi 5 ; OK
-m ah --ahspi 5 ;  ; LOAD
@ 6 filter INPUT
-m ah --ahspi 5 --ahlen 5 --ahres ; = ; OK
-m ah ! --ahspi 5 ; = ; OK
-m ah ! --ahlen 32 ; = ; OK

# Meaning.
@ 4 filter INPUT
match -p ah --ahspi 5 ;; proto=51 -> unknown
match -p ah --ahspi : ;; proto=51 -> yes
