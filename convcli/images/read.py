"""Read a picture: upright, palettes expanded, every frame, nothing cut without a word."""

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from convcli.images.formats import FORMATS, MAX_PIXELS
from convcli.images.picture import Frame, ImageError, Picture

# The limit above is checked on the header; Pillow's own warns first and cannot be lifted for one call.
Image.MAX_IMAGE_PIXELS = None

# Tags of TIFF (TIFF 6.0, section 8), and those that describe a picture to people.
BITS_PER_SAMPLE, ORIENTATION, SAMPLE_FORMAT, SIGNED = 258, 274, 339, 2
DESCRIPTIVE_TAGS = (270, 271, 272, 305, 306, 315, 316, 33432)  # description, make, model ... copyright

# Modes whose channels are not what a filter should see, and what they become.
_EXPANDED = {"1": "L", "PA": "RGBA", "RGBa": "RGBA", "La": "LA", "RGBX": "RGB", "YCbCr": "RGB"}
_ARRAYS = {"L", "LA", "RGB", "RGBA", "CMYK", "LAB", "I;16", "I", "F"}


def read_picture(source: Path | BinaryIO, max_pixels: int = MAX_PIXELS) -> Picture:
    """Return the picture in a file or a stream, or raise ImageError.

    EXIF orientation is applied and removed; palettes, 1-bit pictures and transparent colours are expanded;
    what Pillow would cut, such as 16-bit colour, is refused, and what is left out is noted.
    """
    name = str(source) if isinstance(source, Path) else "standard input"
    with _explained(name), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with _opened(source) as file, Image.open(file, formats=list(FORMATS)) as image:
            notes = _notes(file, image)
            frames: list[Frame] = []
            metadata: dict[str, Any] = {}
            count = 1 if image.format == "MPO" else getattr(image, "n_frames", 1)
            pixels_left = max_pixels
            for number in range(count):
                image.seek(number)
                pixels_left -= image.width * image.height
                _check_pixels(name, image, count, pixels_left, max_pixels)
                _check_depth(name, image)
                image.load()  # only now some formats tell how long the frame stands
                upright = _upright(image)
                frames.append(_frame(name, upright, image.format == "PPM", count > 1))
                metadata = metadata or _metadata(image, upright)
            image.seek(0)
            poster = bool(getattr(image, "default_image", False))
            loop = image.info.get("loop")
            form = "JPEG" if image.format == "MPO" else str(image.format)
    notes += [f"damaged metadata: {warning.message}" for warning in caught]
    return Picture(tuple(frames), form, metadata, loop, poster, tuple(notes))


def _upright(image: Image.Image) -> Image.Image:
    """Return the image as its EXIF orientation wants it shown; itself, where nothing is to be turned."""
    turned = image.getexif().get(ORIENTATION, 1) != 1
    return ImageOps.exif_transpose(image) if turned else image


@contextmanager
def _opened(source: Path | BinaryIO) -> Iterator[BinaryIO]:
    """Open a path, and make what cannot be searched, such as a pipe, searchable."""
    if not isinstance(source, Path):
        yield BytesIO(source.read())
        return
    with source.open("rb") as file:
        yield file if file.seekable() else BytesIO(file.read())


@contextmanager
def _explained(name: str) -> Iterator[None]:
    """Say in one line why a file cannot be read.

    Only the work of Pillow runs in here, whose decoders raise exceptions of every kind on damaged files.
    """
    try:
        yield
    except ImageError:
        raise
    except UnidentifiedImageError:
        known = " ".join(FORMATS)
        raise ImageError(
            f"cannot read {name}: it is not a picture, or of a kind that convcli does not read ({known})"
        ) from None
    except FileNotFoundError:
        raise ImageError(
            f"cannot read {name}: there is no such file; check the spelling and the folder"
        ) from None
    except IsADirectoryError:
        raise ImageError(
            f"cannot read {name}: it is a folder; name the pictures in it, as in {name}/*.png"
        ) from None
    except OSError as error:
        if error.errno is not None:  # the system's word, not the decoder's
            raise ImageError(f"cannot read {name}: {error.strerror}") from None
        raise _damaged(name, error) from error
    except Exception as error:
        raise _damaged(name, error) from error


def _damaged(name: str, error: Exception) -> ImageError:
    why = str(error) or type(error).__name__
    return ImageError(f"cannot read {name}: the file is damaged or cut short ({why}); get a whole copy")


def _notes(file: BinaryIO, image: Image.Image) -> list[str]:
    """Say what of a file is left out."""
    notes = []
    if image.format == "MPO":
        notes.append(f"only the first of its {getattr(image, 'n_frames', 1)} pictures is read")
    if image.format == "GIF":
        place = file.tell()
        file.seek(-1, os.SEEK_END)
        if file.read(1) != b";":
            notes.append("the file has no end mark; frames may be missing")
        file.seek(place)
    if image.mode.startswith("I") and "transparency" in image.info:
        notes.append("the transparent grey of its 16 bits is left out")
    return notes


def _check_depth(name: str, image: Image.Image) -> None:
    """Refuse samples that Pillow decodes to fewer bits, or to other numbers, without a word."""
    bits, signed = _depth(image)
    if bits > 8 and image.mode not in ("I", "F") and not image.mode.startswith("I;16"):
        raise ImageError(
            f"cannot read {name}: it has {bits} bits a colour channel, which would be cut to 8; "
            "reduce it to 8 bits yourself, or give its channels as 16-bit grey pictures"
        )
    if (signed and bits == 8) or (not signed and bits == 32 and image.mode == "I"):
        kind = "signed 8-bit" if signed else "unsigned 32-bit"
        raise ImageError(f"cannot read {name}: its {kind} numbers would be read as others; save it as float")


def _depth(image: Image.Image) -> tuple[int, bool]:
    """Return the bits of a sample in the file, and whether it is signed; 8 where nothing tells of more."""
    if image.format == "TIFF":
        tags = getattr(image, "tag_v2", {})
        return max(tags.get(BITS_PER_SAMPLE, (1,))), SIGNED in tags.get(SAMPLE_FORMAT, (1,))
    for tile in getattr(image, "tile", ()):
        arguments = tile.args if isinstance(tile.args, tuple) else (tile.args,)
        if image.format == "PNG" and ";16" in str(arguments[0]):
            return 16, False
        if tile.codec_name == "ppm" and isinstance(arguments[-1], int) and arguments[-1] > 255:
            return 16, False
        if tile.codec_name == "ppm_plain" and isinstance(arguments[-1], int) and arguments[-1] > 255:
            return 16, False
    return 8, False


def _check_pixels(name: str, image: Image.Image, count: int, left: int, limit: int) -> None:
    if left < 0:
        found = limit - left
        what = f"its {found:,} pixels are" if count == 1 else f"its frames have {found:,} pixels and more,"
        raise ImageError(
            f"cannot read {name}: {what} over the limit of {limit:,}; raise it with --max-pixels {found * count}"
        )


def _frame(name: str, image: Image.Image, is_ppm: bool, animated: bool) -> Frame:
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
    if mode.startswith("I;16") or (mode == "I" and is_ppm):
        mode, pixels = "I;16", pixels.astype(np.uint16)
    if mode not in _ARRAYS:
        raise ImageError(f"cannot read {name}: its pixel mode {mode} is not one that convcli filters")
    return Frame(pixels, mode, duration)


def _metadata(image: Image.Image, upright: Image.Image) -> dict[str, Any]:
    """Collect what travels with the pixels, by kind; kinds that are absent or empty are left out."""
    tags = getattr(image, "tag_v2", {})
    found = {
        "icc": image.info.get("icc_profile"),
        "exif": upright.info.get("exif"),
        "xmp": upright.info.get("xmp"),
        "dpi": image.info.get("dpi"),
        "text": dict(getattr(image, "text", {})),
        "comment": image.info.get("comment"),
        "tags": {tag: tags[tag] for tag in DESCRIPTIVE_TAGS if tag in tags},
    }
    return {kind: value for kind, value in found.items() if value}
