@ 4 nat POSTROUTING
-j SNAT --to-source 192.0.2.1 ; = ; OK
-p tcp -j SNAT --to-source 192.0.2.1-192.0.2.9:1024-2047 --persistent --random-fully ; -p tcp -j SNAT --to-source 192.0.2.1-192.0.2.9:1024-2047 --random-fully --persistent ; OK
-p udp -j SNAT --to-source :1024 ; = ; OK
-p udp -j SNAT --to-source 192.0.2.1-192.0.2.1:53-53 ; -p udp -j SNAT --to-source 192.0.2.1:53 ; OK
-p icmp -j SNAT --to-source 192.0.2.1:5 ; = ; OK
-j SNAT --to-source 192.0.2.1:1024 ;  ; FAIL
-p tcp -j SNAT --to-source 192.0.2.1:9-3 ;  ; FAIL
-j SNAT --to-source www.example ;  ; FAIL
-j SNAT ;  ; FAIL
@ 6 nat POSTROUTING
-j SNAT --to-source 2001:db8::1 ; = ; OK
-j SNAT --to-source ::1 ; = ; OK
-p tcp -j SNAT --to-source ::-::1 ; = ; OK
-p tcp -j SNAT --to-source :80 ; = ; OK
-p tcp -j SNAT --to-source [2001:db8::1-2001:db8::9]:1024-2047 --random ; = ; OK
@ 4 nat PREROUTING
-j SNAT --to-source 192.0.2.1 ;  ; LOAD
