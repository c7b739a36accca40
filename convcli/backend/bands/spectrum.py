"""Large kernels by the fast Fourier transform, one tile at a time (overlap-save)."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcli.backend.algorithms.fft import is_near, transform_error
from convcli.backend.algorithms.slide import Slide
from convcli.backend.bands.passes import Scratch

Array = NDArray[Any]
Sum = Callable[[Array, Array, Scratch], Array]  # weighs a strip into an array


class Spectrum:
    """A kernel, transformed once for tiles of one size.

    The tile is padded input, (rows, width * channels); of its F x F places F - span + 1 on each axis are
    outputs, the others have wrapped around the edge (Press et al., Numerical Recipes, section 13.1).
    """

    def __init__(self, weights: Array, slide: Slide, channels: int, length: int, dtype: Any) -> None:
        spread = np.zeros(slide.spans, dtype)
        spread[:: slide.dilation[0], :: slide.dilation[1]] = weights
        self.length, self.channels, self.stride = length, channels, slide.stride
        self.total = float(np.abs(weights).sum())
        # Correlation is convolution with the turned kernel: the conjugate of its spectrum.
        self.weights = np.conj(np.fft.rfft2(spread, (length, length)))
        # Buffers for one plane, made once: memory that is asked for anew costs as much as the transforms.
        self.plane = np.zeros((length, length), dtype)
        self.spectrum = np.empty(self.weights.shape, self.weights.dtype)
        self.whole = np.empty((length, length), dtype)

    def __call__(self, strip: Array, out: Array, scratch: Scratch) -> Array:
        """Weigh (rows, samples) into the smaller `out`: the places that the stride asks for."""
        (sy, sx), pixels = self.stride, out.reshape(len(out), -1, self.channels)
        if sy == sx == 1:
            self._weigh(strip, pixels)
            return out
        shape = ((len(out) - 1) * sy + 1, (pixels.shape[1] - 1) * sx + 1, self.channels)
        whole = scratch.get("whole", shape, strip.dtype)
        self._weigh(strip, whole)
        pixels[...] = whole[::sy, ::sx]
        return out

    def _weigh(self, strip: Array, out: Array) -> None:
        """Weigh into `out`, (rows, columns, channels), at every place; every channel is a plane of its own."""
        pixels = strip.reshape(len(strip), -1, self.channels)
        rows, columns, spectrum = out.shape[0], out.shape[1], self.spectrum
        self.plane[len(strip) :] = 0
        self.plane[:, pixels.shape[1] :] = 0
        for channel in range(self.channels):
            self.plane[: len(strip), : pixels.shape[1]] = pixels[:, :, channel]
            np.fft.rfft(self.plane, out=spectrum)
            np.fft.fft(spectrum, axis=0, out=spectrum)
            np.multiply(spectrum, self.weights, out=spectrum)
            np.fft.ifft(spectrum, axis=0, out=spectrum)
            np.fft.irfft(spectrum[:rows], self.length, out=self.whole[:rows])
            out[:, :, channel] = self.whole[:rows, :columns]


class GuardedSpectrum:
    """Weighs floats by transforms, and by plain sums in the tiles that transforms would be too far off in."""

    def __init__(self, spectrum: Spectrum, magnitudes: Spectrum | None, plain: Sum) -> None:
        """Take what weighs the samples, what weighs their magnitudes where those are others, and the plain way."""
        self.spectrum, self.magnitudes, self.plain = spectrum, magnitudes, plain

    def __call__(self, strip: Array, out: Array, scratch: Scratch) -> Array:
        """Weigh (rows, samples) into the smaller `out`."""
        self.spectrum(strip, out, scratch)
        sums = out
        if self.magnitudes is not None:
            positive = np.abs(strip, out=scratch.get("positive", strip.shape, strip.dtype))
            sums = self.magnitudes(positive, scratch.get("magnitudes", out.shape, out.dtype), scratch)
        reach = float(max(strip.max(), -strip.min())) * self.spectrum.total
        error = transform_error(reach, self.spectrum.length**2, strip.dtype)
        return out if is_near(float(sums.min()), error) else self.plain(strip, out, scratch)
