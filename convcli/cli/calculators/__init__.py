"""The shared parts of the calculators: their questions, and the rows and lines of their answers."""
