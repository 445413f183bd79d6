@ 4 filter INPUT
-p icmp --icmp-type any ; -p icmp -m icmp --icmp-type any ; OK
-p icmp --icmp-type 255 ; -p icmp -m icmp --icmp-type any ; OK
-p icmp ! --icmp-type any ; -p icmp -m icmp ! --icmp-type any ; OK
-p icmp --icmp-type 8 ; -p icmp -m icmp --icmp-type 8 ; OK
-p icmp --icmp-type ping ; -p icmp -m icmp --icmp-type 8 ; OK
-p icmp --icmp-type Echo-Request ; -p icmp -m icmp --icmp-type 8 ; OK
-p icmp --icmp-type fragmentation-needed ; -p icmp -m icmp --icmp-type 3/4 ; OK
-p icmp --icmp-type frag ; -p icmp -m icmp --icmp-type 3/4 ; OK
-p icmp ! --icmp-type 3/1 ; -p icmp -m icmp ! --icmp-type 3/1 ; OK
-p icmp --icmp-type 8/0 ; -p icmp -m icmp --icmp-type 8/0 ; OK
-p icmp --icmp-type 0x0b/1 ; -p icmp -m icmp --icmp-type 11/1 ; OK
-p icmp --icmp-type echo-re ;  ; FAIL
-p icmp --icmp-type 256 ;  ; FAIL
-p icmp --icmp-type 3/256 ;  ; FAIL
-p icmp --icmp-type nonsense ;  ; FAIL
-p icmp -m icmp ;  ; FAIL
-m icmp --icmp-type 8 ;  ; LOAD
-p tcp -m icmp --icmp-type 8 ;  ; LOAD

# Meaning.
@ 4 filter INPUT
match -p icmp --icmp-type 8 ;; proto=1 type=8 code=7 -> yes
match -p icmp --icmp-type 8/0 ;; proto=1 type=8 code=7 -> no
match -p icmp --icmp-type 3 ;; proto=1 type=3 code=13 -> yes
match -p icmp --icmp-type any ;; proto=1 type=200 code=9 -> yes
match -p icmp --icmp-type 255/3 ;; proto=1 type=200 code=9 -> yes
match -p icmp ! --icmp-type any ;; proto=1 type=8 -> no
match -p icmp ! --icmp-type 8 ;; proto=1 type=0 -> yes
match -p icmp ! --icmp-type 8 ;; proto=6 type=0 -> no
match -p icmp ! --icmp-type 8 ;; proto=1 type=0 frag_off=1 -> no
match -p icmp --icmp-type 8 ;; proto=1 type=8 truncated=1 -> drop
