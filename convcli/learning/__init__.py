"""Kernels out of pictures: by least squares, by gradient descent, and by clustering."""
