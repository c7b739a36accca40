"""Metadata of picture files: read, adjusted when the pixels change, and written or reported as lost."""
