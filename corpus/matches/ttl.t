@ 4 filter INPUT
-m ttl --ttl 64 ; -m ttl --ttl-eq 64 ; OK
-m ttl ! --ttl-eq 64 ; = ; OK
-m ttl --ttl-lt 5 ; = ; OK
-m ttl --ttl-gt 5 ; = ; OK
-m ttl ! --ttl-lt 5 ;  ; FAIL
-m ttl --ttl-eq 256 ;  ; FAIL
-m ttl --ttl-lt 5 --ttl-gt 3 ;  ; FAIL
-m ttl ;  ; FAIL

# Meaning.
@ 4 filter INPUT
match -m ttl --ttl-eq 64 ;; ttl=64 -> yes
match -m ttl ! --ttl-eq 64 ;; ttl=64 -> no
match -m ttl --ttl-lt 5 ;; ttl=4 -> yes
match -m ttl --ttl-lt 5 ;; ttl=5 -> no
match -m ttl --ttl-lt 0 ;; ttl=0 -> no
match -m ttl --ttl-gt 5 ;; ttl=6 -> yes
match -m ttl --ttl-gt 255 ;; ttl=255 -> no
