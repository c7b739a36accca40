"""Large kernels by the fast Fourier transform, one tile at a time (overlap-save)."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcli.backend.algorithms.fft import is_near, transform_error
from convcli.backend.algorithms.slide import Slide
from convcli.backend.bands.passes import Scratch

Array = NDArray[Any]
Sum = Callable[[Array, Array, Scratch], Array]  # writes the weighted sums of a strip into an array


class Spectrum:
    """The spectrum of a kernel, for tiles of one size.

    A tile is padded input, (rows, width * channels). Of its F x F positions, F - span + 1 per axis are outputs; the
    others have wrapped around the edge (Press et al., Numerical Recipes, section 13.1).
    """

    def __init__(self, weights: Array, slide: Slide, channels: int, length: int, dtype: Any) -> None:
        spread = np.zeros(slide.spans, dtype)
        spread[:: slide.dilation[0], :: slide.dilation[1]] = weights
        self.length, self.channels, self.stride = length, channels, slide.stride
        self.total = float(np.abs(weights).sum())
        # Correlation is convolution with the rotated kernel: the conjugate of its spectrum.
        self.weights = np.conj(np.fft.rfft2(spread, (length, length)))
        # Buffers for one plane, allocated once: allocating memory again costs as much as the transforms.
        self.plane = np.zeros((length, length), dtype)
        self.spectrum = np.empty(self.weights.shape, self.weights.dtype)
        self.whole = np.empty((length, length), dtype)

    def __call__(self, strip: Array, out: Array, scratch: Scratch) -> Array:
        """Write the weighted sums of `strip`, (rows, samples), into the smaller `out`, with the stride."""
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
        """Write the weighted sums of every position into `out`, (rows, columns, channels), one channel at a time."""
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
    """Weighted sums of floats by transforms, or plain sums for tiles where the error of transforms is too large."""

    def __init__(self, spectrum: Spectrum, magnitudes: Spectrum | None, plain: Sum) -> None:
        """Take the spectrum, that of the absolute weights if they differ, and the plain sum."""
        self.spectrum, self.magnitudes, self.plain = spectrum, magnitudes, plain

    def __call__(self, strip: Array, out: Array, scratch: Scratch) -> Array:
        """Write the weighted sums of `strip`, (rows, samples), into the smaller `out`."""
        self.spectrum(strip, out, scratch)
        sums = out
        if self.magnitudes is not None:
            positive = np.abs(strip, out=scratch.get("positive", strip.shape, strip.dtype))
            sums = self.magnitudes(positive, scratch.get("magnitudes", out.shape, out.dtype), scratch)
        reach = float(max(strip.max(), -strip.min())) * self.spectrum.total
        error = transform_error(reach, self.spectrum.length**2, strip.dtype)
        return out if is_near(float(sums.min()), error) else self.plain(strip, out, scratch)
