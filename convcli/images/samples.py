"""What the samples of a TIFF stand for, and the numbers that a filter takes them as; TIFF 6.0, sections 8 and 23.

Black is 0 and white the largest number of a type. Samples of other widths than 8, 16 and 32 bits are spread over the
next of these. CIELAB's a* and b*, which have either sign, stand half the range above their value, as ICC profiles have
them: what 0 is, tells `Frame.zero`.
"""

from __future__ import annotations  # NumPy is loaded while a picture is decoded

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from convcli.images.modes import mode_name
from convcli.images.picture import Frame, ImageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

WHITE_IS_ZERO = 0  # the photometric interpretation
UNSIGNED, SIGNED = 1, 2  # sample formats
WIDTHS = (8, 16, 32)  # bits of the whole numbers that are filtered


def black_is_zero(pixels: NDArray[Any]) -> NDArray[Any]:
    """Return samples whose smallest is white the other way round; white of floats is 1."""
    if pixels.dtype.kind == "f":
        return 1 - pixels
    return ~pixels


def spread(pixels: NDArray[Any], bits: int) -> NDArray[Any]:
    """Return unsigned samples of so many bits over the whole range of their type, rounded; others as they are.

    >>> import numpy as np
    >>> spread(np.array([0, 1, 4095], np.uint16), 12)
    array([    0,    16, 65535], dtype=uint16)
    """
    import numpy as np

    if bits in WIDTHS or bits > max(WIDTHS) or pixels.dtype.kind not in "ub":
        return pixels
    dtype = np.dtype(f"uint{next(width for width in WIDTHS if width > bits)}")
    levels = np.arange(2**bits) if bits <= 16 else pixels
    scaled: NDArray[Any] = np.rint(levels * (np.iinfo(dtype).max / (2**bits - 1))).astype(dtype)
    return scaled[pixels.astype(np.uint16)] if bits <= 16 else scaled


def filtered_type(pixels: NDArray[Any], name: str) -> NDArray[Any]:
    """Return numbers in a type that pictures are filtered in, their values unchanged; or raise ImageError.

    Booleans become 0 and 255, halves float32, and whole numbers of 64 bits those of 32, where they fit.
    """
    import numpy as np

    pixels = np.ascontiguousarray(pixels, pixels.dtype.newbyteorder("="))
    if pixels.dtype.kind == "b":
        return pixels.astype(np.uint8) * np.uint8(255)
    if pixels.dtype == np.float16:
        return pixels.astype(np.float32)
    if pixels.dtype.kind in "iu" and pixels.dtype.itemsize == 8:
        for narrow in (np.int32, np.uint32):
            limits = np.iinfo(narrow)
            if limits.min <= pixels.min() and pixels.max() <= limits.max:
                return pixels.astype(narrow)
        raise ImageError(
            f"cannot read {name}: its whole numbers, {pixels.min()} to {pixels.max()}, need more than 32 bits; "
            "save them as float64"
        )
    return pixels


def stored(frame: Frame) -> NDArray[Any]:
    """Return the samples of a frame as a TIFF has them."""
    return turned_signs(frame.pixels) if frame.channels == "LAB" else frame.pixels


def turned_signs(pixels: NDArray[Any]) -> NDArray[Any]:
    """Return whole numbers (H, W, 3) with the first bits of a* and b* turned: from their signs to half above, and back.

    Floats have signs of their own, and stay.
    """
    import numpy as np

    if pixels.dtype.kind == "f":
        return pixels
    unsigned = pixels.view(f"u{pixels.itemsize}")
    first = 1 << (8 * pixels.itemsize - 1)
    turned: NDArray[Any] = unsigned ^ np.array([0, first, first], unsigned.dtype)
    return turned


def from_pillow(frame: Frame, photometric: int, bits: int, sample_format: int) -> Frame:
    """Return a page of a TIFF as Pillow has decoded it with samples as they are filtered."""
    pixels, mode = frame.pixels, pillows_mode(frame.mode, bits, sample_format)
    if frame.channels == "LAB":
        return replace(frame, pixels=turned_signs(pixels))
    if mode != frame.mode:
        kind, width = "i" if sample_format == SIGNED else "u", bits // 8
        exact = pixels.astype(f"{kind}{width}") if bits == 16 else pixels.view(f"{kind}{width}")
        return replace(frame, pixels=exact, mode=mode)
    if mode in ("I;16", "F") and photometric == WHITE_IS_ZERO:
        pixels = black_is_zero(pixels)
    return replace(frame, pixels=spread(pixels, bits) if mode == "I;16" else pixels)


def pillows_mode(mode: str, bits: int, sample_format: int) -> str:
    """Return the mode that a TIFF's grey of Pillow's mode has by its samples: Pillow has one name for several types."""
    if sample_format == SIGNED and mode in ("L", "I"):
        return mode_name("L", f"int{bits}")
    if sample_format == UNSIGNED and mode == "I":
        return mode_name("L", f"uint{bits}")
    return mode
