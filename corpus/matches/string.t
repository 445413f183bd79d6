@ 4 filter INPUT
-m string --algo bm --string "a word" ; -m string --string "a word" --algo bm ; OK
-m string --algo kmp --from 5 --to 10 ! --string abc --icase ; -m string ! --string "abc" --algo kmp --from 5 --to 10 --icase ; OK
-m string --algo bm --hex-string "|00 ff|ab" ; -m string --hex-string "|00ff6162|" --algo bm ; OK
-m string --algo bm --hex-string "|6162|" ; -m string --string "ab" --algo bm ; OK
-m string --algo bm ! --hex-string "|00|" ; -m string ! --hex-string "|00|" --algo bm ; OK
-m string --algo bm --string "say \"x\"" ; -m string --string "say \"x\"" --algo bm ; OK
-m string --string abc ;  ; FAIL
-m string --algo other --string abc ;  ; LOAD
-m string --algo bm ;  ; FAIL
