"""Published networks by name: `index.py` lists them, `build.py` builds them with the module of their family."""
