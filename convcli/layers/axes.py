"""Types, checks and normalisation of shapes, sizes and numbers that are given per axis."""

from collections.abc import Mapping, Sequence
from operator import index
from typing import Any, TypeGuard

from convcli.errors import ArgumentError

Shape = tuple[int, ...]  # (channels, *spatial)
Sizes = tuple[int, ...]  # one number per spatial axis
OpenShape = tuple[int | None, ...]  # a Shape in which None marks an unknown size
AnyShape = Sequence[int]  # accepted for Shape or Sizes: any sequence or array of integers
SizeOrShape = int | AnyShape  # a shape, or one size for all axes if the layer knows its channels
PerAxis = int | Sequence[int]  # accepted for Sizes: one integer for all axes, or a sequence or array of them

AXIS_NAMES = {1: ("length",), 2: ("height", "width"), 3: ("depth", "height", "width")}


def axis_names(dims: int) -> tuple[str, ...]:
    """Return the names of the spatial axes: (height, width) in 2-D, numbered axes beyond 3-D."""
    return AXIS_NAMES.get(dims) or tuple(f"axis {axis}" for axis in range(dims))


def by_axes(sizes: Sequence[int]) -> str:
    """Format sizes as they are typed, for example 3x3."""
    return "x".join(map(str, sizes))


def whole(name: str, value: Any, minimum: int) -> int:
    """Return `value` as an int of at least `minimum`, or raise ArgumentError; booleans are not accepted."""
    try:
        if isinstance(value, bool) or str(getattr(value, "dtype", "")) == "bool":
            raise TypeError
        number = index(value)
    except TypeError:
        raise ArgumentError(f"{name} must be a whole number, got {value!r}") from None
    if number < minimum:
        raise ArgumentError(f"{name} must be at least {minimum}, got {number}")
    return number


def is_sequence(value: object) -> TypeGuard[Sequence[Any]]:
    """Return whether a value is an ordered collection: a list, tuple or array, but not a string or mapping."""
    if isinstance(value, tuple | list):
        return True
    if isinstance(value, str | bytes | bytearray | Mapping):
        return False
    if not hasattr(value, "__len__") or not hasattr(value, "__getitem__"):
        return False
    return getattr(value, "shape", None) != ()  # a 0-d array is a single number


def infer_dims(*values: object, default: int = 2) -> int:
    """Return the number of spatial axes: the length of the first value that is a sequence."""
    for value in values:
        if is_sequence(value):
            return len(value)
    return default


def for_all(size: SizeOrShape, dims: int, *channels: int) -> Sequence[int]:
    """Return (*channels, *sizes) if `size` is one integer for all `dims` axes; return any other value unchanged."""
    if is_sequence(size) or isinstance(size, bool) or not hasattr(size, "__index__"):
        return size  # type: ignore[return-value]  # a sequence, or a value that the caller rejects
    return (*channels, *(int(size),) * dims)


def per_axis(name: str, value: PerAxis, dims: int, minimum: int = 1) -> Sizes:
    """Return one number for each of `dims` axes; a scalar is repeated."""
    if not is_sequence(value):
        return (whole(name, value, minimum),) * dims
    if len(value) != dims:
        raise ArgumentError(
            f"{name} {by_axes(value)} has {len(value)} axes where {dims} are needed; give one number, or one per axis"
        )
    return tuple(whole(name, item, minimum) for item in value)


def as_shape(input_shape: AnyShape) -> Shape:
    """Return the shape of an input, (channels, *sizes), as a tuple of ints of at least 1."""
    channels, size = split_shape(input_shape)
    return channels, *size


def as_open_shape(input_shape: Sequence[int | None]) -> OpenShape:
    """Return a shape whose sizes may be None (unknown); the number of channels must be known."""
    if not is_sequence(input_shape):
        raise ArgumentError(f"the input shape must be (channels, *sizes), got {input_shape!r}")
    unknown = {place for place, n in enumerate(input_shape) if n is None and place}
    filled: list[Any] = [1 if place in unknown else n for place, n in enumerate(input_shape)]
    known = as_shape(filled)
    return tuple(None if place in unknown else n for place, n in enumerate(known))


def needs_size(name: str) -> str:
    """Return the error message for a layer whose weights depend on the input size."""
    return f"the weights of {name} depend on the input size; give `input_shape`"


def split_shape(
    input_shape: AnyShape, takes: int | None = None, dims: int | None = None
) -> tuple[int, Sizes]:
    """Return (channels, sizes) of a shape, each at least 1.

    takes : the required number of channels, if any
    dims : the number of spatial axes, if known; a shape of as many numbers lacks the channels
    """
    if not is_sequence(input_shape):
        raise ArgumentError(f"the input shape must be (channels, *sizes), got {input_shape!r}")
    if len(input_shape) == 0:
        raise ArgumentError("the input shape is empty; it must be (channels, *sizes)")
    channels = whole("the input's channels", input_shape[0], 1)
    if takes not in (None, channels):
        raise ArgumentError(
            f"the input has {channels} channels, the layer takes {takes}{_way(input_shape, takes, dims)}"
        )
    return channels, input_sizes(input_shape[1:])


def _way(input_shape: AnyShape, takes: int | None, dims: int | None) -> str:
    """Return the shape that was meant, if the channels are missing."""
    if takes is None or len(input_shape) != dims:
        return ""
    return f"; give ({takes}, {', '.join(map(str, input_shape))})"


def input_sizes(input_size: AnyShape) -> Sizes:
    """Return the spatial sizes as ints of at least 1."""
    if type(input_size) is tuple and all(type(n) is int and n > 0 for n in input_size):
        return input_size
    if not is_sequence(input_size):
        raise ArgumentError(f"the input size must be a sequence with one number per axis, got {input_size!r}")
    names = axis_names(len(input_size))
    return tuple(whole(f"the input's {name}", n, 1) for name, n in zip(names, input_size, strict=True))
