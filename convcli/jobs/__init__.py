"""Files in, files out: which pictures a run takes, where each goes, and the one job that reads and writes them."""
