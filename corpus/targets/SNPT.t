@ 6 mangle POSTROUTING
-j SNPT --src-pfx 2001:db8::/64 --dst-pfx 2001:db8:1::/64 ; = ; OK
