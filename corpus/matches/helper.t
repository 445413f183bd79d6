@ 46 filter INPUT
-m helper --helper ftp ; = ; OK
-m helper ! --helper sip-5060 ; = ; OK
# Any helper's connection.
-m helper --helper "" ; = ; OK
-m helper ;  ; FAIL

# Meaning.
@ 46 filter INPUT
match -m helper --helper ftp ;; ctstate=RELATED ctstatus=1 -> unknown
match -m helper --helper ftp ;; ctstate=ESTABLISHED ctstatus=14 -> no
match -m helper ! --helper ftp ;; ctstate=ESTABLISHED ctstatus=14 -> yes
match -m helper --helper ftp ;; ctstate=INVALID -> no
