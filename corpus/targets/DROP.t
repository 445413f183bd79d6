@ 46 filter INPUT
-j DROP ; = ; OK
@ 4 nat PREROUTING
# Refused by iptables there; the binder takes it.
-j DROP ; = ; LAX
