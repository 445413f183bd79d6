@ 46 filter INPUT
-p ipcomp -m ipcomp --ipcompspi 5 ; = ; OK

@ 4 filter INPUT
-p ipcomp -m ipcomp ! --ipcompspi 5 ; = ; OK
-p ipcomp -m ipcomp --ipcompspi 5 --compres ; = ; OK
