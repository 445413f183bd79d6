@ 4 mangle PREROUTING
-j TEE --gateway 192.0.2.1 ; = ; OK
-j TEE ;  ; FAIL
-j TEE --gateway 10.0.0.1 --oif eth0 ; = ; OK
