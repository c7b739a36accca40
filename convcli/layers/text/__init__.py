"""How layers are typed and said: chains, pools, sizes, and the formulas with their numbers."""
