"""NaN, infinite and huge samples only affect outputs within the reach of the kernels."""

import numpy as np
import pytest

from convcli import filter_picture
from convcli.filters.tiles.weighing import FiniteSums

RNG = np.random.default_rng(7)
SIZE, PLACE = 90, 45


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e30])
@pytest.mark.parametrize(
    ("kernels", "reach"),
    [
        (["gaussian:sigma=2", "box:3"], 9),
        ([RNG.random((7, 7)), "box:3"], 4),
        ([RNG.random((31, 31)), "box:3"], 16),
    ],
    ids=["factors", "products", "transforms"],
)
def test_a_bad_sample_stays_within_the_reach_of_the_kernels(
    kernels: list[object], reach: int, bad: float, dtype: str
) -> None:
    picture = RNG.random((SIZE, SIZE, 3)).astype(dtype)
    spoilt = picture.copy()
    spoilt[PLACE, PLACE, 1] = bad
    one, other = (
        filter_picture(each, kernels, value_range=None, padding_mode="zeros", threads=1)
        for each in (picture, spoilt)
    )
    near = np.zeros((SIZE, SIZE, 3), bool)
    near[PLACE - reach : PLACE + reach + 1, PLACE - reach : PLACE + reach + 1, 1] = True
    total = float(one.max())
    assert np.abs(one - other)[~near].max() <= 1e-5 * total
    assert not np.isclose(one, other, atol=total)[PLACE, PLACE, 1]


def test_fast_sums_are_used_for_finite_values_only() -> None:
    used: list[str] = []

    def named(name: str) -> object:
        return lambda strip, out, scratch: used.append(name)

    sums = FiniteSums(named("quick"), named("plain"), most=10.0)  # type: ignore[arg-type]
    for value in (1.0, 10.0, 11.0, -11.0, np.nan, np.inf, -np.inf):
        sums(np.array([[0.0, value]]), np.empty((1, 1)), None)  # type: ignore[arg-type]
    assert used == ["quick", "quick", "plain", "plain", "plain", "plain", "plain"]


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_deformable_tap_ignores_neighbours_of_weight_0(bad: float) -> None:
    """A tap that looks exactly at a pixel gives its three neighbours the weight 0; so do kernels, and other groups."""
    picture = RNG.random((9, 10, 4))
    spoilt = picture.copy()
    spoilt[4, 5, 2] = bad
    still, kernel = np.zeros((18, 9, 10)), np.array([[0, 0, 0], [1, 2, 0], [0, 0, 0]])
    options = {"offsets": still, "padding_mode": "zeros", "value_range": None}
    one, other = (filter_picture(each, kernel, alpha="filter", **options) for each in (picture, spoilt))
    near = np.zeros(picture.shape, bool)
    near[4, 5:7, 2] = True
    np.testing.assert_array_equal(one[~near], other[~near])
    assert not np.isfinite(other[near]).any()
    grouped = np.broadcast_to(kernel[np.newaxis, np.newaxis], (4, 2, 3, 3))
    mixed = filter_picture(spoilt, weights=grouped, groups=2, alpha="filter", **options)
    assert np.isfinite(mixed[..., :2]).all() and not np.isfinite(mixed[4, 5:7, 2:]).any()
    moved = still.copy()
    moved[::2] = 0.25  # down: between rows, of which the infinite one is the lower or the upper
    blended = filter_picture(
        spoilt[..., 2], [[1]], offsets=moved[8:10], padding_mode="zeros", value_range=None
    )
    assert np.argwhere(~np.isfinite(blended)).tolist() == [[3, 5], [4, 5]]
    if bad == np.inf:
        assert (blended[3:5, 5] == np.inf).all()


def test_the_operator_ignores_neighbours_of_weight_0_too() -> None:
    from convcli.backend import deform_conv

    x = RNG.random((1, 1, 5, 6))
    x[0, 0, 2, 3] = np.inf
    made = deform_conv(x, np.zeros((1, 2, 5, 6)), np.ones((1, 1, 1, 1)))
    np.testing.assert_array_equal(made, x)
