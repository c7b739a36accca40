"""Offsets: where deformable taps look, as fields over a picture, and sampling beyond its border."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from math import log, prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcli import backend
from convcli.backend.borders import pad
from convcli.errors import ArgumentError
from convcli.layers import DeformConv
from convcli.layers.axes import Sizes, by_axes
from convcli.layers.padding import span

Array = NDArray[Any]

# From the size of the picture and the places (2, H', W') that the outputs look at, the offsets (dy, dx) in pixels.
Field = Callable[[Sizes, Array], Array]


def swirl(strength: float = 3.0, radius: float = 0.0) -> Field:
    """Turn the picture around its middle, by `strength` radians there and less further out.

    scikit-image's `swirl`: the turn falls with exp(-distance / (radius * ln 2 / 5)); the effect ends at about
    `radius` pixels, without one at the longer side.
    """
    _check("swirl", radius=(radius, 0.0))

    def field(size: Sizes, places: Array) -> Array:
        away = places - _middle(size)
        distance = np.hypot(*away)
        reach = (radius or max(size)) * log(2) / 5
        turn = strength * np.exp(-distance / reach)
        angle = np.arctan2(away[0], away[1]) + turn
        moves: Array = np.stack([distance * np.sin(angle), distance * np.cos(angle)]) - away
        return moves

    return field


def lens(strength: float = 0.3) -> Field:
    """Bend the picture as a lens does: a place at r looks at r * (1 + strength * r**2).

    The first radial term of Brown (1971), "Close-range camera calibration", with r = 1 at the corners: above 0
    the edges are drawn in (barrel), below 0 they are drawn out (pincushion).
    """

    def field(size: Sizes, places: Array) -> Array:
        away = places - _middle(size)
        corner = sum(((n - 1) / 2) ** 2 for n in size) or 1.0
        moves: Array = away * (strength * (away**2).sum(axis=0) / corner)
        return moves

    return field


def random(sigma: float = 3.0, seed: int = 0, smooth: float = 8.0) -> Field:
    """Move every place by chance, by `sigma` pixels (a standard deviation) along each axis.

    The moves are smoothed by a Gaussian of `smooth` pixels: the elastic distortions of Simard, Steinkraus &
    Platt (2003). smooth=0 moves each pixel on its own, as frosted glass does.
    """
    _check("random", sigma=(sigma, 0.0), smooth=(smooth, 0.0), seed=(seed, 0.0))

    def field(size: Sizes, places: Array) -> Array:
        noise = np.random.default_rng(seed).standard_normal(places.shape, np.float32)
        if smooth:
            from convcli.backend.image import filter_image
            from convcli.kernels.smoothing import gaussian

            bell = gaussian(max(smooth, 0.05))
            noise = np.stack([filter_image(part, bell).pixels for part in noise])
        noise -= noise.mean(axis=(1, 2), keepdims=True)  # the picture as a whole stays where it is
        spread = noise.std() or 1.0
        return noise * (sigma / spread)

    return field


FIELDS: dict[str, Callable[..., Field]] = {"swirl": swirl, "lens": lens, "random": random}


def _check(name: str, **values: tuple[float, float]) -> None:
    for word, (value, least) in values.items():
        if not value >= least:
            raise ArgumentError(f"offsets {name}: {word} must be at least {least:g}, got {value:g}")


def _middle(size: Sizes) -> Array:
    return np.array([(n - 1) / 2 for n in size]).reshape(-1, 1, 1)


@dataclass(frozen=True)
class Moves:
    """The offsets of a layer on a picture of a size, in memory only when something is deformed.

    A field moves all taps of a place alike; so does an array (2, *output), and (2 * taps, *output) has a move
    for each tap. They are in pixels, down and then to the right, as torchvision's deform_conv2d takes them:
    the tap looks that far away, so positive moves draw the picture up and to the left.
    """

    layer: DeformConv
    given: Field | Array
    size: Sizes

    @classmethod
    def of(cls, layer: DeformConv, given: Field | Array, size: Sizes) -> "Moves":
        """Check an array's shape, which needs no look at its numbers."""
        output, taps = layer.output_size(size), prod(layer.kernel_size)
        if not callable(given) and given.shape not in ((2, *output), (2 * taps, *output)):
            raise ArgumentError(
                f"the offsets have shape {given.shape}; an output of {by_axes(output)} needs {(2, *output)}, a "
                f"move (dy, dx) for each place, or {(2 * taps, *output)}, one for each of the {taps} taps"
            )
        return cls(layer, given, size)

    @cached_property
    def array(self) -> Array:
        """The offsets (2 * taps, *output)."""
        given, taps = self.given, prod(self.layer.kernel_size)
        moves = given(self.size, middles(self.layer, self.size)) if callable(given) else given
        return np.tile(moves, (taps, 1, 1)) if len(moves) == 2 and taps > 1 else moves


def middles(layer: Any, size: Sizes) -> Array:
    """Return where the middle of each window lies: places (2, *output) in pixels of the input."""
    axes = zip(
        layer.output_size(size),
        layer.stride,
        layer.kernel_size,
        layer.dilation,
        layer.pads(size),
        strict=True,
    )
    lines = [np.arange(count) * s + (span(k, d) - 1) / 2 - before for count, s, k, d, (before, _) in axes]
    return np.stack(np.meshgrid(*lines, indexing="ij"))


def deformed(layer: DeformConv, x: Array, arrays: Mapping[str, Any], mode: str, outside: float) -> Array:
    """Run a deformable convolution on x (N, C, H, W) that goes on beyond its border as `mode` says."""
    flat = {**arrays, "offset": arrays["offset"][np.newaxis]}
    if mode == "zeros" or (mode == "constant" and not outside):
        return backend.run_layer(layer, x, **flat)
    if mode == "constant":  # linear: zeros around x - outside, and what the kernel makes of outside alone
        whole = np.asarray(arrays["weight"]).reshape(layer.out_channels, -1).sum(axis=1) * outside
        shifted = backend.run_layer(layer, x - x.dtype.type(outside), **flat)
        shifted += whole.astype(shifted.dtype).reshape(-1, 1, 1)
        return shifted
    size, offset = x.shape[2:], arrays["offset"]
    pads, output = layer.pads(size), layer.output_size(size)
    held = offset.reshape(-1, 2, *output).copy()
    for axis, n in enumerate(size):
        base = _bases(layer, axis, output, pads[axis][0])
        held[:, axis] += base
        _fold(held[:, axis], n, mode)
        held[:, axis] -= base
    if mode == "circular":  # between the last element and the first lies one more
        x = pad(x, ((0, 1), (0, 1)), (2, 3), mode)
    still: Any = replace(layer, padding=pads)
    more = tuple(after - now for after, now in zip(still.output_size(x.shape[2:]), output, strict=True))
    if any(more):
        held = np.pad(held, ((0, 0), (0, 0), *((0, extra) for extra in more)))
    given = {**arrays, "offset": held.reshape(1, -1, *held.shape[2:])}
    y: Array = backend.run_layer(still, x, **given)
    return y[:, :, : output[0], : output[1]]


def _bases(layer: DeformConv, axis: int, output: Sizes, before: int) -> Array:
    """Return where each tap lies on one axis before it is moved: (taps, H', 1) or (taps, 1, W')."""
    taps = np.array([tap[axis] for tap in np.ndindex(*layer.kernel_size)]) * layer.dilation[axis]
    line = np.arange(output[axis]) * layer.stride[axis] - before
    places = taps[:, np.newaxis] + line
    laid: Array = places[:, :, np.newaxis] if axis == 0 else places[:, np.newaxis]
    return laid


def _fold(places: Array, n: int, mode: str) -> None:
    """Bring places beyond an axis of n elements to where the same numbers stand within it."""
    if mode == "circular":
        places %= n
    elif mode == "reflect":
        period = max(1, 2 * (n - 1))
        places %= period
        np.minimum(places, period - places, out=places)
    elif mode == "symmetric":
        places += 0.5
        places %= 2 * n
        np.minimum(places, 2 * n - places, out=places)
        places -= 0.5
    places.clip(0, n if mode == "circular" else n - 1, out=places)


def nearest_of(layer: DeformConv, x: Array, offset: Array, mode: str, outside: float) -> Array:
    """Return the pixel of x (C, H, W) that lies nearest to where the middle tap of each place looks."""
    size = x.shape[1:]
    output, pads = layer.output_size(size), layer.pads(size)
    moves = offset.reshape(-1, 2, *output)
    middle = len(moves) // 2
    index, hidden = [], np.zeros(output, bool)
    for axis, n in enumerate(size):
        places = moves[middle, axis] + _bases(layer, axis, output, pads[axis][0])[middle]
        if mode in ("zeros", "constant"):
            hidden |= (places <= -0.5) | (places >= n - 0.5)
        _fold(places, n, mode)
        index.append(np.rint(places).astype(np.intp).clip(0, n) % n)
    found = x[(slice(None), *index)]
    found[:, hidden] = outside if mode == "constant" else 0
    return found
