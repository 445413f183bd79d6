@ 46 filter INPUT
-p tcp -j SYNPROXY --sack-perm --timestamp --wscale 7 --mss 1460 ; = ; OK
-j SYNPROXY ;  ; LOAD

@ 4 filter INPUT
-p tcp -j SYNPROXY --sack-perm --timestamp --wscale 7 --mss 1460 --ecn ; = ; OK
