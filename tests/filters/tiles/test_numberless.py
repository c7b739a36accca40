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
    asked: list[str] = []

    def named(name: str) -> object:
        return lambda strip, out, scratch: asked.append(name)

    sums = FiniteSums(named("quick"), named("plain"), most=10.0)  # type: ignore[arg-type]
    for value in (1.0, 10.0, 11.0, -11.0, np.nan, np.inf, -np.inf):
        sums(np.array([[0.0, value]]), np.empty((1, 1)), None)  # type: ignore[arg-type]
    assert asked == ["quick", "quick", "plain", "plain", "plain", "plain", "plain"]
