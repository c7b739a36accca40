"""Rounding of channel counts in networks that are scaled in width."""

DIVISOR = 8


def rounded(channels: float) -> int:
    """Return the multiple of 8 nearest to a number of channels, at least 8, and never less than 90 % of it.

    This is the rule of MobileNet v2's authors (`_make_divisible` in TF-slim), which torchvision follows.

    >>> rounded(32 * 1.4), rounded(12.0), rounded(10.0)
    (48, 16, 16)
    """
    found = max(DIVISOR, int(channels + DIVISOR / 2) // DIVISOR * DIVISOR)
    return found + DIVISOR if found < 0.9 * channels else found
