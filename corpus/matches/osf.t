@ 4 filter INPUT
-p tcp -m osf --genre Linux --ttl 1 ; = ; OK
-p tcp -m osf ! --genre Linux ; = ; OK
-p tcp -m osf --genre Linux --ttl 2 --log 1 ; = ; OK
