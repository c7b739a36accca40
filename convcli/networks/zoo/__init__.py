"""Published networks by name: `index.py` lists them, `build.py` builds them from the file of their family."""
