"""NumPy runs a layer: arrays in, arrays out."""
