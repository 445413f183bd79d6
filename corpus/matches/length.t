@ 46 filter INPUT
-m length --length 100 ; = ; OK
-m length ! --length 40:1500 ; = ; OK
-m length --length :100 ; -m length --length 0:100 ; OK
-m length --length 100: ; -m length --length 100:65535 ; OK
-m length --length 4:3 ; = ; OK
-m length --length 65536 ;  ; FAIL
-m length ;  ; FAIL

# Meaning.
@ 46 filter INPUT
match -m length --length 40:1500 ;; length=40 -> yes
match -m length --length 40:1500 ;; length=1501 -> no
match -m length ! --length 40:1500 ;; length=1501 -> yes
match -m length --length 4:3 ;; length=3 -> no
match -m length ! --length 4:3 ;; length=3 -> yes
