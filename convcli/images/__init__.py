"""Convert picture files to arrays and back; the only package that imports Pillow for files."""
