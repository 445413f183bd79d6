@ 46 filter INPUT
-p udp -m udp ; = ; OK
-p udp --dport domain ; -p udp -m udp --dport 53 ; OK
-p udp --dport 20:10 ; -p udp -m udp --dport 20:10 ; OK
-p udp ! --sport 5 --dport ntp ; -p udp -m udp ! --sport 5 --dport 123 ; OK
-p udp --sport https ; -p udp -m udp --sport 443 ; OK
-p udp --dport smtp ; -p udp -m udp --dport 25 ; OK
-p udp --sport 5: ! --dport 67:68 ; -p udp -m udp --sport 5:65535 ! --dport 67:68 ; OK
# iptables 1.8.9 takes it as port 0 (modulo 65536). Nobody means that.
-p udp --dport 65536 ; ; STRICT
-p udp --dport 1,2 ;  ; FAIL
-m udp --dport 53 ;  ; LOAD

# Meaning.
@ 46 filter INPUT
-p udp ! --dport 0:65535 ; -p udp -m udp ! --dport 0:65535 ; KEEP
match -p udp --dport 53 ;; proto=17 dport=53 -> yes
match -p udp --dport 53 ;; proto=6 dport=53 -> no
match -p udp --dport 20:10 ;; proto=17 dport=15 -> no
match -p udp ! --dport 20:10 ;; proto=17 dport=15 -> yes
match -p udp ! --dport 53 ;; proto=17 frag_off=3 -> no
match -p udp -m udp ;; proto=17 frag_off=1 -> no
match -p udp --dport 53 ;; proto=17 truncated=1 -> drop
