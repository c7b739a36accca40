"""Learn kernels from pictures: by least squares, by gradient descent, and by clustering patches."""
