@ 6 filter INPUT
-m rt --rt-type 0 ; = ; OK
-m rt ! --rt-type 2 --rt-segsleft 1:3 ! --rt-len 8 ; = ; OK
-m rt --rt-type 0 --rt-segsleft 0 --rt-0-res ; = ; OK
-m rt --rt-segsleft 5:3 ; = ; OK
-m rt --rt-0-res ;  ; FAIL
-m rt ! --rt-segsleft 5 ; = ; OK
-m rt --rt-type 0 --rt-0-addrs 2001:db8::1,2001:db8::2 ; = ; OK
-m rt --rt-type 0 --rt-0-addrs 2001:db8::1 --rt-0-not-strict ; = ; OK
