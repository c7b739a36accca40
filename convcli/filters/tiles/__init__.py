"""Stages computed tile by tile: which region each needs of the one before, the plan of the tiles, and their loop."""
