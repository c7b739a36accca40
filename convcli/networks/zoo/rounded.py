"""Channels of networks that are made wider or narrower."""

DIVISOR = 8


def rounded(channels: float) -> int:
    """Return the multiple of 8 next to a number of channels, 8 at least, and never less than 90 % of it.

    The rule of MobileNet v2's authors (`_make_divisible` of TF-slim), which torchvision follows.

    >>> rounded(32 * 1.4), rounded(12.0), rounded(10.0)
    (48, 16, 16)
    """
    found = max(DIVISOR, int(channels + DIVISOR / 2) // DIVISOR * DIVISOR)
    return found + DIVISOR if found < 0.9 * channels else found
