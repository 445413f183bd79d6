@ 46 filter INPUT
-m dscp --dscp 10 ; -m dscp --dscp 0x0a ; OK
-m dscp --dscp-class ef ; -m dscp --dscp 0x2e ; OK
-m dscp ! --dscp-class BE ; -m dscp ! --dscp 0x00 ; OK
-m dscp --dscp 64 ;  ; FAIL
-m dscp --dscp-class XX ;  ; FAIL
-m dscp --dscp 1 --dscp-class EF ;  ; FAIL
-m dscp ;  ; FAIL

# Meaning.
@ 46 filter INPUT
match -m dscp --dscp-class EF ;; tos=0xb8 -> yes
match -m dscp --dscp-class EF ;; tos=0xbb -> yes
match -m dscp ! --dscp 0 ;; tos=0x03 -> no
