"""Pictures through kernels at speed: bands of rows that stay in cache, side by side on threads."""
