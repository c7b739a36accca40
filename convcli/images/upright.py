"""Turn an array as an orientation of EXIF wants it shown."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

# EXIF 2.32, table 6: what each orientation has to go through.
_TURNS: dict[int, Callable[[NDArray[Any]], NDArray[Any]]] = {
    2: np.fliplr,
    3: lambda x: np.rot90(x, 2),
    4: np.flipud,
    5: lambda x: x.swapaxes(0, 1),
    6: lambda x: np.rot90(x, -1),
    7: lambda x: np.rot90(x, 2).swapaxes(0, 1),
    8: np.rot90,
}


def turned(pixels: NDArray[Any], orientation: int) -> NDArray[Any]:
    """Return (H, W) or (H, W, C) upright; orientations that are none leave it as it is."""
    return np.ascontiguousarray(_TURNS[orientation](pixels)) if orientation in _TURNS else pixels
