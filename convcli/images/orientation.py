"""How EXIF says that an image which Pillow opened is turned, and the image as it is to be shown."""

from __future__ import annotations  # NumPy is loaded while a picture is decoded

from typing import TYPE_CHECKING, Any

from PIL import Image, ImageOps

from convcli.images.metadata.names import ORIENTATION

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL.ImageFile import ImageFile


def orientation_of(image: Image.Image) -> int:
    """Return the EXIF orientation, 1 where there is none or nobody can read it."""
    try:
        return int(image.getexif().get(ORIENTATION, 1))
    except Exception:  # of damaged EXIF, of every kind, which `MetadataReader` notes
        return 1


def orientation_ahead(image: ImageFile) -> int:
    """Return the orientation of an image of which nothing is decoded, where Pillow would a PNG to look for EXIF."""
    if image.format != "PNG":
        return orientation_of(image)
    said = Image.new("1", (1, 1))
    said.info = {key: image.info[key] for key in ("exif", "xmp") if key in image.info}
    return orientation_of(said)


def upright(image: Image.Image) -> Image.Image:
    """Return the image as its orientation wants it shown; itself, where nothing is to be turned."""
    return image if orientation_of(image) == 1 else ImageOps.exif_transpose(image)


def upright_pixels(pixels: NDArray[Any], image: Image.Image) -> NDArray[Any]:
    """Return the pixels of an image as its orientation wants them shown."""
    from convcli.images.upright import turned

    return turned(pixels, orientation_of(image))
