"""Fast filtering of pictures: bands of rows that fit in cache, computed in parallel on threads."""
