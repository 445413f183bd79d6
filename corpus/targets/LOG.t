@ 46 filter INPUT
-j LOG ; = ; OK
-j LOG --log-prefix "dropped: " --log-level debug ; -j LOG --log-prefix "dropped: " --log-level 7 ; OK
-j LOG --log-level warning ; -j LOG ; OK
-j LOG --log-level 0 --log-uid --log-ip-options --log-tcp-options --log-tcp-sequence --log-macdecode ; -j LOG --log-level 0 --log-tcp-sequence --log-tcp-options --log-ip-options --log-uid --log-macdecode ; OK
-j LOG --log-prefix 123456789012345678901234567890 ; -j LOG --log-prefix 12345678901234567890123456789 ; OK
-j LOG --log-level 8 ;  ; FAIL
-j LOG --log-level loud ;  ; FAIL
