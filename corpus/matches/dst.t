@ 6 filter INPUT
-m dst --dst-len 5 --dst-opts 1:2,3 ; = ; OK
-m dst ! --dst-len 8 ; = ; OK
