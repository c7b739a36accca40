"""Formats that take more than Pillow gives: how their files are read, written, and held against the limits."""
