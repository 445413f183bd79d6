@ 46 filter INPUT
-m mark --mark 5 ; -m mark --mark 0x5 ; OK
-m mark ! --mark 0x10/0xf0 ; = ; OK
-m mark --mark 0xff/0xf ; = ; OK
-m mark --mark 1/0 ; -m mark --mark 0x1/0x0 ; OK
-m mark --mark 4294967296 ;  ; FAIL
-m mark --mark x ;  ; FAIL
-m mark ;  ; FAIL

# Meaning.
@ 46 filter INPUT
match -m mark --mark 0x10/0xf0 ;; mark=0x1f -> yes
match -m mark --mark 0x10/0xf0 ;; mark=0x2f -> no
match -m mark ! --mark 5 ;; mark=6 -> yes
# A value outside its mask never matches.
match -m mark --mark 0xff/0xf ;; mark=0xff -> no
match -m mark ! --mark 0xff/0xf ;; mark=0xff -> yes
match -m mark --mark 0/0 ;; mark=7 -> yes
