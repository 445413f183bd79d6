@ 4 filter INPUT
-j RATEEST --rateest-name x --rateest-interval 250.0ms --rateest-ewmalog 500.0ms ; = ; OK
