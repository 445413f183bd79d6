@ 4 nat PREROUTING
-j NETMAP --to 192.0.2.0/24 ; = ; OK
-j NETMAP --to 192.0.2.7 ; -j NETMAP --to 192.0.2.7/32 ; OK
-j NETMAP ;  ; FAIL
@ 6 nat PREROUTING
-j NETMAP --to 2001:db8::/64 ; = ; OK
