@ 46 filter INPUT
-j MARK --set-mark 5 ; -j MARK --set-xmark 0x5/0xffffffff ; OK
-j MARK --set-mark 8/7 ; -j MARK --set-xmark 0x8/0xf ; OK
-j MARK --set-xmark 8/7 ; -j MARK --set-xmark 0x8/0x7 ; OK
-j MARK --and-mark 0xf0 ; -j MARK --set-xmark 0x0/0xffffff0f ; OK
-j MARK --or-mark 7 ; -j MARK --set-xmark 0x7/0x7 ; OK
-j MARK --xor-mark 7 ; -j MARK --set-xmark 0x7/0x0 ; OK
-j MARK ;  ; FAIL
-j MARK --set-mark 1 --or-mark 2 ;  ; FAIL
-j MARK --set-mark x ;  ; FAIL
