"""What a kernel, a picture or two of them are."""
