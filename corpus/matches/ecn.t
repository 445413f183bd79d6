@ 46 filter INPUT
-m ecn --ecn-ip-ect 2 ; = ; OK
-p tcp -m ecn ! --ecn-tcp-ece --ecn-tcp-cwr ; = ; OK
-p tcp -m ecn --ecn-tcp-ece ! --ecn-ip-ect 0 ; = ; OK
-m ecn --ecn-ip-ect 4 ;  ; FAIL
-m ecn ;  ; FAIL
-m ecn --ecn-tcp-cwr ;  ; LOAD

# Meaning.
@ 46 filter INPUT
match -m ecn --ecn-ip-ect 2 ;; tos=0xfe -> yes
match -m ecn ! --ecn-ip-ect 2 ;; tos=0xfe -> no
match -p tcp -m ecn --ecn-tcp-ece ! --ecn-tcp-cwr ;; proto=6 flags=0x40 -> yes
match -p tcp -m ecn --ecn-tcp-ece ! --ecn-tcp-cwr ;; proto=6 flags=0xc0 -> no
match -p tcp -m ecn --ecn-tcp-ece ;; proto=6 truncated=1 -> no
match -p tcp -m ecn --ecn-tcp-ece ;; proto=6 frag_off=4 -> unknown
