"""Convert the samples of a TIFF to those that are filtered, and back; TIFF 6.0, sections 8 and 23.

Black is 0 and white the maximum of the dtype. Samples of other widths than 8, 16 and 32 bits are scaled to the next
larger width. CIELAB's a* and b*, which are signed, are offset by half the range, as in ICC profiles; `Frame.zero` is
the offset.
"""

from __future__ import annotations  # NumPy is loaded while a picture is decoded

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from convcli.images.modes import mode_name
from convcli.images.picture import Frame, ImageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

WHITE_IS_ZERO = 0  # photometric interpretation
UNSIGNED, SIGNED = 1, 2  # sample formats
WIDTHS = (8, 16, 32)  # bits of the integers that are filtered


def black_is_zero(pixels: NDArray[Any]) -> NDArray[Any]:
    """Invert samples in which the smallest is white; white is 1 in floats."""
    if pixels.dtype.kind == "f":
        return 1 - pixels
    return ~pixels


def spread(pixels: NDArray[Any], bits: int) -> NDArray[Any]:
    """Scale unsigned samples of `bits` bits to the full range of the next dtype, rounded; others are unchanged.

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
    """Convert an array to a dtype that can be filtered, without changing its values; or raise ImageError.

    Booleans become 0 and 255, float16 becomes float32, and 64-bit integers become 32-bit ones if they fit.
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
            f"cannot read {name}: its integers, {pixels.min()} to {pixels.max()}, need more than 32 bits; "
            "save them as float64"
        )
    return pixels


def stored(frame: Frame) -> NDArray[Any]:
    """Return the samples of a frame as TIFF stores them."""
    return swapped_signs(frame.pixels) if frame.channels == "LAB" else frame.pixels


def swapped_signs(pixels: NDArray[Any]) -> NDArray[Any]:
    """Flip the sign bits of a* and b* in integers (H, W, 3): converts signed values to offset ones, and back.

    Floats, which are signed, are unchanged.
    """
    import numpy as np

    if pixels.dtype.kind == "f":
        return pixels
    unsigned = pixels.view(f"u{pixels.itemsize}")
    first = 1 << (8 * pixels.itemsize - 1)
    offset: NDArray[Any] = unsigned ^ np.array([0, first, first], unsigned.dtype)
    return offset


def from_pillow(frame: Frame, photometric: int, bits: int, sample_format: int) -> Frame:
    """Convert a TIFF page decoded by Pillow to samples that can be filtered."""
    pixels, mode = frame.pixels, pillows_mode(frame.mode, bits, sample_format)
    if frame.channels == "LAB":
        return replace(frame, pixels=swapped_signs(pixels))
    if mode != frame.mode:
        kind, width = "i" if sample_format == SIGNED else "u", bits // 8
        exact = pixels.astype(f"{kind}{width}") if bits == 16 else pixels.view(f"{kind}{width}")
        return replace(frame, pixels=exact, mode=mode)
    if mode in ("I;16", "F") and photometric == WHITE_IS_ZERO:
        pixels = black_is_zero(pixels)
    return replace(frame, pixels=spread(pixels, bits) if mode == "I;16" else pixels)


def pillows_mode(mode: str, bits: int, sample_format: int) -> str:
    """Return the mode of a grey TIFF from Pillow's mode, which is the same for several dtypes."""
    if sample_format == SIGNED and mode in ("L", "I"):
        return mode_name("L", f"int{bits}")
    if sample_format == UNSIGNED and mode == "I":
        return mode_name("L", f"uint{bits}")
    return mode


def unmultiplied(colours: NDArray[Any], alpha: NDArray[Any]) -> NDArray[Any]:
    """Convert premultiplied to straight colours; those of fully transparent pixels are unchanged."""
    import numpy as np

    top = 1.0 if alpha.dtype.kind == "f" else float(np.iinfo(alpha.dtype).max)
    shares = np.where(alpha == 0, 1.0, alpha / top)[..., None]
    if alpha.dtype.kind == "f":
        return (colours / shares).astype(colours.dtype)
    return np.rint(colours / shares).clip(0, top).astype(colours.dtype)
