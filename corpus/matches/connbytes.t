@ 46 filter INPUT
-m connbytes --connbytes 5:10 --connbytes-dir both --connbytes-mode packets ; -m connbytes --connbytes 5:10 --connbytes-mode packets --connbytes-dir both ; OK
-m connbytes ! --connbytes 5: --connbytes-dir reply --connbytes-mode avgpkt ; -m connbytes ! --connbytes 5 --connbytes-mode avgpkt --connbytes-dir reply ; OK
-m connbytes --connbytes 10:5 --connbytes-dir both --connbytes-mode bytes ;  ; FAIL
-m connbytes --connbytes 5 --connbytes-dir both ;  ; FAIL

# Meaning.
@ 46 filter INPUT
match -m connbytes --connbytes 5 --connbytes-dir both --connbytes-mode bytes ;; ctstate=NEW -> unknown
match -m connbytes ! --connbytes 5 --connbytes-dir both --connbytes-mode bytes ;; ctstate=INVALID -> no
