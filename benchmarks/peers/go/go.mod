module kumihimo/peers

go 1.22
