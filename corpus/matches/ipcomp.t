@ 46 filter INPUT
-p ipcomp -m ipcomp --ipcompspi 5 ; = ; OK
