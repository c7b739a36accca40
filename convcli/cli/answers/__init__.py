"""What calculators are asked, and the rows and lines that answer it."""
