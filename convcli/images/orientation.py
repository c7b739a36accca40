"""Read the EXIF orientation of an image opened by Pillow, and apply it."""

from __future__ import annotations  # NumPy is loaded while a picture is decoded

from typing import TYPE_CHECKING, Any

from PIL import Image, ImageOps

from convcli.images.metadata.names import ORIENTATION

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL.ImageFile import ImageFile


def orientation_of(image: Image.Image) -> int:
    """Return the EXIF orientation, 1 if there is none or it cannot be read."""
    try:
        return int(image.getexif().get(ORIENTATION, 1))
    except Exception:  # damaged EXIF raises errors of many types; `MetadataReader` notes it
        return 1


def orientation_ahead(image: ImageFile) -> int:
    """Return the orientation without decoding the image; Pillow would decode a PNG to look for EXIF at its end."""
    if image.format != "PNG":
        return orientation_of(image)
    blank = Image.new("1", (1, 1))
    blank.info = {key: image.info[key] for key in ("exif", "xmp") if key in image.info}
    return orientation_of(blank)


def upright(image: Image.Image) -> Image.Image:
    """Return the image with its orientation applied; the image itself if there is nothing to apply."""
    return image if orientation_of(image) == 1 else ImageOps.exif_transpose(image)


def upright_pixels(pixels: NDArray[Any], image: ImageFile) -> NDArray[Any]:
    """Return pixels that were decoded without Pillow, with the orientation of their opened image applied."""
    from convcli.images.upright import oriented

    return oriented(pixels, orientation_ahead(image))
