"""Resampling in integers: which samples each output uses, the cost, and the positions of outputs."""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convcli.errors import ArgumentError
from convcli.layers.base import Reach
from convcli.layers.centres import centres
from convcli.layers.receptive import ReceptiveField
from convcli.layers.resample import WIDTHS, Resample
from tests.examples import examples

SIDES = st.integers(1, 12)


@settings(max_examples=examples(50))
@given(SIDES, SIDES, st.sampled_from([name for name in WIDTHS if name != "nearest"]))
def test_an_output_sees_what_is_nearer_than_half_the_widened_kernel(n: int, made: int, method: str) -> None:
    layer = Resample((n,), (made,), method)
    (seen,) = layer.sees((n,))
    assert isinstance(seen, Reach)
    if n == made:
        assert seen == Reach(1, 1, 0, 0) and layer.taps(0) == 1
        return
    radius = Fraction(WIDTHS[method], 2) * max(1, Fraction(n, made))
    for y in range(made):
        centre = Fraction((2 * y + 1) * n, 2 * made)
        near = [x for x in range(-40, 60) if abs(x + Fraction(1, 2) - centre) < radius]
        first, last = ((seen.step * y + end) // seen.scale for end in (seen.low, seen.high))
        # A box may have samples at both of its ends and none between them.
        assert near == list(range(first, last + 1))
        assert len(near) <= layer.taps(0)
    assert layer.taps(0) == -(-2 * radius.numerator // radius.denominator)


@settings(max_examples=examples(50))
@given(SIDES, SIDES, st.sampled_from(list(WIDTHS)))
def test_outputs_are_spread_evenly_over_the_input(n: int, made: int, method: str) -> None:
    layer = Resample((n, 3), (made, 3), method)
    down, across = centres(ReceptiveField.of_input((1, n, 3)).through(layer, (1, n, 3), (1, made, 3)))
    assert down is not None and across == (0.5, 1)
    assert down.step == pytest.approx(n / made)
    off = 0.5 if method == "nearest" else 1e-9  # the copied sample may be next to the exact position
    assert down.start == pytest.approx(n / made / 2, abs=off)


def test_the_work_is_one_pass_an_axis_columns_first() -> None:
    layer = Resample((100, 60), (25, 30), "cubic")
    assert [layer.taps(axis) for axis in (0, 1)] == [16, 8]
    assert layer.cost((3, 100, 60)).macs == 3 * (100 * 30 * 8 + 25 * 30 * 16)
    assert Resample((100, 60), (200, 60), "lanczos").cost((1, 100, 60)).macs == 200 * 60 * 6
    assert Resample((100, 60), (20, 10), "nearest").cost((1, 100, 60)).macs == 0


def test_what_is_no_resampling_is_refused() -> None:
    with pytest.raises(ArgumentError, match="there is no resampling 'sinc'; use lanczos, cubic"):
        Resample((4, 4), (2, 2), "sinc")
    with pytest.raises(ArgumentError, match="a size 4x4 cannot become 0x2"):
        Resample((4, 4), (0, 2), "box")
    with pytest.raises(ArgumentError, match="the layer resizes 4x4, not 5x4"):
        Resample((4, 4), (2, 2), "box").output_shape((1, 5, 4))
