"""Checks and conversions of the operators' arguments; errors show the shape that would be right."""

import os
from collections.abc import Iterable, Sequence
from math import prod
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from convcli.errors import ArgumentError, instead_of
from convcli.layers.axes import Sizes, axis_names, infer_dims
from convcli.layers.padding import Pads, Pair

Array = NDArray[Any]

SMALL = 1 << 26  # bytes; smaller arrays are not checked against the memory
_WIDEST = {"reflect": 1, "symmetric": 0, "circular": 0}  # the padding may be at most n - this


def as_array(name: str, value: ArrayLike, kinds: str = "biufc") -> Array:
    """Return `value` as an array of numbers in native byte order; `kinds` are the allowed NumPy dtype kinds."""
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise ArgumentError(f"{name} is not an array: {error}") from None
    if array.dtype.kind not in kinds:
        words = {"b": "bool", "i": "integers", "f": "floats", "c": "complex numbers"}
        wanted = " or ".join(", ".join(words[kind] for kind in kinds if kind in words).rsplit(", ", 1))
        raise ArgumentError(f"{name} has dtype {array.dtype}; it must hold {wanted}")
    return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))


def one_of(name: str, value: str, choices: Iterable[str]) -> str:
    """Return `value` if it is one of `choices`; else raise ArgumentError with a suggestion."""
    choices = tuple(choices)
    if value in choices:
        return value
    raise ArgumentError(f"there is no {name} {value!r}; {instead_of(str(value), choices)}")


def check_border(mode: str, pads: Sequence[Pair], size: Sequence[int]) -> None:
    """Raise ArgumentError if the padding is wider than the mode can fill from the input."""
    if mode not in _WIDEST:
        return
    for axis, (pair, n) in enumerate(zip(pads, size, strict=True)):
        widest = n - _WIDEST[mode]
        if max(pair) > widest:
            raise ArgumentError(
                f"padding_mode {mode!r} allows a padding of at most {widest} along the "
                f"{axis_names(len(size))[axis]} {n}, but it is {pair[0]} before and {pair[1]} after; "
                f"pad less, or use 'replicate' or 'zeros'"
            )


def spatial_axes(x: Array, name: str, *options: object) -> int:
    """Return the number of spatial axes of x: the length of an option, or x.ndim - 2.

    An array of three axes may be one item with two spatial axes, or a batch of items with one; only an option can tell
    which. `name` is the option that the error suggests.
    """
    dims = infer_dims(*options, default=-1)
    if dims >= 0:
        return dims
    if x.ndim == 3:
        raise ArgumentError(
            f"x has shape {x.shape}, which may be (N, C, length) or (C, height, width); give {name} per axis to say "
            f"which: one number, such as {name}=(2,), or two, such as {name}=(2, 2)"
        )
    return x.ndim - 2


def memory() -> int:
    """Return the bytes of memory that this process can use: that of the machine, or its resource limit."""
    sizes = [1 << 50]  # if the size is unknown
    try:
        import resource

        sizes += resource.getrlimit(resource.RLIMIT_AS)
        sizes.append(abs(os.sysconf("SC_PAGE_SIZE")) * os.sysconf("SC_PHYS_PAGES"))
    except (ImportError, OSError, ValueError):
        pass
    return min(size for size in sizes if size > 0)  # an unknown size or missing limit is -1


def check_room(name: str, shape: Sequence[int], dtype: np.dtype[Any]) -> None:
    """Raise ArgumentError if an array would be larger than the memory, before any work is done."""
    size = prod(shape) * dtype.itemsize
    if size > SMALL and size > (room := memory()):
        raise ArgumentError(
            f"{name} would have shape {tuple(shape)}, {prod(shape):,} elements of {dtype}, more than the "
            f"{room / 2**30:.1f} GiB of memory can hold; make it smaller"
        )


def check_walk(x: Array, pads: Pads, output_size: Sizes, channels: int) -> None:
    """Raise ArgumentError if the padded x, (N, C, *spatial), or the output would be larger than the memory."""
    padded = [n + sum(pair) for n, pair in zip(x.shape[2:], pads, strict=True)]
    check_room("the padded x", (*x.shape[:2], *padded), x.dtype)
    check_room("the output", (len(x), channels, *output_size), x.dtype)


def as_batch(x: Array, dims: int, why: str) -> tuple[Array, bool]:
    """Return x as (N, C, *spatial), and whether it had no batch axis; `why` describes the source of `dims`."""
    if dims < 1:
        raise ArgumentError(f"x has shape {x.shape}; it must be (N, C, *spatial), with at least 3 axes")
    if x.ndim not in (dims + 1, dims + 2):
        axes = f"{dims} spatial {'axis' if dims == 1 else 'axes'}"
        raise ArgumentError(
            f"x has shape {x.shape}; {why} has {axes}, so x must be (N, C, *spatial) with {dims + 2} axes, "
            f"or (C, *spatial) with {dims + 1}"
        )
    alone = x.ndim == dims + 1
    x = x[np.newaxis] if alone else x
    if 0 in x.shape[1:]:
        raise ArgumentError(
            f"x has shape {x.shape}; only the batch axis may be empty, all others need at least 1 element"
        )
    return x, alone


def as_bias(value: ArrayLike | None, *shapes: tuple[int, ...]) -> Array:
    """Return the bias as an array of one of the shapes; if it is None, zeros of the first shape."""
    if value is None:
        return np.zeros(shapes[0], bool)
    bias = as_array("bias", value)
    check_shape("bias", bias, *shapes, why="this weight")
    return bias


def as_padding_value(value: complex, mode: str, *arrays: Array) -> Array:
    """Return the value of a constant border as a 0-d array whose dtype does not change the arrays' result type."""
    if mode != "constant":
        if value:
            raise ArgumentError(
                f"padding_value {value} applies only to padding_mode 'constant', not {mode!r}"
            )
        return np.zeros((), bool)
    dtype = np.result_type(*arrays)
    number = complex(value)
    if any(array.dtype.kind in "fc" for array in arrays):
        if number.imag and dtype.kind == "f":
            raise ArgumentError(
                f"padding_value {value} is complex, but the arrays are {dtype}; give a real number"
            )
        with np.errstate(over="ignore"):
            return np.asarray(number if dtype.kind == "c" else number.real).astype(dtype)
    if number.imag or not number.real.is_integer():
        raise ArgumentError(
            f"padding_value {value} is not a whole number, but the arrays hold integers; convert x to float64"
        )
    return np.asarray(int(value.real))


def check_weight(weight: Array, layout: str, least: int) -> None:
    """Raise ArgumentError if a weight has too few axes or an empty one; `layout` names its axes."""
    if weight.ndim < least:
        raise ArgumentError(
            f"weight has shape {weight.shape}; it must be {layout}, with at least {least} axes"
        )
    if 0 in weight.shape:
        raise ArgumentError(f"weight has shape {weight.shape}; every axis must have at least 1 element")


def check_channels(x: Sequence[int], weight: Sequence[int], groups: int) -> None:
    """Raise ArgumentError if the channels of x do not match a weight (out_channels, in_channels / groups, *kernel)."""
    channels, (outputs, inputs) = x[1], weight[:2]
    if channels != inputs * groups:
        way = f"x must be {_put(x, 1, inputs * groups)}"
        if channels % groups == 0:
            way += f", or weight {_put(weight, 1, channels // groups)}"
        raise ArgumentError(
            f"x {x} has {channels} channels, weight {weight} takes {inputs}"
            f"{f' x {groups} groups = {inputs * groups}' if groups > 1 else ''}: {way}"
        )
    if outputs % groups:
        raise ArgumentError(
            f"weight {weight} has {outputs} output channels, which cannot be divided into {groups} "
            f"equal groups: its first axis must be a multiple of that, such as {-(-outputs // groups) * groups}"
        )


def check_shape(name: str, array: Array, *shapes: tuple[int, ...], why: str = "") -> None:
    """Raise ArgumentError if an array has none of the shapes; `why` describes what requires them."""
    if array.shape not in shapes:
        wanted = " or ".join(map(str, shapes))
        raise ArgumentError(f"{name} has shape {array.shape}; {why or 'it'} needs {wanted}")


def _put(shape: Sequence[int], axis: int, size: int) -> tuple[int, ...]:
    return (*shape[:axis], size, *shape[axis + 1 :])
