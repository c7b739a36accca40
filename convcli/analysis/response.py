"""What kernels make of each frequency."""

from collections.abc import Sequence

import numpy as np

from convcli.analysis.rank import Array, weights_of
from convcli.kernels.kernel import Kernel


@np.errstate(over="ignore", invalid="ignore")  # what is beyond floats is infinite
def frequency_response(kernels: Sequence[Kernel], size: int) -> Array:
    """Return the magnitude of what kernels, one after the other, make of each frequency: (size, size).

    Zero frequency stands in the middle, at [size // 2, size // 2]; rows and columns run from -1/2 up to 1/2 cycles a
    pixel. A kernel of several matrices answers with the root of their summed squares, or with the largest, of the
    magnitudes; offsets, which are no frequency, are left out.
    """
    total = np.ones((size, size))
    for kernel in kernels:
        parts = [
            np.abs(np.fft.fft2(np.atleast_2d(weights_of(matrix)), (size, size))) for matrix in kernel.matrices
        ]
        combined = (
            np.sqrt(np.square(parts).sum(axis=0)) if kernel.combine == "magnitude" else np.max(parts, axis=0)
        )
        total *= combined / abs(float(kernel.divisor))
    return np.fft.fftshift(total)
