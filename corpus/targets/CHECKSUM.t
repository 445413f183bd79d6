@ 46 mangle POSTROUTING
-j CHECKSUM --checksum-fill ; = ; OK
-j CHECKSUM ;  ; FAIL
