@ 46 filter INPUT
-p sctp --dport 5 ; -p sctp -m sctp --dport 5 ; OK
-p sctp ! --sport 5:7 --chunk-types any INIT,DATA:Be ; -p sctp -m sctp ! --sport 5:7 --chunk-types any DATA:Be,INIT ; OK
-p sctp ! --chunk-types only ABORT ; -p sctp -m sctp ! --chunk-types only ABORT ; OK
-p sctp --chunk-types all ALL ; -p sctp -m sctp --chunk-types all ALL ; OK
-p sctp --chunk-types some INIT ;  ; FAIL
-p sctp --chunk-types any FOO ;  ; FAIL
-m sctp --dport 5 ;  ; LOAD

# Meaning.
@ 46 filter INPUT
match -p sctp --dport 5:7 ;; proto=132 dport=6 -> yes
match -p sctp ! --dport 5:7 ;; proto=132 dport=6 -> no
match -p sctp --dport 5 --chunk-types any INIT ;; proto=132 dport=5 -> unknown
match -p sctp --dport 5 --chunk-types any INIT ;; proto=132 dport=6 -> no
match -p sctp --dport 5 ;; proto=132 dport=5 truncated=1 -> drop
