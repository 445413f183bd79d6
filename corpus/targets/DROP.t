@ 46 filter INPUT
-j DROP ; = ; OK
@ 4 nat PREROUTING
# Filtering is not what nat is for, says iptables.
-j DROP ;  ; FAIL
