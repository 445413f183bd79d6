@ 4 mangle PREROUTING
-p tcp -j TPROXY --on-port 80 ; -p tcp -j TPROXY --on-port 80 --on-ip 0.0.0.0 --tproxy-mark 0x0/0x0 ; OK
-p tcp -j TPROXY --on-port 80 --on-ip 192.0.2.1 --tproxy-mark 1/3 ; -p tcp -j TPROXY --on-port 80 --on-ip 192.0.2.1 --tproxy-mark 0x1/0x3 ; OK
-p tcp -j TPROXY --on-ip 192.0.2.1 ;  ; FAIL
-j TPROXY --on-port 80 ;  ; LOAD
