@ 46 filter INPUT
-m tos --tos 16 ; -m tos --tos 0x10/0xff ; OK
-m tos ! --tos 0x10/0x3f ; = ; OK
-m tos --tos Minimize-Cost ; -m tos --tos 0x02/0x3f ; OK
-m tos --tos 256 ;  ; FAIL
-m tos --tos nonsense ;  ; FAIL
-m tos ;  ; FAIL

# Meaning.
@ 46 filter INPUT
match -m tos --tos 0x10/0x3f ;; tos=0xd0 -> yes
match -m tos --tos 0x10 ;; tos=0xd0 -> no
match -m tos ! --tos 0x10 ;; tos=0xd0 -> yes
