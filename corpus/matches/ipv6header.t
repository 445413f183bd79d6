@ 6 filter INPUT
-m ipv6header --header hop,dst --soft ; -m ipv6header --header hop-by-hop,ipv6-opts --soft ; OK
-m ipv6header ! --header 44 ; -m ipv6header ! --header ipv6-frag ; OK
-m ipv6header --header foo ;  ; FAIL
-m ipv6header ;  ; FAIL
