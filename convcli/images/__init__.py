"""Files to arrays and back: the only importer of Pillow."""
