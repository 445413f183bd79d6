@ 46 filter INPUT
-m connlabel --label 5 --set ; -m connlabel --label "5" --set ; OK
-m connlabel ! --label 7 ; -m connlabel ! --label "7" ; OK
-m connlabel ;  ; FAIL
