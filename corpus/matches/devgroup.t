@ 46 filter INPUT
-m devgroup --src-group 5/7 ; -m devgroup --src-group 0x5/0x7 ; OK
-m devgroup ! --src-group 5 ; -m devgroup ! --src-group 0x5 ; OK
