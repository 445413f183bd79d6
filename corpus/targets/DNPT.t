@ 6 mangle PREROUTING
-j DNPT --src-pfx 2001:db8::/64 --dst-pfx 2001:db8:1::/64 ; = ; OK
