"""Convert Pillow's images to arrays in bands of rows, because Pillow makes two more copies of what it converts."""

from __future__ import annotations  # NumPy is loaded while a picture is decoded

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from PIL import Image

if TYPE_CHECKING:
    from numpy.typing import NDArray

BAND = 1 << 20  # bytes of Pillow's pixels that are converted at a time


def bands(image: Image.Image) -> Iterator[tuple[slice, NDArray[Any]]]:
    """Yield slices of the rows of a loaded image, and their pixels."""
    import numpy as np

    width, height = image.size
    step = max(1, BAND // (4 * width))
    if step >= height:
        yield slice(0, height), np.asarray(image)
        return
    for top in range(0, height, step):
        bottom = min(height, top + step)
        yield slice(top, bottom), np.asarray(image.crop((0, top, width, bottom)))


def as_array(image: Image.Image) -> NDArray[Any]:
    """Return the pixels of a loaded image, (H, W) or (H, W, C)."""
    import numpy as np

    pixels: NDArray[Any] | None = None
    for rows, part in bands(image):
        if pixels is None:
            pixels = np.empty((image.height, *part.shape[1:]), part.dtype)
        pixels[rows] = part
    assert pixels is not None  # Pillow opens no images without pixels
    return pixels
