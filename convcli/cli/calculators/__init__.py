"""What the calculators share: what is asked of them, and the rows and lines that answer it."""
