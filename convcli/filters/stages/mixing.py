"""Named matrices that mix the channels of each pixel: weights of pointwise convolutions."""

Mixing = tuple[tuple[float, ...], ...]  # (out_channels, in_channels)

MIXINGS: dict[str, Mixing] = {
    # ITU-R BT.601-7, section 2.5.1: E'Y = 0.299 E'R + 0.587 E'G + 0.114 E'B, the weights of Pillow's L.
    "luma": ((0.299, 0.587, 0.114),),
    # Filter Effects Module Level 1 (W3C), the sepia() shorthand at an amount of 1: feColorMatrix.
    "sepia": (
        (0.393, 0.769, 0.189),
        (0.349, 0.686, 0.168),
        (0.272, 0.534, 0.131),
    ),
    "swap-rb": (
        (0, 0, 1),
        (0, 1, 0),
        (1, 0, 0),
    ),
}
