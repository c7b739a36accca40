"""How one correlation is done: by shifts, matrix products, factors or transforms, and which is the quickest."""
