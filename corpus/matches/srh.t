@ 6 filter INPUT
-m srh --srh-next-hdr 17 --srh-segs-left-eq 2 ; = ; OK
-m srh ! --srh-next-hdr 17 ! --srh-hdr-len-eq 8 ! --srh-segs-left-eq 2 ! --srh-last-entry-eq 4 ! --srh-tag 3 ; = ; OK
-m srh ! --srh-hdr-len-gt 8 ! --srh-segs-left-gt 2 ! --srh-last-entry-gt 4 ; = ; OK
-m srh ! --srh-hdr-len-lt 8 ! --srh-segs-left-lt 2 ! --srh-last-entry-lt 4 ; = ; OK
-m srh ! --srh-psid 2001:db8::/64 ! --srh-nsid 2001:db8:1::/64 ! --srh-lsid 2001:db8:2::/64 ; = ; OK
-m srh --srh-next-hdr 256 ;  ; FAIL
-m srh --srh-next-hdr tcp ;  ; FAIL
-m srh --srh-next-hdr 0x11 ; -m srh --srh-next-hdr 17 ; OK
