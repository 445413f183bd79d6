@ 6 filter INPUT
-m frag --fragid 5:6 ! --fraglen 8 --fragfirst --fragmore ; = ; OK
-m frag --fraglast --fragmore ;  ; FAIL
-m frag ! --fragid 5 ; = ; OK
-m frag --fragid 5 --fragres ; = ; OK
