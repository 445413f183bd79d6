@ 4 mangle PREROUTING
-j HMARK --hmark-src-prefix 32 --hmark-dst-prefix 32 --hmark-rnd 0x00000001 --hmark-mod 5 ; = ; OK
-j HMARK --hmark-src-prefix 32 --hmark-rnd 0x00000001 --hmark-mod 16 --hmark-offset 70000 ; = ; OK
