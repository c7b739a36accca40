"""A failure is recorded and the rest go on, wherever the jobs run."""
