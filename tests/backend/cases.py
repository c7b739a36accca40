"""Shared by the tests of the operators: random layers for Hypothesis, and comparisons of results."""

from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st

from convcli.layers.padding import resolve_padding

MODES = ("zeros", "constant", "reflect", "symmetric", "replicate", "circular")


@dataclass
class Case:
    """The numbers of one layer and its input, all of them valid."""

    images: int
    groups: int
    inputs: int  # of a group
    outputs: int  # of a group
    size: tuple[int, ...]
    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    dilation: tuple[int, ...]
    pads: tuple[tuple[int, int], ...]
    seed: int

    @property
    def x_shape(self):
        return (self.images, self.groups * self.inputs, *self.size)

    @property
    def weight_shape(self):
        return (self.groups * self.outputs, self.inputs, *self.kernel)

    @property
    def options(self):
        """The options as the operators take them."""
        return {"stride": self.stride, "padding": self.pads, "dilation": self.dilation}

    @property
    def plain(self):
        """The options as tests/reference.py takes them."""
        return {"stride": self.stride, "pads": self.pads, "dilation": self.dilation}

    @property
    def output(self):
        return tuple(
            (n + sum(pair) - d * (k - 1) - 1) // s + 1
            for n, pair, d, k, s in zip(
                self.size, self.pads, self.dilation, self.kernel, self.stride, strict=True
            )
        )

    def random(self):
        return np.random.default_rng(self.seed)

    def arrays(self, dtype=float):
        """Return x and weight: small numbers of both signs."""
        random = self.random()
        if np.dtype(dtype).kind in "iu":
            return random.integers(-9, 10, self.x_shape).astype(dtype), random.integers(
                -9, 10, self.weight_shape
            ).astype(dtype)
        x, weight = random.standard_normal(self.x_shape), random.standard_normal(self.weight_shape)
        if np.dtype(dtype).kind == "c":
            x = x + 1j * random.standard_normal(self.x_shape)
            weight = weight + 1j * random.standard_normal(self.weight_shape)
        return x.astype(dtype), weight.astype(dtype)


@st.composite
def cases(draw, largest=7, dims=(1, 2, 3), pool=False):
    """Draw a layer and an input it fits on; with `pool`, every window contains an element of the input."""
    axes = draw(st.sampled_from(dims))
    largest = min(largest, (12, 7, 4)[axes - 1])

    def several(low, high):
        return tuple(draw(st.lists(st.integers(low, high), min_size=axes, max_size=axes)))

    kernel = several(1, 3)
    dilation = several(1, 2)
    spans = [d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True)]
    widest = [reach - 1 if pool else 3 for reach in spans]
    pads = tuple((draw(st.integers(0, wide)), draw(st.integers(0, wide))) for wide in widest)
    size = tuple(
        draw(st.integers(max(1, reach - sum(pair)), max(largest, reach)))
        for reach, pair in zip(spans, pads, strict=True)
    )
    return Case(
        images=draw(st.integers(0, 2)),
        groups=draw(st.integers(1, 2)),
        inputs=draw(st.integers(1, 2)),
        outputs=draw(st.integers(1, 2)),
        size=size,
        kernel=kernel,
        stride=several(1, 3),
        dilation=dilation,
        pads=pads,
        seed=draw(st.integers(0, 2**32 - 1)),
    )


def fits(mode, case):
    """Return whether the input is large enough for the padding of the case in this mode."""
    widest = {"reflect": 1, "symmetric": 0, "circular": 0}
    if mode not in widest:
        return True
    return all(max(pair) <= n - widest[mode] for n, pair in zip(case.size, case.pads, strict=True))


def same_pads(name, case):
    return resolve_padding(name, case.size, case.kernel, case.stride, case.dilation)


def assert_close(actual, expected, rtol=1e-9):
    """Compare shape and numbers; the tolerance is of the largest number."""
    assert actual.shape == expected.shape
    finite = np.abs(expected[np.isfinite(expected)])
    np.testing.assert_allclose(actual, expected, rtol=rtol, atol=rtol * float(finite.max(initial=1)))
