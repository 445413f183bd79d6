@ 46 mangle PREROUTING
-m rpfilter ; = ; OK
-m rpfilter --loose --validmark --accept-local --invert ; = ; OK
@ 4 filter INPUT
-m rpfilter ;  ; LOAD
