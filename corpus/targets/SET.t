@ 4 filter INPUT
-j SET --add-set foo src ; = ; OK
-j SET --del-set bar src,dst ; = ; OK
-j SET --add-set foo src --exist ; = ; OK
-j SET ;  ; FAIL
-j SET --timeout 5 --exist --add-set foo src ; -j SET --add-set foo src --exist --timeout 5 ; OK
-j SET --map-set foo src --map-mark ;  ; LOAD
-j SET --exist ;  ; FAIL
-j SET --del-set foo src --exist ;  ; FAIL
-j SET --del-set foo src --timeout 5 ;  ; FAIL
-j SET --map-set foo src ;  ; FAIL
-j SET --add-set foo src --map-mark ;  ; FAIL
-j SET --del-set foo src --map-queue ;  ; FAIL
-j SET --del-set foo src --map-prio ;  ; FAIL
@ 4 mangle FORWARD
-j SET --map-set foo src --map-mark --map-prio ; = ; OK
@ 4 mangle PREROUTING
-j SET --add-set foo src --map-set foo src --map-mark ; = ; OK
-j SET --map-set foo src --map-prio ;  ; LOAD
