@ 4 filter FORWARD
-m physdev --physdev-in eth0 ; = ; OK
-m physdev ! --physdev-is-bridged ; = ; OK
-m physdev --physdev-out eth1 --physdev-is-bridged --physdev-in eth0 ; -m physdev --physdev-in eth0 --physdev-out eth1 --physdev-is-bridged ; OK
-m physdev ! --physdev-is-in ; = ; OK
-m physdev ;  ; FAIL
-m physdev ! --physdev-in eth0 ! --physdev-out eth1 ; = ; OK
-m physdev ! --physdev-is-out ; = ; OK
-m physdev --physdev-is-out ; = ; OK
-m physdev --physdev-is-bridged --physdev-is-out ; -m physdev --physdev-is-out --physdev-is-bridged ; OK
