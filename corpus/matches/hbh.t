@ 6 filter INPUT
-m hbh --hbh-len 5 --hbh-opts 1:2,3 ; = ; OK
-m hbh ! --hbh-len 5 ; = ; OK
