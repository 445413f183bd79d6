@ 46 mangle FORWARD
-p tcp -m tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu ; = ; OK
-p tcp -m tcp --tcp-flags SYN,RST SYN -j TCPMSS --set-mss 1400 ; = ; OK
-j TCPMSS --set-mss 1400 ;  ; LOAD
-p tcp -m tcp --tcp-flags SYN,RST SYN -j TCPMSS ;  ; FAIL

@ 46 mangle PREROUTING
-p tcp -m tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu ;  ; LOAD
-p tcp -m tcp --tcp-flags SYN,RST SYN -j TCPMSS --set-mss 1400 ; = ; OK
