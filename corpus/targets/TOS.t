@ 46 mangle PREROUTING
-j TOS --set-tos 5 ; -j TOS --set-tos 0x05/0xff ; OK
-j TOS --set-tos 0x10/0x3f ; = ; OK
-j TOS --and-tos 5 ; -j TOS --set-tos 0x00/0xfa ; OK
-j TOS --or-tos 5 ; -j TOS --set-tos 0x05/0x05 ; OK
-j TOS --xor-tos 5 ; -j TOS --set-tos 0x05/0x00 ; OK
-j TOS --set-tos Minimize-Delay ; -j TOS --set-tos 0x10/0x3f ; OK
-j TOS ;  ; FAIL
-j TOS --set-tos 256 ;  ; FAIL
