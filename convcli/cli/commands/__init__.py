"""The commands, one file each, with the name of the command."""
