@ 4 filter INPUT
-m recent --set ; -m recent --set --name DEFAULT --mask 255.255.255.255 --rsource ; OK
-m recent --set --name ssh --rsource ; -m recent --set --name ssh --mask 255.255.255.255 --rsource ; OK
-m recent --update --seconds 60 --hitcount 4 --name ssh --rttl ; -m recent --update --seconds 60 --hitcount 4 --rttl --name ssh --mask 255.255.255.255 --rsource ; OK
-m recent ! --rcheck --name bad --rdest ; -m recent ! --rcheck --name bad --mask 255.255.255.255 --rdest ; OK
-m recent --remove --mask 255.255.255.0 ; -m recent --remove --name DEFAULT --mask 255.255.255.0 --rsource ; OK
-m recent --rcheck --seconds 60 --reap ; -m recent --rcheck --seconds 60 --reap --name DEFAULT --mask 255.255.255.255 --rsource ; OK
-m recent --name a ;  ; FAIL
-m recent --set --rcheck ;  ; FAIL
-m recent --rcheck --reap ;  ; FAIL
-m recent --set --seconds 5 ;  ; LOAD
-m recent --rcheck --seconds 0 ;  ; FAIL
@ 6 filter INPUT
-m recent --set --name six ; -m recent --set --name six --mask ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff --rsource ; OK

# Meaning.
@ 46 filter INPUT
# --set writes the list and always matches.
match -m recent --set --name a ;; src=0 -> yes
match -m recent ! --set --name a ;; src=0 -> no
match -m recent --rcheck --name a ;; src=0 -> unknown
match -m recent ! --update --name a --seconds 5 ;; src=0 -> unknown
match -m recent --remove --name a ;; src=0 -> unknown
