@ 46 mangle POSTROUTING
-j CLASSIFY --set-class 1:10 ; -j CLASSIFY --set-class 0001:0010 ; OK
-j CLASSIFY --set-class x ;  ; FAIL
