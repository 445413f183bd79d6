@ 46 filter INPUT
-p tcp -m multiport --dports 22,http,8000:8010 ; -p tcp -m multiport --dports 22,80,8000:8010 ; OK
-p udp -m multiport ! --sports 53 ; = ; OK
-p sctp -m multiport --ports 1,2 ; = ; OK
-p tcp -m multiport --source-ports 5 ; -p tcp -m multiport --sports 5 ; OK
-p tcp -m multiport --destination-ports 5 ; -p tcp -m multiport --dports 5 ; OK
-p udplite -m multiport --dports 5 ; = ; OK
-p dccp -m multiport --dports 5 ; = ; OK
-p tcp -m multiport --dports 1:2,3:4,5:6,7:8,9:10,11:12,13:14,15 ; = ; OK
-p tcp -m multiport --dports 1:2,3:4,5:6,7:8,9:10,11:12,13:14,15:16 ;  ; FAIL
-p tcp -m multiport --dports 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16 ;  ; FAIL
-p tcp -m multiport --dports 9:3 ;  ; FAIL
-p tcp -m multiport --dports 1 --sports 2 ;  ; FAIL
-p tcp -m multiport ;  ; FAIL
-m multiport --dports 1 ;  ; FAIL
-p icmp -m multiport --dports 1 ;  ; FAIL
! -p tcp -m multiport --dports 1 ;  ; FAIL

# Meaning.
@ 46 filter INPUT
match -p tcp -m multiport --dports 22,80:90 ;; proto=6 dport=85 -> yes
match -p tcp -m multiport --dports 22,80:90 ;; proto=6 dport=91 -> no
match -p tcp -m multiport ! --dports 22,80:90 ;; proto=6 dport=91 -> yes
match -p tcp -m multiport ! --dports 22,80:90 ;; proto=17 dport=91 -> no
match -p tcp -m multiport --ports 22 ;; proto=6 sport=22 dport=5 -> yes
match -p tcp -m multiport --ports 22 ;; proto=6 sport=5 dport=22 -> yes
match -p tcp -m multiport ! --ports 22 ;; proto=6 sport=5 dport=22 -> no
match -p tcp -m multiport --sports 22 ;; proto=6 sport=5 dport=22 -> no
# Four bytes of header are enough for it.
match -p tcp -m multiport --dports 22 ;; proto=6 dport=22 truncated=1 -> yes
match -p tcp -m multiport --dports 22 ;; proto=6 dport=22 truncated=2 -> yes
match -p tcp -m multiport --dports 22 ;; proto=6 truncated=3 -> drop
match -p tcp -m multiport --dports 22 ;; proto=6 truncated=4 -> drop
match -p tcp -m multiport ! --dports 22 ;; proto=6 frag_off=1 -> no
