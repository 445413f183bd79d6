@ 46 filter INPUT
-j RETURN ; = ; OK
