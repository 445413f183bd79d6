@ 4 filter INPUT
-m set --match-set foo src ; = ; OK
-m set ! --match-set bar src,dst --return-nomatch ! --update-counters --packets-gt 5 ; = ; OK
-m set --match-set foo src ! --packets-eq 7 --bytes-lt 9 ! --update-subcounters ; -m set --match-set foo src ! --update-subcounters ! --packets-eq 7 --bytes-lt 9 ; OK
-m set --set foo src ; -m set --match-set foo src ; OK
-m set --match-set foo ;  ; FAIL
-m set --match-set foo from ;  ; FAIL
-m set --match-set foo src,src,src,src,src,src,src ;  ; FAIL
