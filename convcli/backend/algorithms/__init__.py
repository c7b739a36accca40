"""The algorithms of correlation (shifts, matrix products, factors, transforms) and the choice of the fastest one."""
