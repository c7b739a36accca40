"""Options, each declared once, that reach a command as one record."""
