"""The stages of a filter: convolutions of every variant, activations and pools, applied to pictures."""
