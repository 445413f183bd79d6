@ 46 filter INPUT
-p dccp --sport 5 --dport 7:9 ; -p dccp -m dccp --sport 5 --dport 7:9 ; OK
-p dccp --dccp-types INVALID,REQUEST ; -p dccp -m dccp --dccp-types REQUEST,INVALID ; OK
-p dccp ! --dccp-option 7 ; -p dccp -m dccp ! --dccp-option 7 ; OK
-p dccp --dccp-types FOO ;  ; FAIL
-m dccp --dport 5 ;  ; LOAD

@ 4 filter INPUT
-p dccp -m dccp ! --dccp-types REQUEST ; = ; OK

# Meaning.
@ 46 filter INPUT
match -p dccp --dport 5 ;; proto=33 dport=5 -> yes
match -p dccp --dccp-types REQUEST ;; proto=33 -> unknown
match -p dccp --dport 5 ;; proto=33 dport=5 frag_off=1 -> no
