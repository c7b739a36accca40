"""Map signed numbers to colours: blue below 0, white at 0, red above."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

# The ends and the middle of ColorBrewer's RdBu, which is safe for colour-blind viewers.
BLUE, WHITE, RED = np.array((33, 102, 172)), np.array((247, 247, 247)), np.array((178, 24, 43))


def signed_colours(shares: NDArray[Any]) -> NDArray[np.uint8]:
    """Map numbers from -1 to 1, of any shape, to colours (..., 3)."""
    share = np.abs(shares)[..., np.newaxis]
    ends = np.where(shares[..., np.newaxis] < 0, BLUE, RED)
    colours: NDArray[np.uint8] = np.rint(WHITE + share * (ends - WHITE)).astype(np.uint8)
    return colours
