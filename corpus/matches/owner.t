@ 46 filter OUTPUT
-m owner --uid-owner 5 ; = ; OK
-m owner ! --uid-owner root --gid-owner 5 --socket-exists ; -m owner --socket-exists ! --uid-owner 0 --gid-owner 5 ; OK
-m owner --uid-owner 0-99 ; = ; OK
-m owner ! --socket-exists ; = ; OK
-m owner --gid-owner 5 --suppl-groups ; = ; OK
-m owner --suppl-groups ;  ; FAIL
-m owner ;  ; FAIL
@ 4 filter INPUT
-m owner --uid-owner 5 ;  ; LOAD

@ 4 filter OUTPUT
-m owner ! --gid-owner 5 ; = ; OK

# Meaning.
@ 46 filter OUTPUT
match -m owner --uid-owner 5 ;; proto=6 -> unknown
