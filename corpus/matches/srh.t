@ 6 filter INPUT
-m srh --srh-next-hdr 17 --srh-segs-left-eq 2 ; = ; OK
