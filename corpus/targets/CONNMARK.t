@ 46 mangle PREROUTING
-j CONNMARK --set-mark 5 ; -j CONNMARK --set-xmark 0x5/0xffffffff ; OK
-j CONNMARK --set-mark 8/7 ; -j CONNMARK --set-xmark 0x8/0xf ; OK
-j CONNMARK --set-xmark 8/7 ; -j CONNMARK --set-xmark 0x8/0x7 ; OK
-j CONNMARK --set-mark 5 --mask 0xff ; -j CONNMARK --set-xmark 0x5/0xff ; OK
-j CONNMARK --and-mark 5 ; -j CONNMARK --set-xmark 0x0/0xfffffffa ; OK
-j CONNMARK --or-mark 5 ; -j CONNMARK --set-xmark 0x5/0x5 ; OK
-j CONNMARK --xor-mark 5 ; -j CONNMARK --set-xmark 0x5/0x0 ; OK
-j CONNMARK --save-mark ; -j CONNMARK --save-mark --nfmask 0xffffffff --ctmask 0xffffffff ; OK
-j CONNMARK --restore-mark --mask 0xff ; -j CONNMARK --restore-mark --nfmask 0xff --ctmask 0xff ; OK
-j CONNMARK --save-mark --nfmask 0xf0 --ctmask 0xff ; = ; OK
-j CONNMARK --set-xmark 5/7 --left-shift-mark 2 ; -j CONNMARK --set-xmark 0x5/0x7 --left-shift-mark 2 ; OK
-j CONNMARK ;  ; FAIL
-j CONNMARK --save-mark --restore-mark ;  ; FAIL
-j CONNMARK --set-mark 1 --nfmask 2 ; -j CONNMARK --set-xmark 0x1/0xffffffff ; OK

@ 4 mangle PREROUTING
-j CONNMARK --restore-mark --left-shift-mark 3 ; -j CONNMARK --restore-mark --nfmask 0xffffffff --ctmask 0xffffffff --left-shift-mark 3 ; OK
-j CONNMARK --set-xmark 0x5 --right-shift-mark 3 ; -j CONNMARK --set-xmark 0x5/0xffffffff --right-shift-mark 3 ; OK
-j CONNMARK --save-mark --right-shift-mark 3 ; -j CONNMARK --save-mark --nfmask 0xffffffff --ctmask 0xffffffff --right-shift-mark 3 ; OK
