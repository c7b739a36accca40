"""Analysis of kernels and pictures: rank, frequency response, matching, differences, equivariance and trials."""
