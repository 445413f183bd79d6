@ 4 filter INPUT
-m addrtype --dst-type LOCAL ; = ; OK
-m addrtype --src-type UNICAST,LOCAL ! --dst-type MULTICAST ; = ; OK
-m addrtype --dst-type local,broadcast ; -m addrtype --dst-type LOCAL,BROADCAST ; OK
-m addrtype --dst-type LOCAL --limit-iface-in ; = ; OK
-m addrtype --dst-type LOCAL --limit-iface-out ;  ; LOAD
-m addrtype --dst-type NONSENSE ;  ; FAIL
-m addrtype --limit-iface-in ;  ; FAIL
-m addrtype ;  ; FAIL
@ 6 filter INPUT
-m addrtype --dst-type LOCAL ; = ; OK
-m addrtype --dst-type UNICAST,LOCAL ; = ; OK
-m addrtype ! --src-type MULTICAST ; = ; OK
-m addrtype --dst-type BROADCAST ;  ; LOAD
-m addrtype --dst-type THROW ;  ; LOAD

# Meaning.
@ 4 filter INPUT
# src_type, dst_type: UNICAST 1, LOCAL 2, BROADCAST 3, ANYCAST 4, MULTICAST 5.
match -m addrtype --dst-type LOCAL ;; dst=192.0.2.1 dst_type=2 -> yes
match -m addrtype --dst-type LOCAL ;; dst=192.0.2.1 dst_type=1 -> no
match -m addrtype ! --dst-type LOCAL ;; dst=192.0.2.1 dst_type=1 -> yes
match -m addrtype --dst-type LOCAL,BROADCAST ;; dst=192.0.2.255 dst_type=3 -> yes
match -m addrtype --dst-type MULTICAST ;; dst=224.0.0.1 dst_type=5 -> yes
match -m addrtype --dst-type BROADCAST ;; dst=255.255.255.255 dst_type=3 -> yes
match -m addrtype --src-type UNICAST ;; src=0.0.0.0 src_type=3 -> no
match -m addrtype --src-type UNICAST --dst-type LOCAL ;; src=10.0.0.1 src_type=1 dst=10.0.0.2 dst_type=2 -> yes
match -m addrtype --dst-type LOCAL --limit-iface-in ;; dst=192.0.2.1 dst_type=2 -> unknown
match -m addrtype --dst-type LOCAL --limit-iface-in ;; dst=192.0.2.1 dst_type=1 -> no
match -m addrtype --dst-type UNICAST --limit-iface-in ;; dst=192.0.2.1 dst_type=2 -> unknown
match -m addrtype --dst-type MULTICAST --limit-iface-in ;; dst=224.0.0.1 dst_type=5 -> yes
@ 6 filter INPUT
# A list means all of its types: an own address is UNICAST too.
match -m addrtype --dst-type UNICAST,LOCAL ;; dst=2001:db8::1 dst_type=2 -> yes
match -m addrtype --dst-type UNICAST,LOCAL ;; dst=2001:db8::1 dst_type=1 -> no
match -m addrtype --dst-type UNICAST ;; dst=2001:db8::1 dst_type=2 -> yes
match -m addrtype --dst-type MULTICAST ;; dst=ff02::1 dst_type=5 -> yes
match -m addrtype --src-type UNSPEC ;; src=:: -> yes
match -m addrtype --src-type UNICAST ;; src=:: -> no
