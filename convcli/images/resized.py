"""Resize pixels with Pillow: each output is a weighted mean of the inputs that it covers."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image


def resized(pixels: NDArray[Any], size: tuple[int, int]) -> NDArray[Any]:
    """Resize pixels (H, W, C) to (height, width, C) by linear interpolation; uint8 stays, others become float32."""
    height, width = size
    if pixels.shape[:2] == size:
        return pixels
    if pixels.dtype == np.uint8 and pixels.shape[2] in (1, 3, 4):
        flat = pixels[..., 0] if pixels.shape[2] == 1 else pixels
        image = Image.fromarray(np.ascontiguousarray(flat))
        made = np.asarray(image.resize((width, height), Image.Resampling.BILINEAR))
        return made.reshape(height, width, -1)
    planes = [
        Image.fromarray(np.ascontiguousarray(pixels[..., channel], np.float32)).resize(
            (width, height), Image.Resampling.BILINEAR
        )
        for channel in range(pixels.shape[2])
    ]
    return np.stack([np.asarray(plane) for plane in planes], axis=2)
