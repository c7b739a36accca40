"""What a kernel, a picture or two of them are: rank, response, match, difference, equivariance, trials."""
