@ 46 filter INPUT
-m connmark --mark 5 ; -m connmark --mark 0x5 ; OK
-m connmark ! --mark 0x1/0xffff ; = ; OK
-m connmark ;  ; FAIL

# Meaning.
@ 46 filter INPUT
match -m connmark --mark 5 ;; ctstate=ESTABLISHED ctmark=5 -> yes
match -m connmark ! --mark 5 ;; ctstate=ESTABLISHED ctmark=6 -> yes
match -m connmark --mark 0 ;; ctstate=INVALID -> no
match -m connmark ! --mark 5 ;; ctstate=UNTRACKED -> no
