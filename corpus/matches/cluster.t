@ 4 filter INPUT
-m cluster --cluster-total-nodes 2 --cluster-local-node 1 --cluster-hash-seed 5 ; -m cluster --cluster-local-nodemask 0x00000001 --cluster-total-nodes 2 --cluster-hash-seed 0x00000005 ; OK
-m cluster --cluster-total-nodes 2 --cluster-local-node 3 --cluster-hash-seed 5 ;  ; FAIL
-m cluster --cluster-total-nodes 2 ! --cluster-local-node 1 --cluster-hash-seed 1 ; -m cluster ! --cluster-local-nodemask 0x00000001 --cluster-total-nodes 2 --cluster-hash-seed 0x00000001 ; OK
-m cluster --cluster-total-nodes 2 ! --cluster-local-nodemask 1 --cluster-hash-seed 1 ; -m cluster ! --cluster-local-nodemask 0x00000001 --cluster-total-nodes 2 --cluster-hash-seed 0x00000001 ; OK
