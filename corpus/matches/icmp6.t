@ 6 filter INPUT
-p icmpv6 --icmpv6-type echo-request ; -p ipv6-icmp -m icmp6 --icmpv6-type 128 ; OK
-p ipv6-icmp -m icmp6 ! --icmpv6-type 133 ; = ; OK
-p icmpv6 --icmpv6-type no-route ; -p ipv6-icmp -m icmp6 --icmpv6-type 1/0 ; OK
-p icmpv6 --icmpv6-type 255 ; -p ipv6-icmp -m icmp6 --icmpv6-type 255 ; OK
-p icmpv6 --icmpv6-type neighbor-solicitation ; -p ipv6-icmp -m icmp6 --icmpv6-type 135 ; OK
-p icmpv6 --icmpv6-type any ;  ; FAIL
-p icmpv6 --icmpv6-type 1/256 ;  ; FAIL
-m icmp6 --icmpv6-type 128 ;  ; LOAD

# Meaning.
@ 6 filter INPUT
# A name that only newer versions know.
-p ipv6-icmp --icmpv6-type mld-listener-query ; ; FAIL
match -p ipv6-icmp --icmpv6-type 128 ;; proto=58 type=128 -> yes
match -p ipv6-icmp --icmpv6-type 1/4 ;; proto=58 type=1 code=3 -> no
# Unlike IPv4's, type 255 is a type like any other.
match -p ipv6-icmp --icmpv6-type 255 ;; proto=58 type=128 -> no
match -p ipv6-icmp ! --icmpv6-type 255 ;; proto=58 type=128 -> yes
match -p ipv6-icmp --icmpv6-type 128 ;; proto=58 type=128 truncated=2 -> drop
