"""Published networks by name: `index.py` lists them, one file a family builds them."""
