"""Named kernels as plain numbers, and the grammar that spells them."""
