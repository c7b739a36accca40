"""Offsets: where deformable taps look, as fields over a picture, and sampling beyond its border."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, partial
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
# Partial functions, not closures: a field may be sent to another process.
Field = Callable[[Sizes, Array], Array]


def swirl(strength: float = 3.0, radius: float = 0.0) -> Field:
    """Turn the picture around its middle, by `strength` radians there and less further out.

    scikit-image's `swirl`: the turn falls with exp(-distance / (radius * ln 2 / 5)); the effect ends at about
    `radius` pixels, without one at the longer side.
    """
    _check("swirl", radius=(radius, 0.0))

    return partial(_swirled, strength, radius)


def _swirled(strength: float, radius: float, size: Sizes, places: Array) -> Array:
    away = places - _middle(size)
    distance = np.hypot(*away)
    reach = (radius or max(size)) * log(2) / 5
    turn = strength * np.exp(-distance / reach)
    angle = np.arctan2(away[0], away[1]) + turn
    moves: Array = np.stack([distance * np.sin(angle), distance * np.cos(angle)]) - away
    return moves


def lens(strength: float = 0.3) -> Field:
    """Bend the picture as a lens does: a place at r looks at r * (1 + strength * r**2).

    The first radial term of Brown (1971), "Close-range camera calibration", with r = 1 at the corners: above 0
    the edges are drawn in (barrel), below 0 they are drawn out (pincushion).
    """
    return partial(_bent, strength)


def _bent(strength: float, size: Sizes, places: Array) -> Array:
    away = places - _middle(size)
    corner = sum(((n - 1) / 2) ** 2 for n in size) or 1.0
    moves: Array = away * (strength * (away**2).sum(axis=0) / corner)
    return moves


def random(sigma: float = 3.0, seed: int = 0, smooth: float = 8.0) -> Field:
    """Move every place by chance, by `sigma` pixels (a standard deviation) along each axis.

    The moves are smoothed by a Gaussian of `smooth` pixels: the elastic distortions of Simard, Steinkraus &
    Platt (2003). smooth=0 moves each pixel on its own, as frosted glass does.
    """
    _check("random", sigma=(sigma, 0.0), smooth=(smooth, 0.0), seed=(seed, 0.0))
    return partial(_scattered, sigma, seed, smooth)


def _scattered(sigma: float, seed: int, smooth: float, size: Sizes, places: Array) -> Array:
    noise = np.random.default_rng(seed).standard_normal(places.shape, np.float32)
    if smooth:
        from convcli.backend.image import filter_image
        from convcli.kernels.smoothing import gaussian

        bell = gaussian(max(smooth, 0.05))
        noise = np.stack([filter_image(part, bell).pixels for part in noise])
    noise -= noise.mean(axis=(1, 2), keepdims=True)  # the picture as a whole stays where it is
    spread = noise.std() or 1.0
    return noise * (sigma / spread)


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
        """The offsets: (2, *output) for all taps, or (2 * taps, *output)."""
        given = self.given
        return given(self.size, middles(self.layer, self.size)) if callable(given) else given

    @property
    def alike(self) -> bool:
        """Whether all taps of a place move alike."""
        return callable(self.given) or len(self.given) == 2


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
    lines = [
        np.arange(count) * (s if count > 1 else 1) + (span(k, d) - 1) / 2 - before
        for count, s, k, d, (before, _) in axes
    ]
    return np.stack(np.meshgrid(*lines, indexing="ij"))


def deformed(layer: DeformConv, x: Array, arrays: Mapping[str, Any], mode: str, outside: float) -> Array:
    """Run a deformable convolution on x (N, C, H, W) that goes on beyond its border as `mode` says."""
    if (
        mode == "constant" and outside
    ):  # linear: zeros around x - outside, and what the kernel makes of outside alone
        whole = np.asarray(arrays["weight"]).reshape(layer.out_channels, -1).sum(axis=1) * outside
        shifted = deformed(layer, x - x.dtype.type(outside), arrays, "zeros", 0)
        shifted += whole.astype(shifted.dtype).reshape(-1, 1, 1)
        return shifted
    size, moves, weight = x.shape[2:], arrays["offset"], arrays["weight"]
    output = layer.output_size(size)
    if mode == "circular":  # between the last element and the first lies one more
        x = pad(x, ((0, 1), (0, 1)), (2, 3), mode)
    if len(moves) > 2:
        return _each_tap(layer, x, arrays, mode, size, output)
    # Taps that move alike one by one, each a kernel of its own: the places of one tap at a time are in memory.
    single: Any = replace(
        layer, kernel_size=(1, 1), dilation=(1, 1), padding=_reach(layer, x.shape[2:], output), bias=False
    )
    total: Array | None = None
    for number, tap in enumerate(np.ndindex(*layer.kernel_size)):
        places = np.stack(
            [
                _folded(moves[axis] + _bases(layer, axis, output, before, x.dtype)[number], size[axis], mode)
                for axis, (before, _) in enumerate(layer.pads(size))
            ]
        )
        part = _run(single, x, weight[(..., *(slice(t, t + 1) for t in tap))], places, output)
        total = part if total is None else np.add(total, part, out=total)
    assert total is not None
    if arrays.get("bias") is not None:
        total += arrays["bias"].reshape(-1, 1, 1)
    return total


def _each_tap(
    layer: DeformConv, x: Array, arrays: Mapping[str, Any], mode: str, size: Sizes, output: Sizes
) -> Array:
    """Run a deformable convolution whose taps each have moves of their own."""
    moves = arrays["offset"].reshape(-1, 2, *output)
    pads = layer.pads(size)
    places = np.stack(
        [
            _folded(moves[:, axis] + _bases(layer, axis, output, pads[axis][0], x.dtype), size[axis], mode)
            for axis in (0, 1)
        ],
        axis=1,
    )
    still: Any = replace(layer, padding=pads)
    y = _run(still, x, arrays["weight"], places.reshape(-1, *output), output)
    return y + arrays["bias"].reshape(-1, 1, 1) if arrays.get("bias") is not None else y


def _run(layer: DeformConv, x: Array, weight: Array, places: Array, output: Sizes) -> Array:
    """Run a layer on the places that its taps look at, (2 * taps, *output)."""
    moves = places.reshape(-1, 2, *output)
    for axis, (before, _) in enumerate(layer.pads(x.shape[2:])):
        moves[:, axis] -= _bases(layer, axis, output, before, x.dtype)
    more = [after - now for after, now in zip(layer.output_size(x.shape[2:]), output, strict=True)]
    if any(more):
        moves = np.pad(moves, ((0, 0), (0, 0), *((0, extra) for extra in more)))
    y: Array = backend.run_layer(
        replace(layer, bias=False), x, weight=weight, offset=moves.reshape(1, -1, *moves.shape[2:])
    )
    return y[:, :, : output[0], : output[1]]


def _reach(layer: DeformConv, size: Sizes, output: Sizes) -> tuple[tuple[int, int], ...]:
    """Return the padding with which a single tap has at least as many places as the layer."""
    steps = zip(size, output, layer.stride, strict=True)
    return tuple((0, max(0, (count - 1) * s + 1 - n)) for n, count, s in steps)


def _bases(layer: DeformConv, axis: int, output: Sizes, before: int, dtype: np.dtype[Any]) -> Array:
    """Return where each tap lies on one axis before it is moved: (taps, H', 1) or (taps, 1, W')."""
    taps = np.array([tap[axis] for tap in np.ndindex(*layer.kernel_size)]) * layer.dilation[axis]
    line = np.arange(output[axis]) * (layer.stride[axis] if output[axis] > 1 else 1) - before
    places = (taps[:, np.newaxis] + line).astype(dtype)
    laid: Array = places[:, :, np.newaxis] if axis == 0 else places[:, np.newaxis]
    return laid


def _folded(places: Array, n: int, mode: str) -> Array:
    """Bring places beyond an axis of n elements to where the same numbers stand within it; zeros have none."""
    if mode in ("zeros", "constant"):
        return places
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
    return places.clip(0, n if mode == "circular" else n - 1, out=places)


def nearest_of(layer: DeformConv, x: Array, offset: Array, mode: str, outside: float) -> Array:
    """Return the pixel of x (C, H, W) that lies nearest to where the middle tap of each place looks."""
    size = x.shape[1:]
    output, pads = layer.output_size(size), layer.pads(size)
    moves = offset.reshape(-1, 2, *output).astype(np.float64, copy=False)
    middle = prod(layer.kernel_size) // 2
    index, hidden = [], np.zeros(output, bool)
    for axis, n in enumerate(size):
        places = (
            moves[middle if len(moves) > 1 else 0, axis]
            + _bases(layer, axis, output, pads[axis][0], moves.dtype)[middle]
        )
        if mode in ("zeros", "constant"):
            hidden |= (places <= -0.5) | (places >= n - 0.5)
        index.append(np.rint(_folded(places, n, mode)).astype(np.intp).clip(0, n) % n)
    found = x[(slice(None), *index)]
    found[:, hidden] = outside if mode == "constant" else 0
    return found
