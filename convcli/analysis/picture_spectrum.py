"""The power spectrum of a picture before and after kernels."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from convcli.analysis.rank import Array
from convcli.analysis.response import frequency_response
from convcli.errors import ArgumentError
from convcli.filters.filter_picture import filter_picture
from convcli.kernels.kernel import Kernel

BINS = 16  # rings of frequencies from 0 to 1/2 cycles per pixel over which the power is averaged
FLOOR = -300.0  # decibels at and below which a power counts as 0


class Spectra(NamedTuple):
    """A picture before and after kernels, the spectra of both, and the frequency response of the kernels.

    before, after : (H, W)
    spectra : the power of both at each frequency, zero frequency in the middle; it sums to the mean of their squares,
        less the squared mean
    response : (size, size), the factor by which linear kernels multiply the magnitude of each frequency
    """

    before: Array
    after: Array
    spectra: tuple[Array, Array]
    response: Array


def spectra(values: Array, kernels: Sequence[Kernel], size: int = 256) -> Spectra:
    """Return the spectra of a picture less its mean, before and after a chain of kernels.

    values : (H, W)
    size : rows and columns of the frequency response

    The kernels use circular padding, because a discrete Fourier transform takes the picture as one period. Linear
    kernels then multiply each frequency exactly by their response.
    """
    values = np.asarray(values, np.float64)
    if not np.isfinite(values).all():
        raise ArgumentError("the picture holds NaN or infinity, which have no spectrum; replace them first")
    after = values
    for kernel in kernels:
        options: dict[str, Any] = {"dims": 1} if kernel.dims == 1 else {}
        after = filter_picture(after, kernel, padding_mode="circular", value_range=None, **options)
    return Spectra(values, after, (_power(values), _power(after)), frequency_response(kernels, size))


def _power(values: Array) -> Array:
    found: Array = np.fft.fftshift(np.abs(np.fft.fft2(values - values.mean()) / values.size) ** 2)
    return found


def radial_rows(found: Spectra) -> list[dict[str, float | None]]:
    """Return the mean power of rings of frequencies before and after, in decibels.

    0 dB is the largest power of a ring before. A row has the middle frequency of its ring in cycles per pixel, both
    powers, and the gain, which is their difference; None where there is no power.
    """
    edges = np.linspace(0, 0.5, BINS + 1)
    powers = [_rings(power, edges) for power in found.spectra]
    most = float(np.nanmax(powers[0], initial=0.0))
    rows: list[dict[str, float | None]] = []
    for low, high, before, after in zip(edges[:-1], edges[1:], *powers, strict=True):
        was, becomes = (decibels(float(power), most) for power in (before, after))
        gain = None if was is None or becomes is None else becomes - was
        rows.append({"frequency": float(low + high) / 2, "before": was, "after": becomes, "gain": gain})
    return rows


def decibels(power: float, most: float) -> float | None:
    """Return a power in decibels relative to the largest one; None if it is 0."""
    if not (power > 0 and most > 0):
        return None
    found = 10 * float(np.log10(power / most))
    return found if found > FLOOR else None


def _rings(power: Array, edges: Array) -> Array:
    """Return the mean power of each ring; NaN if it holds no frequency."""
    rows, columns = (np.fft.fftshift(np.fft.fftfreq(n)) for n in power.shape)
    radius = np.hypot(rows[:, np.newaxis], columns)
    ring = np.digitize(radius, edges[1:-1])
    inside = (radius > 0) & (radius <= edges[-1])
    counts = np.bincount(ring[inside], minlength=len(edges) - 1)
    sums = np.bincount(ring[inside], power[inside], minlength=len(edges) - 1)
    with np.errstate(invalid="ignore"):
        found: Array = sums / counts
    return found


def binned(power: Array, size: int) -> Array:
    """Resample a spectrum to (size, size): average the power of several frequencies, or repeat the nearest one."""
    for axis in (0, 1):
        n = power.shape[axis]
        if n <= size:
            power = power.take(np.arange(size) * n // size, axis=axis)
        else:
            starts = -(-np.arange(size) * n // size)
            counts = np.diff([*starts, n]).reshape((-1, 1) if axis == 0 else (1, -1))
            power = np.add.reduceat(power, starts, axis=axis) / counts
    return power
