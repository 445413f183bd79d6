@ 46 filter INPUT
-m comment --comment "a remark, with \"quotes\"" ; = ; OK
-m comment --comment word ; = ; OK
-m comment --comment "it's" ; -m comment --comment "it\'s" ; OK
-m comment ;  ; FAIL

# Meaning.
@ 46 filter INPUT
match -m comment --comment x ;; proto=6 -> yes
