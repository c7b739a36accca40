"""Read and write pictures as NumPy's .npy files: any real dtype, any number of channels, never unpickled."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from io import BytesIO
from math import prod
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from convcli.images.codecs.array_layout import arranged, arranged_shape, restored
from convcli.images.header import FrameHeader, Header
from convcli.images.modes import mode_of
from convcli.images.picture import Frame, ImageError, Picture
from convcli.images.samples import filtered_type
from convcli.images.stored_pixels import PlainPixels, SharedFile, StoredPixels
from convcli.npy import Header as NpyHeader
from convcli.npy import NpyError, check_length, read_header, read_values


def read_array(
    file: BinaryIO, name: str, choose: Callable[[int], Sequence[int]], max_pixels: int, layout: str = "hwc"
) -> Picture:
    """Return the array in a .npy file as a picture, or raise ImageError.

    `choose` is called with the number of frames and returns the indices of the requested ones.

    (W,) is one row of grey, (H, W) grey, (H, W, C) has C channels and (N, H, W, C) is N frames. 1 to 4 channels are
    grey, grey and alpha, RGB, and RGBA, as when they are written; more channels have no names. Booleans become 0 and
    255, float16 becomes float32, and 64-bit integers become 32-bit ones if they fit.
    """
    try:
        return _read(file, name, choose, max_pixels, layout)
    except NpyError as error:
        raise ImageError(f"cannot read {name}: {error}") from None


def picture_of(array: NDArray[Any], name: str, max_pixels: int, layout: str = "hwc") -> Picture:
    """Return an array in memory as the picture that its .npy file would be, or raise ImageError."""
    if layout != "hwc":
        array = arranged(array, layout, name)
    header = NpyHeader(array.shape, fortran_order=False, dtype=array.dtype, start=0)
    frames, numbers = _frames(header, name, range, max_pixels)
    return _picture(filtered_type(array.reshape(frames), name), numbers)


def array_header(
    file: BinaryIO, name: str, choose: Callable[[int], Sequence[int]], max_pixels: int, layout: str = "hwc"
) -> Header:
    """Return the header of the picture that `read_array` would return; 64-bit integers are assumed to fit 32 bits."""
    try:
        header = given = read_header(file)
        if layout != "hwc":
            given = header._replace(shape=arranged_shape(header.shape, layout, name))
        frames, numbers = _frames(given, name, choose, max_pixels)
        check_length(file, header)
    except NpyError as error:
        raise ImageError(f"cannot read {name}: {error}") from None
    dtype = filtered_type(np.zeros(1, header.dtype), name).dtype.name
    mode = mode_of(frames[3] if len(frames) == 4 else 1, dtype)
    apart = (
        dtype != header.dtype or header.fortran_order or len(numbers) < frames[0] or layout != "hwc"
    )  # needs a copy of the file's array
    working = prod(frames) * header.dtype.itemsize if apart else 0
    return Header((FrameHeader(frames[1:], mode, dtype, working=working),) * len(numbers), "NPY")


def _read(
    file: BinaryIO, name: str, choose: Callable[[int], Sequence[int]], max_pixels: int, layout: str
) -> Picture:
    header = read_header(file)
    if layout != "hwc":
        array = arranged(read_values(file, header), layout, name)
        frames, numbers = _frames(header._replace(shape=array.shape), name, choose, max_pixels)
        return _picture(filtered_type(array.reshape(frames), name), numbers)
    frames, numbers = _frames(header, name, choose, max_pixels)
    return _picture(filtered_type(read_values(file, header).reshape(frames), name), numbers)


def stored_array(file: BinaryIO, name: str, frame: int) -> tuple[StoredPixels, tuple[str, ...]] | None:
    """Return a frame of a .npy file as pixels that are read on demand, and the notes of `read_array`.

    None if all values have to be inspected first: 64-bit integers, which may fit 32 bits.
    """
    header = read_header(file)
    wide = header.dtype.kind in "iu" and header.dtype.itemsize == 8
    if wide or (header.fortran_order and len(header.shape) > 3):
        return None
    (count, *shape), _ = _frames(header, name, range, prod(header.shape))
    start = header.start + frame % count * prod(shape) * header.dtype.itemsize
    convert = partial(filtered_type, name=name)
    pixels = PlainPixels(
        SharedFile(file, name), start, tuple(shape), header.dtype, convert, fortran_order=header.fortran_order
    )
    return pixels, _notes(shape[2] if len(shape) == 3 else 1)


def _picture(array: NDArray[Any], numbers: Sequence[int]) -> Picture:
    """Return the frames of an array, (N, H, W) or (N, H, W, C), with the given indices as a picture."""
    count = array.shape[3] if array.ndim == 4 else 1
    mode = mode_of(count, array.dtype.name)
    pixels = [array[number] if len(numbers) == len(array) else array[number].copy() for number in numbers]
    return Picture(tuple(Frame(each, mode) for each in pixels), "NPY", notes=_notes(count))


def _notes(channels: int) -> tuple[str, ...]:
    if channels not in (2, 4):
        return ()
    return (
        f"the last of its {channels} channels is taken as alpha; `alpha='filter'` filters it like the others",
    )


def _frames(
    header: NpyHeader, name: str, choose: Callable[[int], Sequence[int]], max_pixels: int
) -> tuple[tuple[int, ...], Sequence[int]]:
    """Return the shape as (frames, H, W) or (frames, H, W, C), and the requested frames; or raise ImageError."""
    shape, dtype = header.shape, header.dtype
    if dtype.kind not in "biuf" or dtype.itemsize > 8:
        raise ImageError(
            f"cannot read {name}: its dtype {dtype} is not supported for pictures; "
            "save real numbers, such as float32"
        )
    if not 1 <= len(shape) <= 4 or not all(shape):
        raise ImageError(
            f"cannot read {name}: its shape {shape} is not that of a picture; give (H, W), (H, W, C) or "
            "(frames, H, W, C) without zeros"
        )
    frames = shape if len(shape) == 4 else (1, *((1, *shape) if len(shape) == 1 else shape))
    numbers = choose(frames[0])
    if prod(frames[:3]) > max_pixels:
        raise ImageError(
            f"cannot read {name}: its {prod(frames[:3]):,} pixels are over the limit of {max_pixels:,}; "
            f"raise it with `max_pixels={prod(frames[:3])}`"
        )
    return frames, numbers


def encode_array(picture: Picture) -> bytes:
    """Return a picture as a .npy file: (H, W) or (H, W, C), or (frames, H, W, C) if it has several frames.

    The axes are in the order of the picture's layout.
    """
    arrays = [frame.pixels for frame in picture.frames]
    if len(arrays) > 1:
        arrays = [pixels.reshape(*pixels.shape[:2], -1) for pixels in arrays]
    if picture.layout != "hwc":
        whole = restored(np.stack(arrays) if len(arrays) > 1 else arrays[0], picture.layout)
        arrays = [whole] if len(arrays) == 1 else list(whole)
    first = arrays[0]
    buffer = BytesIO()
    write_array(buffer, first.shape if len(arrays) == 1 else (len(arrays), *first.shape), first.dtype, arrays)
    return buffer.getvalue()


def write_array(
    file: BinaryIO, shape: tuple[int, ...], dtype: np.dtype[Any], parts: Iterable[NDArray[Any]]
) -> None:
    """Write a .npy file of an array that is given in consecutive parts."""
    described = {"descr": dtype.str, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, described)
    for part in parts:
        file.write(np.ascontiguousarray(part).data)
