"""Equivariance: errors that vanish in theory are 0, and the others equal those of plain loops."""

from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convcli import backend
from convcli.analysis.equivariance import (
    MARGIN,
    Motion,
    change_by_a_pixel,
    rotation_difference,
    scaling_difference,
    shift_difference,
)
from convcli.backend import conv, conv_transpose, run_layer
from convcli.layers import AdaptivePool, Conv, Convolution, ConvTranspose, GlobalPool, MaxPool, Resize

X = np.random.default_rng(0).integers(0, 256, (2, 24, 24)).astype(float)


def filtering(kernel):
    weight = np.broadcast_to(np.array(kernel, float), (2, 1, *np.shape(kernel)))
    return lambda x: conv(x, weight, padding="same", padding_mode="reflect", groups=2)


@given(st.lists(st.integers(-9, 9), min_size=9, max_size=9))
def test_every_kernel_is_equivariant_to_shifts(weights):
    assert shift_difference(filtering(np.reshape(weights, (3, 3))), X, 2) == pytest.approx(0, abs=1e-9)


def test_layers_that_depend_on_the_position_are_not():
    def brighter(x):
        return x + np.arange(x.shape[1])[:, None]

    assert shift_difference(brighter, X, 0) == 1
    assert shift_difference(lambda x: x.cumsum(axis=1), X, 0) == X[:, 0].max()


def test_an_enlarged_picture_moves_by_two():
    weight = np.ones((2, 1, 2, 2))
    steps = ((1, 2), (1, 2))
    assert shift_difference(lambda x: conv_transpose(x, weight, stride=2, groups=2), X, 0, steps) == 0


WINDOWS = st.one_of(
    *(
        st.builds(make, kernel_size=st.integers(1, 3), stride=st.tuples(st.integers(1, 3), st.integers(1, 3)))
        for make in (
            MaxPool,
            partial(Conv, in_channels=1, out_channels=1),
            partial(Conv, in_channels=1, out_channels=1, padding=1),
            partial(ConvTranspose, in_channels=1, out_channels=1),
        )
    ),
    st.builds(Resize, scale=st.tuples(st.integers(1, 2), st.integers(1, 2))),
)


@given(st.lists(WINDOWS, min_size=1, max_size=3))
def test_layers_move_by_their_strides(layers):
    """Shifting by `steps` keeps every sum and maximum, and an input larger by them has as many more outputs."""
    motion = Motion.of(layers)
    pixels = np.random.default_rng(1).standard_normal((1, 60, 61))

    def run(x):
        for layer in layers:
            arrays = (
                {"weight": np.ones((1, 1, *layer.kernel_size)), "bias": np.zeros(1)}
                if isinstance(layer, Convolution)
                else {}
            )
            x = run_layer(layer, x[np.newaxis], **arrays)[0]
        return x

    found = shift_difference(run, pixels, motion.reach - MARGIN, motion.steps)
    assert found is None or found == pytest.approx(0, abs=1e-9)
    (down, lower), (across, further) = motion.steps
    whole, smaller = run(pixels), run(pixels[:, :-down, :-across])
    assert whole.shape == (1, smaller.shape[1] + lower, smaller.shape[2] + further)


def test_pools_of_a_fixed_size_do_not_move():
    assert Motion.of([MaxPool(kernel_size=2), GlobalPool()]) is None
    assert Motion.of([AdaptivePool(output_size=7)]) is None
    assert Motion.of([Resize(scale=2), MaxPool(kernel_size=4)]).steps == ((2, 1), (2, 1))
    assert Motion.of([MaxPool(kernel_size=4), Resize(scale=2)]).steps == ((4, 2), (4, 2))
    assert Motion.of([Resize(scale=3), MaxPool(kernel_size=2)]).steps == ((2, 3), (2, 3))


@pytest.mark.parametrize(
    ("kernel", "vanishes"),
    [
        ([[1, 2, 1], [2, 4, 2], [1, 2, 1]], True),
        ([[0, 1, 0], [1, -4, 1], [0, 1, 0]], True),
        ([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]], False),
        ([[1, 2, 3]], False),
    ],
)
def test_rotation_changes_no_kernel_that_is_symmetric_under_it(kernel, vanishes):
    found = rotation_difference(filtering(kernel), X, 3)
    if vanishes:
        assert found == pytest.approx(0, abs=1e-9)
        return
    across, down = (
        filtering(each)(X) for each in (kernel, np.rot90(kernel, -1))
    )  # the picture turned, or it
    assert found == pytest.approx(np.abs(across - down)[:, 3:-3, 3:-3].max())


def test_doubling_changes_no_single_tap():
    assert scaling_difference(filtering([[3]]), X, 0) == 0
    y = filtering([[0, 1, 1]])(X)
    wide = X.repeat(2, axis=1).repeat(2, axis=2)
    expected = np.abs(filtering([[0, 1, 1]])(wide) - y.repeat(2, axis=1).repeat(2, axis=2))
    assert scaling_difference(filtering([[0, 1, 1]]), X, 1) == expected[:, 2:-2, 2:-2].max() > 0


def test_nothing_is_reported_if_all_outputs_see_the_border():
    run = filtering(np.ones((3, 3)))
    assert shift_difference(run, X[:, :5, :5], 2) is None
    assert rotation_difference(run, X[:, :4], 2) is None
    assert scaling_difference(run, X[:, :4, :4], 2) is None


def test_a_change_is_a_share_of_the_variation():
    """By its definition, in plain loops; 0 if the outputs stay equal, and smaller for wider pools."""
    x = np.random.default_rng(0).standard_normal((1, 20, 24))
    before, after = x[:, :, :-1], x[:, :, 1:]
    inner = [(row, column) for row in range(3, 17) for column in range(3, 20)]
    mean = sum(before[0][place] for place in inner) / len(inner)
    variation = sum(abs(before[0][place] - mean) for place in inner)
    change = sum(abs(after[0][place] - before[0][place]) for place in inner)
    assert change_by_a_pixel(lambda part: part, x, 3) == pytest.approx(change / variation)
    assert change_by_a_pixel(lambda part: np.ones_like(part), x, 3) == 0
    assert change_by_a_pixel(lambda part: part, x, 10) is None
    smooth = np.cumsum(np.random.default_rng(1).standard_normal((1, 128, 129)), axis=2)
    changes = [
        change_by_a_pixel(lambda part, width=width: backend.max_pool(part, (width, width)), smooth, 2)
        for width in (1, 2, 4, 8)
    ]
    assert changes == sorted(changes, reverse=True)
