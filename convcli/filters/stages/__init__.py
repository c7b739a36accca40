"""The stages of a filter: every variant of a convolution on pictures, then activations and pools."""
