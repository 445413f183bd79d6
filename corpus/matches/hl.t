@ 6 filter INPUT
-m hl --hl 64 ; -m hl --hl-eq 64 ; OK
-m hl ! --hl-eq 255 ; = ; OK
-m hl --hl-lt 5 ; = ; OK
-m hl --hl-gt 5 ; = ; OK
-m hl ! --hl-gt 5 ;  ; FAIL
-m hl --hl-eq 256 ;  ; FAIL
-m hl ;  ; FAIL

# Meaning.
@ 6 filter INPUT
match -m hl --hl-eq 255 ;; ttl=255 -> yes
match -m hl ! --hl-eq 255 ;; ttl=64 -> yes
match -m hl --hl-lt 5 ;; ttl=5 -> no
match -m hl --hl-gt 5 ;; ttl=5 -> no
