"""The filters of the targets, each with the allowed ratio to a peer's time."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from convcli.kernels import Kernel, parse_kernel
from tests.benchmarks.pictures import Array

DIGITS = 5  # of a random weight: a kernel is an option of a command, and those may end at 1 kB


@dataclass(frozen=True)
class Filter:
    """A filter and its targets: ratios of our time to a peer's.

    kind     : how the peers spell it, a key of their recipes
    spec     : what `convcli filter --kernel` is given
    opencv, others : targets on one thread
    distance : levels that 8-bit fixed point, or a sum in float32, may be away from the exact answer
    """

    name: str
    kind: str
    spec: str
    distance: int
    opencv: float
    others: float

    @cached_property
    def kernel(self) -> Kernel:
        return parse_kernel(self.spec)

    @cached_property
    def weights(self) -> Array:
        """The weights of a kernel that is one matrix, as the peers take them."""
        return np.array(self.kernel.matrices[0], np.float32)


def dense(side: int, opencv: float = 1.2) -> Filter:
    """Return random weights that sum to about 1, without symmetry or separability."""
    weights = np.random.default_rng(side).uniform(0.1, 1, (side, side))
    spec = "; ".join(" ".join(f"{weight:.{DIGITS}f}" for weight in row) for row in weights / weights.sum())
    return Filter(f"dense {side}x{side}", "dense", spec, 1, opencv, 0.15)


SHARPEN = Filter("integer 3x3", "integer", "sharpen", 0, 1.4, 0.15)
GAUSSIAN = Filter("gaussian 2.5", "gaussian", "gaussian:sigma=2.5", 1, 2.0, 0.3)
BOX = Filter("box 31x31", "box", "box:31", 1, 1.8, 0.3)
FILTERS = (
    SHARPEN,
    Filter("sobel", "magnitude", "sobel", 0, 0.8, 0.3),
    GAUSSIAN,
    BOX,
    dense(5),
    dense(9),
    dense(15),
    dense(31),
    dense(63),
)
FIXED_POINT = (SHARPEN, GAUSSIAN, BOX)  # which OpenCV and libvips sum in whole numbers
