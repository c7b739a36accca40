"""Declarations of the options; options that belong together reach a command as one record."""
