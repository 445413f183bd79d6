@ 6 filter INPUT
-m dst --dst-len 5 --dst-opts 1:2,3 ; = ; OK
