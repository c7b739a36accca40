"""The size of a picture in messages."""

from collections.abc import Sequence


def size_in_words(shape: Sequence[int]) -> str:
    """Return the size of a picture of shape (H, W, ...), with both numbers named.

    Pictures are written as width x height, arrays and kernels as rows x columns; numbers with their names are read
    correctly by everyone.

    >>> size_in_words((320, 400, 3))
    '400 wide and 320 high'
    """
    height, width, *_ = shape
    return f"{width} wide and {height} high"
