"""Recurrent convolution equals plain repeats on the picture and the last output, in any tiles; and its errors."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convcli import backend, filter_picture
from convcli.errors import ArgumentError
from convcli.filters.recipe import Recipe
from convcli.filters.tiles import tile_plan
from convcli.filters.tiles.tile_loop import values_of
from tests.examples import examples

RNG = np.random.default_rng(0)
PICTURE = RNG.integers(0, 256, (17, 23, 3), dtype=np.uint8)


def recurrent(x, weights, times, bias=None, activation=None, mode="reflect", groups=1):
    """Run the layer on the picture (C, H, W) and the last output, which starts as zeros."""
    answer = np.zeros((len(weights), *x.shape[1:]))
    for _ in range(times):
        seen = np.concatenate([x, answer])
        answer = backend.conv(seen, weights, bias, padding="same", padding_mode=mode, groups=groups)
        if activation is not None:
            answer = backend.activation(answer[None], activation)[0]
    return answer


@settings(max_examples=examples(25))
@given(
    answers=st.integers(1, 4),
    times=st.integers(2, 4),
    kernel=st.tuples(st.integers(1, 3), st.integers(1, 4)),
    activation=st.sampled_from([None, "relu", "abs"]),
    mode=st.sampled_from(["reflect", "zeros", "circular", "replicate"]),
    colours=st.booleans(),
)
def test_feedback_equals_repeated_layers(answers, times, kernel, activation, mode, colours):
    picture = PICTURE if colours else PICTURE[..., 0]
    x = np.moveaxis(np.atleast_3d(picture), 2, 0).astype(float)
    weights = np.random.default_rng(answers).standard_normal((answers, len(x) + answers, *kernel)) / 8
    bias = np.random.default_rng(times).standard_normal(answers)
    made = filter_picture(
        picture, weights=weights, bias=bias, repeat=times, feedback=True, activation=activation, padding_mode=mode,
        value_range=None,
    )  # fmt: skip
    expected = recurrent(x, weights, times, bias, activation, mode)
    assert np.moveaxis(np.atleast_3d(made), 2, 0) == pytest.approx(expected, rel=1e-4, abs=1e-2)


def test_a_kernel_that_sums_all_channels():
    made = filter_picture(
        PICTURE, "gaussian:sigma=0.8,size=3", variant="standard", repeat=3, feedback=True, value_range=None
    )
    kernel = np.outer(*[np.exp(-np.array([1, 0, 1]) / (2 * 0.64))] * 2)
    weights = np.broadcast_to(kernel / kernel.sum(), (1, 4, 3, 3))
    expected = recurrent(np.moveaxis(PICTURE, 2, 0).astype(float), weights, 3)
    assert made == pytest.approx(expected[0], rel=1e-4)


def test_a_matrix_that_mixes_channels():
    matrix = RNG.standard_normal((2, 5)) / 4
    made = filter_picture(PICTURE, pointwise=matrix, repeat=3, feedback=True, value_range=None)
    expected = recurrent(np.moveaxis(PICTURE, 2, 0).astype(float), matrix[..., None, None], 3)
    assert np.moveaxis(made, 2, 0) == pytest.approx(expected, rel=1e-4, abs=1e-2)


def test_tiles_and_legs_change_nothing(monkeypatch):
    x = RNG.standard_normal((2, 90, 70))
    weights = RNG.standard_normal((3, 5, 3, 3)) / 8
    recipe = Recipe(variant="standard", weights=weights, repeat=4, feedback=True)
    whole = values_of(x, recipe.stages(x.shape), 1)
    monkeypatch.setattr(tile_plan, "SAMPLES", 1 << 9)
    monkeypatch.setattr(tile_plan, "MAX_HELD", 1 << 13)
    for threads in (1, 2):
        assert values_of(x, recipe.stages(x.shape), threads) == pytest.approx(whole, rel=1e-12, abs=1e-12)
    assert whole == pytest.approx(recurrent(x, weights, 4), rel=1e-9, abs=1e-9)


def test_alpha_is_kept(tmp_path):
    picture = np.dstack([PICTURE, RNG.integers(0, 256, PICTURE.shape[:2], dtype=np.uint8)])
    weights = RNG.random((3, 6, 3, 3)) / 54
    made = filter_picture(picture, weights=weights, repeat=2, feedback=True)
    assert made.shape == picture.shape
    assert np.array_equal(made[..., 3], picture[..., 3])


def test_costs_are_counted():
    recipe = Recipe(variant="standard", weights=np.ones((2, 5, 3, 3)), repeat=3, feedback=True)
    stages = recipe.stages((3, 10, 12))
    assert [stage.output_shape((3, 10, 12) if n == 0 else (5, 10, 12)) for n, stage in enumerate(stages)] == [
        (5, 10, 12), (5, 10, 12), (5, 10, 12), (2, 10, 12),
    ]  # fmt: skip
    assert sum(stage.cost((5, 10, 12)).macs for stage in stages[1:]) == 3 * 10 * 12 * 2 * 5 * 9


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kernel": "box", "repeat": 2}, "`feedback` appends the output to the picture, and `variant='depthwise'` outputs as many channels as it takes; give `weights` (O, C + O, rows, columns), or `variant='standard'`"),
        ({"weights": np.ones((2, 5, 3, 3))}, "`feedback` passes the output to the next repeat; give `repeat=2` or more with it"),
        ({"weights": np.ones((2, 3, 3, 3)), "repeat": 2}, "`weights` has shape (2, 3, 3, 3); on 5 channels `variant='standard'` needs 5 on its second axis"),
        ({"weights": np.ones((2, 5, 3, 3)), "repeat": 2, "stride": 2}, "`feedback` appends the output to the picture, and the layer turns 17x23 in 5 channel(s) into 9x12 in 2; use `padding='same'`, no stride and no pool"),
        ({"weights": np.ones((2, 5, 3, 3)), "repeat": 2, "pool": "max:2"}, "`feedback` appends the output to the picture, and the layer turns 17x23 in 5 channel(s) into 8x11 in 2; use `padding='same'`, no stride and no pool"),
    ],
)  # fmt: skip
def test_errors(options, message):
    with pytest.raises(ArgumentError) as error:
        filter_picture(PICTURE, feedback=True, **options)
    assert str(error.value).removeprefix("cannot filter the picture: ") == message
