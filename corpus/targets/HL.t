@ 6 mangle PREROUTING
-j HL --hl-set 5 ; = ; OK
-j HL --hl-dec 1 ; = ; OK
-j HL --hl-inc 256 ;  ; FAIL
