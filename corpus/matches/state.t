@ 46 filter INPUT
-m state --state RELATED,ESTABLISHED ; = ; OK
-m state --state EST,NEW ; -m state --state NEW,ESTABLISHED ; OK
-m state ! --state INVALID ; = ; OK
-m state --state UNTRACKED ; = ; OK
-m state --state SNAT ;  ; FAIL
-m state ;  ; FAIL
-m state --state nonsense ;  ; FAIL

# Meaning.
@ 46 filter INPUT
match -m state --state RELATED,ESTABLISHED ;; ctstate=RELATED -> yes
match -m state ! --state INVALID ;; ctstate=UNTRACKED -> yes
match -m state --state NEW ;; ctstate=ESTABLISHED -> no
