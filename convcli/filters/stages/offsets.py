"""Offsets of deformable convolutions: fields by name, or arrays."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from math import ceil, log, prod
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from convcli.errors import ArgumentError
from convcli.layers import Conv, DeformConv
from convcli.layers.axes import Sizes, by_axes
from convcli.layers.padding import span

Array = NDArray[Any]

# A function of the picture's size and of the window centres (2, H', W'), which returns the offsets (dy, dx) in pixels.
# Fields are partial functions, not closures, so that they can be sent to another process.
Field = Callable[[Sizes, Array], Array]


def swirl(strength: float = 3.0, radius: float = 0.0) -> Field:
    """Rotate the picture around its centre, by `strength` radians at the centre and less further out.

    Like scikit-image's `swirl`: the angle decreases with exp(-distance / (radius * ln 2 / 5)). The effect ends at about
    `radius` pixels, by default the longer side of the picture.
    """
    _check("swirl", radius=(radius, 0.0))

    return partial(_swirled, strength, radius)


def _swirled(strength: float, radius: float, size: Sizes, places: Array) -> Array:
    away = places - _middle(size)
    distance = np.hypot(*away)
    reach = (radius or max(size)) * log(2) / 5
    angle = strength * np.exp(-distance / reach)
    along, across = np.cos(angle) - 1, np.sin(angle)
    return np.stack([away[0] * along + away[1] * across, away[1] * along - away[0] * across])


def lens(strength: float = 0.3) -> Field:
    """Distort the picture radially like a lens: an output at radius r samples r * (1 + strength * r**2).

    The first radial term of Brown (1971), "Close-range camera calibration", with r = 1 at the corners: positive
    strengths give barrel distortion, negative ones pincushion distortion.
    """
    return partial(_displaced, strength)


def _displaced(strength: float, size: Sizes, places: Array) -> Array:
    away = places - _middle(size)
    corner = sum(((n - 1) / 2) ** 2 for n in size) or 1.0
    moves: Array = away * (strength * (away**2).sum(axis=0) / corner)
    return moves


def random(sigma: float = 3.0, seed: int = 0, smooth: float = 8.0) -> Field:
    """Displace every pixel randomly, with a standard deviation of `sigma` pixels along each axis.

    The displacements are smoothed by a Gaussian of `smooth` pixels: the elastic distortions of Simard, Steinkraus &
    Platt (2003). smooth=0 displaces each pixel independently, like frosted glass.
    """
    _check("random", sigma=(sigma, 0.0), smooth=(smooth, 0.0), seed=(seed, 0.0))
    return partial(_scattered, sigma, seed, smooth)


def _scattered(sigma: float, seed: int, smooth: float, size: Sizes, places: Array) -> Array:
    noise = np.random.default_rng(seed).standard_normal(places.shape, np.float32)
    if smooth:
        noise = np.stack([_smoothed(part, smooth) for part in noise])
    noise -= noise.mean(axis=(1, 2), keepdims=True)  # no displacement of the picture as a whole
    spread = noise.std() or 1.0
    return noise * (sigma / spread)


def _smoothed(noise: Array, sigma: float) -> Array:
    """Return noise smoothed by a Gaussian, of the same size."""
    from convcli.backend.bands.picture_in_bands import KernelOnPicture, Samples, in_bands
    from convcli.kernels.smoothing import gaussian

    bell = gaussian(max(sigma, 0.05))
    layer = Conv(in_channels=1, out_channels=1, kernel_size=bell.shape, padding="same", bias=False)
    matrices = [np.array(matrix) for matrix in bell.matrices]
    on_picture = KernelOnPicture.of(bell, matrices, layer, noise.shape, "reflect", 0.0, "auto", None)
    filter_noise = in_bands(on_picture, Samples.of(noise), "clip")
    assert filter_noise is not None, "sums of noise are never too large for bands"
    return filter_noise(noise).pixels


COARSE = 64  # positions per axis at which offsets are sampled to estimate their range
DEVIATIONS = 6  # standard deviations that hardly any random offset exceeds
PLACE_BY_PLACE = (
    _swirled,
    _displaced,
)  # fields whose offsets depend on the position only, so that regions can be computed

FIELDS: dict[str, Callable[..., Field]] = {"swirl": swirl, "lens": lens, "random": random}


def _check(name: str, **values: tuple[float, float]) -> None:
    for word, (value, least) in values.items():
        if not value >= least:
            raise ArgumentError(f"offsets {name}: {word} must be at least {least:g}, got {value:g}")


def _middle(size: Sizes) -> Array:
    return np.array([(n - 1) / 2 for n in size]).reshape(-1, 1, 1)


@dataclass(frozen=True)
class Moves:
    """The offsets of a layer for a picture of a given size, computed when they are first used.

    A field or an array (2, *output) moves all taps of a window alike; an array (2 * taps, *output) has an offset for
    each tap. Offsets are in pixels, (dy, dx), as in torchvision's deform_conv2d: a tap samples that far away, so
    positive offsets move the content of the picture up and to the left.
    """

    layer: DeformConv
    given: Field | Array
    size: Sizes

    @classmethod
    def of(cls, layer: DeformConv, given: Field | Array, size: Sizes) -> "Moves":
        """Check the shape of an array, and return the offsets."""
        output, taps = layer.output_size(size), prod(layer.kernel_size)
        if not callable(given) and given.shape not in ((2, *output), (2 * taps, *output)):
            raise ArgumentError(
                f"the offsets have shape {given.shape}; an output of {by_axes(output)} needs {(2, *output)}, an "
                f"offset (dy, dx) for each position, or {(2 * taps, *output)}, one for each of the {taps} taps"
            )
        return cls(layer, given, size)

    @cached_property
    def array(self) -> Array:
        """The offsets of all outputs: (2, *output) for all taps, or (2 * taps, *output)."""
        given = self.given
        return given(self.size, middles(self.layer, self.size)) if callable(given) else given

    def at(self, region: tuple[slice, ...]) -> Array:
        """Return the offsets (1 or taps, 2, *region) of a region of the output, as float64."""
        if callable(self.given) and self.is_computed_by_region:
            found = self.given(self.size, middles(self.layer, self.size, region))
        else:
            found = self.array[(slice(None), *region)]
        return found.reshape(-1, 2, *found.shape[1:]).astype(np.float64, copy=False)

    @property
    def output(self) -> Sizes:
        """The output size."""
        return self.layer.output_size(self.size)

    @property
    def is_computed_by_region(self) -> bool:
        """Whether offsets are computed region by region instead of for all outputs at once."""
        return callable(self.given) and getattr(self.given, "func", None) in PLACE_BY_PLACE

    @cached_property
    def _coarse(self) -> Array:
        """The offsets at a few positions, (2 * taps, rows, columns)."""
        given = self.given
        if not callable(given):
            steps = (max(1, n // COARSE) for n in given.shape[1:])
            found = given[(slice(None), *(slice(None, None, step) for step in steps))]
        else:
            lines = (np.linspace(0, n - 1, min(n, COARSE)) for n in self.size)
            with np.errstate(all="ignore"):  # NaN and infinity pass, as IEEE 754 has it
                found = given(self.size, np.stack(np.meshgrid(*lines, indexing="ij")))
        return np.nan_to_num(found, nan=0.0)

    def spread(self, tile: Sizes) -> int:
        """Estimate by how many pixels the offsets enlarge the input region of a tile, at most the picture's size."""
        if callable(self.given) and not self.is_computed_by_region:
            farthest = (
                2 * DEVIATIONS * self.given.args[0] if isinstance(self.given, partial) else max(self.size)
            )
            return ceil(min(farthest, max(self.size)))
        moves = self._coarse
        sides = (
            min(count, ceil(count * side / n) + 1)
            for count, side, n in zip(moves.shape[1:], tile, self.output, strict=True)
        )
        windows = sliding_window_view(moves, tuple(sides), axis=(1, 2))
        with np.errstate(over="ignore"):
            apart = float((windows.max(axis=(3, 4)) - windows.min(axis=(3, 4))).max())
        return ceil(min(apart, max(self.size)))


def middles(layer: Any, size: Sizes, region: tuple[slice, ...] | None = None) -> Array:
    """Return the centres of all windows, or of those of a region, as input coordinates (2, *output)."""
    output = layer.output_size(size)
    axes = zip(
        region or [slice(0, count) for count in output],
        output,
        layer.stride,
        layer.kernel_size,
        layer.dilation,
        layer.pads(size),
        strict=True,
    )
    lines = [
        np.arange(places.start, places.stop) * (s if count > 1 else 1) + (span(k, d) - 1) / 2 - before
        for places, count, s, k, d, (before, _) in axes
    ]
    return np.stack(np.meshgrid(*lines, indexing="ij"))
