"""Find sizes with channels where there are none, and without them where there are."""

from collections.abc import Iterable
from typing import Any

from convcli.errors import ArgumentError
from convcli.layers.text.notation import format_size

CHANNELS = (1, 3, 4)  # of pictures
SPATIAL = "--n has spatial sizes only"


def channels_in_size(size: Any, other_sizes: Iterable[Any], dims: int | None) -> str:
    """Return a note about a size that looks like a picture with its channels; raise ArgumentError for a batch too.

    size : the value of --n, a number or one for each axis
    other_sizes : the values of the other options for each axis; one with as many axes confirms the number of axes
    dims : the number of spatial axes, if it was typed, which confirms it too

    >>> channels_in_size((3, 224, 224), [3], None).partition("; ")[2]
    'for 3 channels write --in 3 --n 224x224, for 3 axes --dims 3'
    >>> channels_in_size((3, 224, 224), [3], 3), channels_in_size((16, 112, 112), [3], None)
    ('', '')
    """
    if dims is not None or not isinstance(size, tuple) or len(size) not in (3, 4):
        return ""
    if any(isinstance(other, tuple) and len(other) == len(size) for other in other_sizes):
        return ""
    item = size[-3:]
    first, last = item[0], item[-1]
    if first in CHANNELS and min(item[1:]) > max(CHANNELS):
        channels, picture = first, item[1:]
    elif last in CHANNELS and min(item[:-1]) > max(CHANNELS):
        channels, picture = last, item[:-1]
    else:
        return ""
    way = f"for {channels} channel{'' if channels == 1 else 's'} write --in {channels} --n {format_size(picture)}"
    if len(size) == 4:
        raise ArgumentError(
            f"{SPATIAL}, and {format_size(size)} has a batch and channels; {way}, for 4 axes --dims 4"
        )
    return f"{SPATIAL}, and {format_size(size)} is taken as 3 axes; {way}, for 3 axes --dims 3"


def size_as_channels(shape: Any) -> str:
    """Return a note about the shape of a chain's input that looks like a picture without its channels.

    >>> size_as_channels((56, 56))
    '--input is channels x sizes, and 56x56 is taken as 56 channels on one axis; for a picture write --input 3x56x56'
    >>> size_as_channels((1, 16000)), size_as_channels((64, 56, 56))
    ('', '')
    """
    if not isinstance(shape, tuple) or len(shape) != 2 or min(shape) <= max(CHANNELS):
        return ""
    size = format_size(shape)
    return (
        f"--input is channels x sizes, and {size} is taken as {shape[0]} channels on one axis; for a picture write "
        f"--input 3x{size}"
    )
