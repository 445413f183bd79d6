@ 4 filter INPUT
-m realm --realm 5 ; -m realm --realm 0x5 ; OK
-m realm ! --realm 5/0xf ; -m realm ! --realm 0x5/0xf ; OK
-m realm ;  ; FAIL
