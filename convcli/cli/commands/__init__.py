"""The commands, one file each, named as they are typed: options in, an answer or files out."""
