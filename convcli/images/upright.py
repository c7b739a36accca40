"""Apply an EXIF orientation to an array."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

# EXIF 2.32, table 6: the operation for each orientation.
_OPERATIONS: dict[int, Callable[[NDArray[Any]], NDArray[Any]]] = {
    2: np.fliplr,
    3: lambda x: np.rot90(x, 2),
    4: np.flipud,
    5: lambda x: x.swapaxes(0, 1),
    6: lambda x: np.rot90(x, -1),
    7: lambda x: np.rot90(x, 2).swapaxes(0, 1),
    8: np.rot90,
}


def oriented(pixels: NDArray[Any], orientation: int) -> NDArray[Any]:
    """Return pixels (H, W) or (H, W, C) upright; unknown orientations leave them unchanged."""
    return np.ascontiguousarray(_OPERATIONS[orientation](pixels)) if orientation in _OPERATIONS else pixels
