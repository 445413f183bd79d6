@ 4 filter INPUT
-m bpf --bytecode "4,48 0 0 9,21 0 1 6,6 0 0 1,6 0 0 0" ; = ; OK
-m bpf ;  ; FAIL
