@ 6 filter INPUT
-m eui64 ; = ; OK
