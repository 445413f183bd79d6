@ 4 filter INPUT
-p tcp -m osf --genre Linux --ttl 1 ; = ; OK
