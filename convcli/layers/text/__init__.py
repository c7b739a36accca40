"""Layers as text: the grammar of chains, pools and sizes, and formulas with their numbers."""
