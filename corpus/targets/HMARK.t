# The words of a tuple are written as the options that they stand for.
@ 4 mangle PREROUTING
-j HMARK --hmark-tuple src,dst --hmark-rnd 7 --hmark-mod 5 --hmark-offset 3 ; -j HMARK --hmark-src-prefix 32 --hmark-dst-prefix 32 --hmark-rnd 0x00000007 --hmark-mod 5 --hmark-offset 3 ; OK
-j HMARK --hmark-tuple ct,sport,dport --hmark-rnd 0x11 --hmark-mod 0x10 ; -j HMARK --hmark-sport-mask 0xffff --hmark-dport-mask 0xffff --hmark-rnd 0x00000011 --hmark-mod 16 --hmark-tuple ct ; OK
-j HMARK --hmark-tuple src --hmark-spi-mask 0xff --hmark-rnd 5 --hmark-mod 2 ; -j HMARK --hmark-src-prefix 32 --hmark-spi-mask 0x000000ff --hmark-rnd 0x00000005 --hmark-mod 2 ; OK
-j HMARK --hmark-tuple spi --hmark-rnd 5 --hmark-mod 2 ; -j HMARK --hmark-spi-mask 0xffffffff --hmark-rnd 0x00000005 --hmark-mod 2 ; OK
-j HMARK --hmark-tuple proto --hmark-rnd 5 --hmark-mod 2 ; -j HMARK --hmark-proto-mask 0xffff --hmark-rnd 0x00000005 --hmark-mod 2 ; OK
-j HMARK --hmark-proto-mask 3 --hmark-rnd 5 --hmark-mod 2 --hmark-offset 0 ; -j HMARK --hmark-proto-mask 0x03 --hmark-rnd 0x00000005 --hmark-mod 2 --hmark-offset 0 ; OK
-j HMARK --hmark-sport 5 --hmark-dport 6 --hmark-rnd 5 --hmark-mod 2 ; -j HMARK --hmark-sport 0x0005 --hmark-dport 0x0006 --hmark-rnd 0x00000005 --hmark-mod 2 ; OK
-j HMARK --hmark-sport-mask 0xff00 --hmark-dport-mask 0xf --hmark-rnd 5 --hmark-mod 2 ; -j HMARK --hmark-sport-mask 0xff00 --hmark-dport-mask 0x000f --hmark-rnd 0x00000005 --hmark-mod 2 ; OK
-j HMARK --hmark-spi 5 --hmark-rnd 5 --hmark-mod 4 ; -j HMARK --hmark-spi 0x00000005 --hmark-rnd 0x00000005 --hmark-mod 4 ; OK
-j HMARK --hmark-tuple src --hmark-mod 5 ;  ; FAIL
-j HMARK --hmark-rnd 5 --hmark-mod 5 ;  ; FAIL
-j HMARK --hmark-tuple src --hmark-src-prefix 24 --hmark-rnd 5 --hmark-mod 5 ;  ; FAIL
-j HMARK --hmark-tuple spi,sport --hmark-rnd 5 --hmark-mod 5 ;  ; FAIL
-j HMARK --hmark-tuple foo --hmark-rnd 5 --hmark-mod 5 ;  ; FAIL
-j HMARK --hmark-src-prefix 32 --hmark-dst-prefix 32 --hmark-rnd 0x00000001 --hmark-mod 5 ; = ; OK
-j HMARK --hmark-src-prefix 32 --hmark-rnd 0x00000001 --hmark-mod 16 --hmark-offset 70000 ; = ; OK

@ 6 mangle PREROUTING
-j HMARK --hmark-tuple src,dst,sport --hmark-rnd 5 --hmark-mod 5 ; -j HMARK --hmark-src-prefix 128 --hmark-dst-prefix 128 --hmark-sport-mask 0xffff --hmark-rnd 0x00000005 --hmark-mod 5 ; OK
