@ 4 filter INPUT
-j REJECT ; -j REJECT --reject-with icmp-port-unreachable ; OK
-j REJECT --reject-with icmp-host-prohibited ; = ; OK
-j REJECT --reject-with icmp-net ; -j REJECT --reject-with icmp-net-unreachable ; OK
-j REJECT --reject-with admin-prohib ; -j REJECT --reject-with icmp-admin-prohibited ; OK
-j REJECT --reject-with port-unreach ; -j REJECT --reject-with icmp-port-unreachable ; OK
-p tcp -j REJECT --reject-with tcp-reset ; = ; OK
-p tcp -j REJECT --reject-with tcp-rst ; -p tcp -j REJECT --reject-with tcp-reset ; OK
-j REJECT --reject-with tcp-reset ;  ; LOAD
-j REJECT --reject-with nonsense ;  ; FAIL
@ 6 filter INPUT
-j REJECT ; -j REJECT --reject-with icmp6-port-unreachable ; OK
-j REJECT --reject-with icmp6-no-route ; = ; OK
-j REJECT --reject-with adm-prohibited ; -j REJECT --reject-with icmp6-adm-prohibited ; OK
-j REJECT --reject-with policy-fail ; -j REJECT --reject-with icmp6-policy-fail ; OK
-p tcp -j REJECT --reject-with tcp-reset ; = ; OK
-j REJECT --reject-with icmp-port-unreachable ;  ; FAIL
@ 4 mangle INPUT
-j REJECT ;  ; LOAD
