"""Read a picture: upright, palettes expanded, every frame, nothing cut without a word."""

import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from PIL import Image, ImageOps, ImageSequence, UnidentifiedImageError

from convcli.images.formats import FORMATS, MAX_PIXELS
from convcli.images.picture import Frame, ImageError, Picture

# The limit above is checked on the header; Pillow's own warns first and cannot be lifted for one call.
Image.MAX_IMAGE_PIXELS = None

# What Pillow's decoders raise on damaged files.
DAMAGE = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    MemoryError,
    NotImplementedError,
    OverflowError,
    struct.error,
    zlib.error,
)

# Modes whose channels are not what a filter should see, and what they become.
_EXPANDED = {"1": "L", "PA": "RGBA", "RGBa": "RGBA", "La": "LA", "RGBX": "RGB", "YCbCr": "RGB"}
_ARRAYS = {"L", "LA", "RGB", "RGBA", "CMYK", "LAB", "I;16", "I", "F"}


def read_picture(source: Path | BinaryIO, max_pixels: int = MAX_PIXELS) -> Picture:
    """Return the picture in a file or a stream, or raise ImageError.

    EXIF orientation is applied and removed; palettes, 1-bit pictures and transparent colours are expanded;
    16-bit colour, which Pillow would cut to 8 bits, is refused.
    """
    name = str(source) if isinstance(source, Path) else "standard input"
    with _damage_explained(name), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with _opened(source) as file, Image.open(file, formats=list(FORMATS)) as image:
            form = "JPEG" if image.format == "MPO" else str(image.format)
            _check_depth(name, image)
            _check_pixels(name, image, max_pixels)
            upright = [ImageOps.exif_transpose(frame) for frame in ImageSequence.Iterator(image)]
            metadata = _metadata(image, upright[0])
            animated = len(upright) > 1
            frames = tuple(_frame(name, frame, form, animated) for frame in upright)
            loop = image.info.get("loop")
    notes = [f"damaged metadata: {warning.message}" for warning in caught]
    return Picture(frames, form, metadata, loop, tuple(notes))


@contextmanager
def _opened(source: Path | BinaryIO) -> Iterator[BinaryIO]:
    """Open a path, and make what cannot be searched, such as a pipe, searchable."""
    if not isinstance(source, Path):
        yield BytesIO(source.read())
        return
    with source.open("rb") as file:
        yield file if file.seekable() else BytesIO(file.read())


@contextmanager
def _damage_explained(name: str) -> Iterator[None]:
    try:
        yield
    except UnidentifiedImageError:
        known = " ".join(FORMATS)
        raise ImageError(
            f"cannot read {name}: it is not a picture in a format convcli reads ({known})"
        ) from None
    except FileNotFoundError:
        raise ImageError(
            f"cannot read {name}: there is no such file; check the spelling and the folder"
        ) from None
    except IsADirectoryError:
        raise ImageError(
            f"cannot read {name}: it is a folder; name the pictures in it, as in {name}/*.png"
        ) from None
    except PermissionError:
        raise ImageError(f"cannot read {name}: permission denied; it needs to be readable") from None
    except DAMAGE as error:
        why = str(error) or type(error).__name__
        raise ImageError(
            f"cannot read {name}: the file is damaged or cut short ({why}); get a whole copy"
        ) from error


def _check_depth(name: str, image: Image.Image) -> None:
    """Refuse 16-bit colour: Pillow decodes it to 8 bits without a word."""
    for tile in getattr(image, "tile", ()):
        arguments = tile.args if isinstance(tile.args, tuple) else (tile.args,)
        deep = ";16" in str(arguments[0]) and image.format in ("PNG", "TIFF")
        deep = deep or (tile.codec_name.startswith("ppm") and arguments[-1] > 255)
        if deep and not image.mode.startswith("I"):
            raise ImageError(
                f"cannot read {name}: it has 16 bits a colour channel, which would be cut to 8; "
                "reduce it to 8 bits yourself, or give its channels as 16-bit grey pictures"
            )


def _check_pixels(name: str, image: Image.Image, max_pixels: int) -> None:
    count = image.width * image.height * getattr(image, "n_frames", 1)
    if count > max_pixels:
        raise ImageError(
            f"cannot read {name}: its {count:,} pixels are over the limit of {max_pixels:,}; "
            f"raise it with --max-pixels {count}"
        )


def _frame(name: str, image: Image.Image, form: str, animated: bool) -> Frame:
    """Turn one upright Pillow image into an array."""
    duration = image.info.get("duration") if animated else None
    if image.mode == "P":
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    elif image.mode in ("1", "L", "RGB") and "transparency" in image.info:
        image = image.convert("RGBA" if image.mode == "RGB" else "LA")
    elif image.mode in _EXPANDED:
        image = image.convert(_EXPANDED[image.mode])
    pixels = np.asarray(image)
    mode = image.mode
    if mode.startswith("I;16") or (mode == "I" and form == "PPM"):
        mode, pixels = "I;16", pixels.astype(np.uint16)
    if mode not in _ARRAYS:
        raise ImageError(f"cannot read {name}: its pixel mode {mode} is not one that convcli filters")
    return Frame(pixels, mode, duration)


def _metadata(image: Image.Image, upright: Image.Image) -> dict[str, Any]:
    """Collect what travels with the pixels, by kind; kinds that are absent or empty are left out."""
    found = {
        "icc": image.info.get("icc_profile"),
        "exif": upright.info.get("exif"),
        "dpi": image.info.get("dpi"),
        "text": dict(getattr(image, "text", {})),
        "comment": image.info.get("comment"),
    }
    return {kind: value for kind, value in found.items() if value}
