"""Pixel aspect ratios as integers, for formats that store no other numbers."""


def whole_ratio(sides: tuple[float, float], largest: int) -> tuple[int, int]:
    """Return two integers in the ratio of two numbers; integers that are not too large are returned unchanged.

    >>> whole_ratio((2.0, 1.0), 65535), whole_ratio((0.5, 0.75), 65535)
    ((2, 1), (2, 3))
    """
    across, down = sides
    if across == int(across) and down == int(down) and max(across, down) <= largest:
        return int(across), int(down)
    from fractions import Fraction  # rare, and slow to import

    ratio = Fraction(across / down).limit_denominator(10000)
    return ratio.numerator, ratio.denominator
