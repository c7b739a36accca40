"""Draw a sheet of pictures side by side, each with a caption below."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from convcli.images.modes import LABS
from convcli.images.picture import Frame, Picture
from convcli.images.samples import swapped_signs

SIDE = 320  # most pixels of a panel's longer side
GAP = 12  # pixels between panels, and around them
TEXT = 13  # font size of captions in pixels
PAPER, INK = (255, 255, 255), (0, 0, 0)
_COUNTS = {"L": 1, "RGB": 3, "CMYK": 4, "LAB": 3, "ICCLAB": 3}  # channels per mode
_COLOURS = {1: "L", 3: "RGB", 4: "CMYK"}  # default mode for a number of channels


@dataclass(frozen=True)
class Panel:
    """A picture reduced to a thumbnail in RGB, and the lines of its caption."""

    image: Image.Image
    caption: tuple[str, ...]

    @classmethod
    def of(cls, pixels: NDArray[Any], mode: str, caption: Sequence[str]) -> "Panel":
        """Return a panel of pixels (H, W, C) without alpha.

        If C is not the number of channels of `mode`, a default mode for C is used; of other numbers of channels, only
        the first channel is shown.
        """
        count = pixels.shape[2]
        colours = mode if _COUNTS.get(mode) == count else _COLOURS.get(count, "L")
        bands = pixels if count in _COLOURS else pixels[..., :1]
        shown = _bytes(bands[..., 0] if colours == "L" else bands)
        image = _from_lab(shown) if colours in LABS else Image.fromarray(shown, colours)
        return cls(_reduced(image.convert("RGB")), tuple(caption))


def draw_sheet(panels: Sequence[Panel]) -> Picture:
    """Return a picture of all panels, arranged in rows so that it is about square."""
    font = ImageFont.load_default(TEXT)
    pen = ImageDraw.Draw(Image.new("L", (1, 1)))
    texts = ["\n".join(panel.caption) for panel in panels]
    boxes = [pen.multiline_textbbox((0, 0), text, font) for text in texts]
    width = ceil(max([*(panel.image.width for panel in panels), *(box[2] for box in boxes)]))
    height, below = max(panel.image.height for panel in panels), ceil(max(box[3] for box in boxes))
    columns = ceil(sqrt(len(panels) * (height + below) / width))
    rows = ceil(len(panels) / columns)
    sheet = Image.new("RGB", (columns * (width + GAP) + GAP, rows * (height + below + 2 * GAP) + GAP), PAPER)
    pen = ImageDraw.Draw(sheet)
    for number, (panel, text) in enumerate(zip(panels, texts, strict=True)):
        row, column = divmod(number, columns)
        left, top = GAP + column * (width + GAP), GAP + row * (height + below + 2 * GAP)
        sheet.paste(panel.image, (left, top + height - panel.image.height))
        pen.multiline_text((left, top + height + GAP // 2), text, INK, font)
    return Picture((Frame(np.asarray(sheet), "RGB"),), "PNG")


def _bytes(pixels: NDArray[Any]) -> NDArray[np.uint8]:
    """Convert samples of any depth to uint8, from the full range of integers or 0 to 1 of floats."""
    if pixels.dtype == np.uint8:
        return np.ascontiguousarray(pixels)
    white = 1.0 if pixels.dtype.kind == "f" else float(np.iinfo(pixels.dtype).max)
    shares = np.nan_to_num(pixels.astype(np.float64) / white).clip(0, 1)
    drawn: NDArray[np.uint8] = np.rint(shares * 255).astype(np.uint8)
    return drawn


def _from_lab(pixels: NDArray[np.uint8]) -> Image.Image:
    """Convert CIELAB (H, W, 3), in which 128 represents 0 of a* and b*, to an RGB image."""
    from PIL import ImageCms

    image = Image.fromarray(swapped_signs(pixels), "LAB")  # Pillow expects samples as in TIFF

    transform = ImageCms.buildTransform(
        ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB"), "LAB", "RGB"
    )
    converted = ImageCms.applyTransform(image, transform)
    assert converted is not None  # only None if converted in place
    return converted


def _reduced(image: Image.Image) -> Image.Image:
    scale = SIDE / max(image.size)
    if scale >= 1:
        return image
    width, height = (max(1, round(side * scale)) for side in image.size)
    return image.resize((width, height), Image.Resampling.LANCZOS)
