@ 46 raw PREROUTING
-j TRACE ; = ; OK
