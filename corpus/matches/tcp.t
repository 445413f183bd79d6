@ 46 filter INPUT
-p tcp -m tcp ; = ; OK
-p tcp --dport ssh ; -p tcp -m tcp --dport 22 ; OK
-p tcp ! --sport 1024: --dport :1023 ; -p tcp -m tcp ! --sport 1024:65535 --dport 0:1023 ; OK
-p tcp --dport 8080:8090 --sport 53 ; -p tcp -m tcp --sport 53 --dport 8080:8090 ; OK
-p tcp --dport 0:65535 ; -p tcp -m tcp ; OK
-p tcp --dport 22:22 ; -p tcp -m tcp --dport 22 ; OK
-p tcp --destination-port 22 --source-port 1 ; -p tcp -m tcp --sport 1 --dport 22 ; OK
-p tcp --dp 22 ; -p tcp -m tcp --dport 22 ; OK
-p tcp --syn ; -p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN ; OK
-p tcp ! --syn ; -p tcp -m tcp ! --tcp-flags FIN,SYN,RST,ACK SYN ; OK
-p tcp --tcp-flags ALL NONE ; -p tcp -m tcp --tcp-flags FIN,SYN,RST,PSH,ACK,URG NONE ; OK
-p tcp --tcp-flags SYN,RST SYN ; -p tcp -m tcp --tcp-flags SYN,RST SYN ; OK
-p tcp ! --tcp-flags ACK,fin NONE ; -p tcp -m tcp ! --tcp-flags FIN,ACK NONE ; OK
-p tcp --tcp-flags NONE NONE ; -p tcp -m tcp ; OK
-p tcp --tcp-option 8 ! --tcp-flags SYN SYN --dport 1 ; -p tcp -m tcp --dport 1 --tcp-option 8 ! --tcp-flags SYN SYN ; OK
-p tcp ! --tcp-option 255 ; -p tcp -m tcp ! --tcp-option 255 ; OK
-p tcp --dport 20:10 ;  ; FAIL
-p tcp --dport 65536 ;  ; FAIL
-p tcp --dport -1 ;  ; FAIL
-p tcp --dport nosuchservice ;  ; FAIL
-p tcp --tcp-option 0 ;  ; FAIL
-p tcp --syn --tcp-flags SYN SYN ;  ; FAIL
-p tcp --dport 1 --dport 2 ;  ; FAIL
-p tcp --tcp-flags SYN ;  ; FAIL
-p tcp --tcp-flags FOO SYN ;  ; FAIL
-m tcp --dport 22 ;  ; LOAD
-p udp -m tcp --dport 22 ;  ; LOAD
! -p tcp -m tcp --dport 22 ;  ; LOAD

# Meaning.
@ 46 filter INPUT
# A plain full range prints as nothing; an inverted one, which iptables-save loses, stays.
-p tcp ! --dport 0:65535 ; -p tcp -m tcp ! --dport 0:65535 ; KEEP
-p tcp ! --tcp-flags NONE NONE ; -p tcp -m tcp ! --tcp-flags NONE NONE ; KEEP
match -p tcp --dport 22 ;; proto=6 dport=22 -> yes
match -p tcp --dport 22 ;; proto=6 dport=23 -> no
match -p tcp --dport 22 ;; proto=17 dport=22 -> no
match -p tcp ! --dport 22 ;; proto=6 dport=23 -> yes
match -p tcp ! --dport 22 ;; proto=6 dport=22 -> no
match -p tcp ! --dport 0:65535 ;; proto=6 dport=22 -> no
match -p tcp --sport 1024:2047 --dport 22 ;; proto=6 sport=2047 dport=22 -> yes
match -p tcp --sport 1024:2047 --dport 22 ;; proto=6 sport=2048 dport=22 -> no
# --syn looks at FIN, SYN, RST and ACK only: ECE, CWR, PSH and URG are free.
match -p tcp --syn ;; proto=6 flags=0x02 -> yes
match -p tcp --syn ;; proto=6 flags=0xea -> yes
match -p tcp --syn ;; proto=6 flags=0x12 -> no
match -p tcp --syn ;; proto=6 flags=0x06 -> no
match -p tcp ! --syn ;; proto=6 flags=0x12 -> yes
match -p tcp ! --syn ;; proto=17 flags=0x12 -> no
match -p tcp --tcp-flags ALL NONE ;; proto=6 flags=0 -> yes
match -p tcp --tcp-flags ALL NONE ;; proto=6 flags=0xc0 -> yes
match -p tcp --tcp-flags ALL NONE ;; proto=6 flags=1 -> no
match -p tcp --tcp-flags NONE NONE ;; proto=6 flags=0xff -> yes
match -p tcp ! --tcp-flags NONE NONE ;; proto=6 flags=0xff -> no
match -p tcp --tcp-flags SYN FIN ;; proto=6 flags=3 -> no
match -p tcp ! --tcp-flags SYN FIN ;; proto=6 flags=3 -> yes
match -p tcp --tcp-option 2 ;; proto=6 option=2 -> yes
match -p tcp --tcp-option 2 ;; proto=6 option=3 -> no
match -p tcp ! --tcp-option 2 ;; proto=6 -> yes
# Without tracking: later fragments never match, and a cut header is dropped.
match -p tcp -m tcp ;; proto=6 frag_off=2 -> no
match -p tcp ! --dport 22 ;; proto=6 frag_off=2 -> no
match -p tcp --dport 22 ;; proto=6 dport=22 truncated=1 -> drop
match -p tcp --dport 22 ;; proto=6 truncated=2 -> drop
match -p tcp --dport 22 ;; proto=17 truncated=2 -> no
# The fragment at offset 8 bytes: ip6tables does not drop it.
@ 4 filter INPUT
match -p tcp -m tcp ;; proto=6 frag_off=1 -> drop
@ 6 filter INPUT
match -p tcp -m tcp ;; proto=6 frag_off=1 -> no
