"""Large kernels by the fast Fourier transform, one tile at a time (overlap-save)."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcli.backend.plan import Slide

Array = NDArray[Any]


class Spectrum:
    """A kernel, transformed once for tiles of one size.

    The tile is padded input, (rows, width * channels); of its F x F places F - span + 1 on each axis are
    outputs, the others have turned round the edge (Press et al., Numerical Recipes, section 13.1).
    """

    def __init__(self, weights: Array, slide: Slide, length: int, dtype: Any) -> None:
        spread = np.zeros(slide.spans, dtype)
        spread[:: slide.dilation[0], :: slide.dilation[1]] = weights
        self.length = length
        # Correlation is convolution with the turned kernel: the conjugate of its spectrum.
        self.weights = np.conj(np.fft.rfft2(spread, (length, length)))

    def __call__(self, strip: Array, channels: int, out: Array) -> Array:
        """Weigh the strip into `out`, (rows, columns, channels); every channel is a plane of its own."""
        planes = strip.reshape(len(strip), -1, channels).transpose(2, 0, 1)
        spectra = np.fft.rfft2(planes, (self.length, self.length))
        spectra *= self.weights
        whole = np.fft.irfft2(spectra, (self.length, self.length))
        out[...] = whole[:, : out.shape[0], : out.shape[1]].transpose(1, 2, 0)
        return out
