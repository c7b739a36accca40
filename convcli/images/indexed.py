"""Pictures of at most 256 colours: exact where they fit, as GIF needs them."""

import numpy as np
from PIL import Image

from convcli.images.picture import Frame

COLOURS = 256


def indexed(frame: Frame) -> tuple[Image.Image, bool]:
    """Return a frame as a palette image, and whether every visible colour is still exact.

    Few colours are kept exactly, which Pillow's quantiser does not promise; of more the nearest are chosen. A
    picture with alpha gives its last entry to the transparent pixels: those less than half opaque.
    """
    pixels = frame.pixels
    colour = pixels[..., :-1] if frame.has_alpha else pixels.reshape(*pixels.shape[:2], -1)
    colour = np.ascontiguousarray(np.broadcast_to(colour, (*pixels.shape[:2], 3)))
    alpha = pixels[..., -1] if frame.has_alpha else np.full(pixels.shape[:2], 255)
    visible = alpha >= 128
    room = COLOURS - 1 if frame.has_alpha else COLOURS
    palette, places = np.unique(colour[visible], axis=0, return_inverse=True)
    exact = len(palette) <= room
    if exact:
        index = np.zeros(visible.shape, np.uint8)
        index[visible] = places.ravel()
    else:
        nearest = Image.fromarray(colour).quantize(room)
        index = np.array(nearest)
        palette = np.array(nearest.getpalette("RGB"), np.uint8).reshape(-1, 3)
    index[~visible] = COLOURS - 1
    image = Image.fromarray(index, "P")
    image.putpalette(palette.astype(np.uint8).tobytes())
    if frame.has_alpha:
        image.info["transparency"] = COLOURS - 1
    return image, exact
