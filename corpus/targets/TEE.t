@ 4 mangle PREROUTING
-j TEE --gateway 192.0.2.1 ; = ; OK
-j TEE ;  ; FAIL
