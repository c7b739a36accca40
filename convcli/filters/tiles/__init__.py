"""Compute stages tile by tile: the input region of each stage, the plan of the tiles, and the loop over them."""
