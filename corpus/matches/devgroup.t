@ 46 filter INPUT
-m devgroup --src-group 5/7 ; -m devgroup --src-group 0x5/0x7 ; OK
-m devgroup ! --src-group 5 ; -m devgroup ! --src-group 0x5 ; OK

@ 4 filter OUTPUT
-m devgroup --dst-group 5 ; -m devgroup --dst-group 0x5 ; OK
-m devgroup ! --dst-group 0x5/0xff ; = ; OK
