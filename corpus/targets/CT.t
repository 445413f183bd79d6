@ 46 raw PREROUTING
-j CT --notrack ; = ; OK
-j CT --zone 5 ; = ; OK
-j CT --zone-orig 5 ; = ; OK
-j CT --zone-reply mark ; = ; OK
-j CT --zone 5 --zone-orig 6 ; -j CT --zone-orig 6 ; OK
-j CT --zone 0 ; -j CT ; OK
-j CT --ctevents mark,new --expevents new ; -j CT --ctevents new,mark --expevents new ; OK
-p tcp -j CT --helper ftp --zone 7 ; = ; OK
-j CT ; = ; OK
-j CT --helper ftp ;  ; LOAD
-j CT --zone 65536 ;  ; FAIL
-j CT --ctevents foo ;  ; FAIL
@ 4 filter INPUT
-j CT --notrack ;  ; LOAD
