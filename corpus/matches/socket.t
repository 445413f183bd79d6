@ 46 mangle PREROUTING
-m socket ; = ; OK
-m socket --transparent --nowildcard --restore-skmark ; = ; OK
@ 4 filter INPUT
-m socket ; = ; OK
