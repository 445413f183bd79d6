@ 4 filter INPUT
-m iprange --src-range 192.0.2.1-192.0.2.9 ; = ; OK
-m iprange --dst-range 192.0.2.1 ; -m iprange --dst-range 192.0.2.1-192.0.2.1 ; OK
-m iprange ! --dst-range 192.0.2.1-192.0.2.9 --src-range 10.0.0.0-10.0.0.255 ; -m iprange --src-range 10.0.0.0-10.0.0.255 ! --dst-range 192.0.2.1-192.0.2.9 ; OK
-m iprange --src-range 192.0.2.9-192.0.2.1 ; = ; OK
-m iprange --src-range 192.0.2.1-2001:db8::1 ;  ; FAIL
-m iprange ;  ; FAIL
@ 6 filter INPUT
-m iprange --src-range 2001:db8::1-2001:db8::9 ; = ; OK

# Meaning.
@ 4 filter INPUT
match -m iprange --src-range 192.0.2.1-192.0.2.9 ;; src=192.0.2.9 -> yes
match -m iprange --src-range 192.0.2.1-192.0.2.9 ;; src=192.0.2.10 -> no
match -m iprange ! --src-range 192.0.2.1-192.0.2.9 ;; src=192.0.2.10 -> yes
match -m iprange --src-range 192.0.2.9-192.0.2.1 ;; src=192.0.2.5 -> no
match -m iprange ! --src-range 192.0.2.9-192.0.2.1 ;; src=192.0.2.5 -> yes
match -m iprange --src-range 0.0.0.0-255.255.255.255 --dst-range 10.0.0.1 ;; dst=10.0.0.2 -> no
@ 6 filter INPUT
match -m iprange --dst-range 2001:db8::1-2001:db8::ff ;; dst=2001:db8::80 -> yes
match -m iprange --dst-range 2001:db8::1-2001:db8::ff ;; dst=2001:db8::100 -> no
