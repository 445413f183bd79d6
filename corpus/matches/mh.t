@ 6 filter INPUT
-p mh -m mh --mh-type 0 ; -p mobility-header -m mh --mh-type 0 ; OK
-p mh --mh-type binding-update:7 ; -p mobility-header -m mh --mh-type 5:7 ; OK
# iptables-save loses it.
-p mh ! --mh-type : ; -p mobility-header -m mh ! --mh-type 0:255 ; KEEP
-p mh --mh-type 5:3 ;  ; FAIL
