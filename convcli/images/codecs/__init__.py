"""Read and write formats that Pillow does not fully support, and check their files against the limits."""
