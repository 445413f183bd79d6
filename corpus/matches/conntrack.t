@ 46 filter INPUT
-m conntrack --ctstate RELATED,ESTABLISHED ; = ; OK
-m conntrack --ctstate ESTABLISHED,RELATED ; -m conntrack --ctstate RELATED,ESTABLISHED ; OK
-m conntrack ! --ctstate NEW,UNTRACKED ; = ; OK
-m conntrack --ctstate DN,inv,new ; -m conntrack --ctstate INVALID,NEW,DNAT ; OK
-m conntrack --ctstate SNAT,DNAT ; = ; OK
-m conntrack --ctproto tcp ; -m conntrack --ctproto 6 ; OK
-m conntrack ! --ctproto 17 ; = ; OK
-m conntrack --ctproto 0 ; = ; OK
-m conntrack --ctorigsrcport 5:10 ; = ; OK
-m conntrack ! --ctorigdstport 5 ; = ; OK
-m conntrack --ctreplsrcport 5 --ctrepldstport 7 ; = ; OK
-m conntrack --ctorigsrcport 10:5 ; = ; OK
-m conntrack --ctstatus NONE ; = ; OK
-m conntrack --ctstatus ASSURED,EXPECTED ; -m conntrack --ctstatus EXPECTED,ASSURED ; OK
-m conntrack ! --ctstatus SEEN_REPLY,CONFIRMED ; = ; OK
-m conntrack --ctexpire 5 ; = ; OK
-m conntrack ! --ctexpire 5:10 ; = ; OK
-m conntrack --ctexpire 10:5 ; = ; OK
-m conntrack --ctdir original ; -m conntrack --ctdir ORIGINAL ; OK
-m conntrack --ctdir REPLY --ctstate NEW ; -m conntrack --ctstate NEW --ctdir REPLY ; OK
-m conntrack ! --ctdir REPLY ;  ; FAIL
-m conntrack --ctdir BOTH ;  ; FAIL
-m conntrack --ctstate nonsense ;  ; FAIL
-m conntrack --ctstatus nonsense ;  ; FAIL
-m conntrack ;  ; FAIL
-m conntrack --ctstate NEW --ctstate INVALID ;  ; FAIL
@ 4 filter INPUT
-m conntrack --ctorigsrc 10.0.0.1/8 ! --ctorigdst 192.0.2.1 ; = ; OK
-m conntrack --ctreplsrc 0.0.0.0/0 --ctrepldst 192.0.2.0/255.255.255.0 ; -m conntrack --ctreplsrc 0.0.0.0/0 --ctrepldst 192.0.2.0/24 ; OK
-m conntrack --ctreplsrc 0.0.0.9/0.0.0.255 ; -m conntrack --ctreplsrc 0.0.0.9 ; OK
-m conntrack --ctorigsrc 2001:db8::1 ;  ; FAIL
@ 6 filter INPUT
-m conntrack --ctorigsrc fe80::1/10 ; = ; OK
-m conntrack --ctreplsrc ::9/::ffff ; -m conntrack --ctreplsrc ::9 ; OK
-m conntrack ! --ctrepldst 2001:db8::1 ; = ; OK

# Meaning.
@ 46 filter INPUT
match -m conntrack --ctstate NEW,INVALID ;; ctstate=NEW -> yes
match -m conntrack --ctstate NEW,INVALID ;; ctstate=UNTRACKED -> no
match -m conntrack ! --ctstate NEW ;; ctstate=INVALID -> yes
match -m conntrack ! --ctstate NEW ;; ctstate=UNTRACKED -> yes
match -m conntrack --ctstate INVALID ;; ctstate=UNTRACKED -> no
# ctstatus bits: EXPECTED 1, SEEN_REPLY 2, ASSURED 4, CONFIRMED 8, SRC_NAT 16, DST_NAT 32.
match -m conntrack --ctstate DNAT ;; ctstate=NEW ctstatus=32 -> yes
match -m conntrack --ctstate DNAT ;; ctstate=NEW ctstatus=16 -> no
match -m conntrack --ctstate NEW,SNAT ;; ctstate=ESTABLISHED ctstatus=16 -> yes
match -m conntrack ! --ctstate SNAT,DNAT ;; ctstate=ESTABLISHED -> yes
# Without an entry nothing but --ctstate matches, inverted or not ...
match -m conntrack --ctproto 6 ;; ctstate=INVALID ctproto=6 -> no
match -m conntrack ! --ctproto 6 ;; ctstate=INVALID -> no
match -m conntrack ! --ctstatus ASSURED ;; ctstate=UNTRACKED -> no
match -m conntrack --ctdir ORIGINAL ;; ctstate=INVALID -> no
match -m conntrack --ctexpire 0: ;; ctstate=UNTRACKED -> no
# ... but beside a --ctstate that fits, the other tests are not looked at (measured: conntrack_mt).
match -m conntrack --ctstate UNTRACKED --ctproto 6 ;; ctstate=UNTRACKED -> yes
match -m conntrack ! --ctstate NEW --ctdir REPLY ;; ctstate=INVALID -> yes
match -m conntrack --ctstate ESTABLISHED --ctproto 6 ;; ctstate=ESTABLISHED ctproto=17 -> no
match -m conntrack --ctproto 6 --ctdir REPLY ;; ctstate=ESTABLISHED ctproto=6 ctdir=1 -> yes
match -m conntrack --ctdir ORIGINAL ;; ctstate=NEW ctdir=1 -> no
match -m conntrack --ctstatus NONE ;; ctstate=NEW ctstatus=0 -> no
match -m conntrack --ctstatus NONE ;; ctstate=NEW ctstatus=15 -> no
match -m conntrack ! --ctstatus NONE ;; ctstate=NEW ctstatus=15 -> yes
match -m conntrack --ctstatus EXPECTED,ASSURED ;; ctstate=NEW ctstatus=4 -> yes
match -m conntrack ! --ctstatus EXPECTED,ASSURED ;; ctstate=NEW ctstatus=8 -> yes
match -m conntrack --ctorigsrcport 5:10 ;; ctstate=NEW ctorigsrcport=7 -> yes
match -m conntrack ! --ctrepldstport 5 ;; ctstate=NEW ctrepldstport=5 -> no
match -m conntrack --ctexpire 5:10 ;; ctstate=NEW -> unknown
match -m conntrack ! --ctexpire 5:10 ;; ctstate=NEW -> unknown
@ 4 filter INPUT
match -m conntrack --ctorigsrc 10.0.0.1/8 ;; ctstate=NEW ctorigsrc=10.9.9.9 -> yes
match -m conntrack ! --ctorigdst 192.0.2.1 ;; ctstate=NEW ctorigdst=192.0.2.1 -> no
match -m conntrack ! --ctrepldst 192.0.2.0/24 ;; ctstate=NEW ctrepldst=192.0.3.1 -> yes
# A mask with holes counts as none: iptables reads a prefix length here.
-m conntrack --ctreplsrc 192.0.2.1/255.0.255.0 ; -m conntrack --ctreplsrc 192.0.2.1 ; OK
@ 4 filter INPUT
match -m conntrack --ctorigsrc 0.0.0.9/0.0.0.255 ;; ctstate=NEW ctorigsrc=192.0.2.9 -> no
