@ 46 filter INPUT
-m mac --mac-source 0:1:2:3:4:af ; -m mac --mac-source 00:01:02:03:04:af ; OK
-m mac ! --mac-source 00:01:02:03:04:AF ; -m mac ! --mac-source 00:01:02:03:04:af ; OK
-m mac --mac-source 00:01:02:03:04 ;  ; FAIL
-m mac --mac-source XX:01:02:03:04:05 ;  ; FAIL
-m mac ;  ; FAIL
@ 4 filter OUTPUT
-m mac --mac-source 00:01:02:03:04:05 ;  ; LOAD

# Meaning.
@ 46 filter INPUT
match -m mac --mac-source 00:01:02:03:04:05 ;; has_mac=1 mac=0x000102030405 -> yes
match -m mac ! --mac-source 00:01:02:03:04:05 ;; has_mac=1 mac=0x000102030406 -> yes
match -m mac ! --mac-source 00:01:02:03:04:05 ;; has_mac=0 -> no
