@ 46 filter INPUT
-m time --timestart 01:02 --timestop 23:00 --weekdays Mon,Tue ; -m time --timestart 01:02:00 --timestop 23:00:00 --weekdays Mon,Tue --datestop 2038-01-19T03:14:07 ; OK
-m time --weekdays 6,7 --kerneltz ; -m time --weekdays Sat,Sun --datestop 2038-01-19T03:14:07 --kerneltz ; OK
-m time --datestart 2020-01-02 --datestop 2021-01-01T05:00:00 --contiguous --timestart 22:00 --timestop 5:00 ; -m time --timestart 22:00:00 --timestop 05:00:00 --datestart 2020-01-02T00:00:00 --datestop 2021-01-01T05:00:00 --contiguous ; OK
-m time ! --monthdays 1,5 ; -m time --monthdays 2,3,4,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31 --datestop 2038-01-19T03:14:07 ; OK
-m time ! --weekdays Mon ; -m time --weekdays Tue,Wed,Thu,Fri,Sat,Sun --datestop 2038-01-19T03:14:07 ; OK
-m time --timestart 25:00 ;  ; FAIL
-m time --monthdays 32 ;  ; FAIL
-m time --weekdays Foo ;  ; FAIL
