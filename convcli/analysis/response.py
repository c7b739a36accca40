"""The frequency response of kernels."""

from collections.abc import Sequence

import numpy as np

from convcli.analysis.rank import Array, weights_of
from convcli.kernels.kernel import Kernel


@np.errstate(over="ignore", invalid="ignore")  # too large for a float: infinite
def frequency_response(kernels: Sequence[Kernel], size: int) -> Array:
    """Return the factor by which a chain of kernels multiplies the magnitude of each frequency, (size, size).

    Zero frequency is in the middle, at [size // 2, size // 2]; rows and columns go from -1/2 up to 1/2 cycles per
    pixel. For a kernel of several matrices, their magnitudes are combined as the kernel combines its results: the root
    of the sum of squares, or the largest. Offsets are ignored.
    """
    total = np.ones((size, size))
    for kernel in kernels:
        kernel.check_linear("a frequency response")
        parts = [
            np.abs(np.fft.fft2(np.atleast_2d(weights_of(matrix)), (size, size))) for matrix in kernel.matrices
        ]
        combined = (
            np.sqrt(np.square(parts).sum(axis=0)) if kernel.combine == "magnitude" else np.max(parts, axis=0)
        )
        total *= combined / abs(float(kernel.divisor))
    return np.fft.fftshift(total)
