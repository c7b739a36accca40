"""Resizing by any factor: sizes, what is seen, and the errors."""

from fractions import Fraction
from math import ceil, floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convcli.errors import ArgumentError
from convcli.layers import Pad, PixelShuffle, PixelUnshuffle, Resize
from tests.layers import reference

COORDINATES = ("asymmetric", "half-pixel", "pytorch-half-pixel", "align-corners")


def place(coordinates, n, outputs, scale, y):
    """Return the input position of output y by the formulas of ONNX's Resize."""
    if coordinates == "asymmetric":
        return y / scale
    if coordinates == "align-corners":
        return Fraction(y * (n - 1), outputs - 1) if outputs > 1 else Fraction(0)
    if coordinates == "pytorch-half-pixel" and outputs == 1:
        return Fraction(0)
    return (y + Fraction(1, 2)) / scale - Fraction(1, 2)


def rounded(rounding, x):
    return {
        "floor": floor(x),
        "ceil": ceil(x),
        "half-down": ceil(x - Fraction(1, 2)),
        "half-up": floor(x + Fraction(1, 2)),
    }[rounding]


@given(
    st.integers(1, 12),
    st.sampled_from([0.25, 0.5, 0.75, 1.5, 1.25, 2, 3, 2.5]),
    st.sampled_from(COORDINATES),
    st.sampled_from(["nearest", "bilinear", "bicubic"]),
    st.sampled_from(["floor", "ceil", "half-down", "half-up"]),
)
def test_every_output_sees_the_inputs_of_onnx(n, scale, coordinates, mode, rounding):
    layer = Resize(scale=scale, mode=mode, coordinates=coordinates, rounding=rounding, dims=1)
    if floor(n * scale) == 0:
        with pytest.raises(ArgumentError, match="the output would be empty"):
            layer.output_shape((1, n))
        return
    ((step, over, low, high),) = layer.sees((n,))
    _, outputs = layer.output_shape((1, n))
    assert outputs == floor(n * scale)
    for y in range(outputs):
        x = place(coordinates, n, outputs, Fraction(scale), y)
        found = range((step * y + low) // over, (step * y + high) // over + 1)
        if mode == "nearest":
            assert list(found) == [rounded(rounding, x)]
        elif mode == "bilinear":
            assert set(found) == {floor(x), ceil(x)}
        else:
            assert list(found) == list(range(floor(x) - 1, floor(x) + 3))


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_cost_of_bicubic_is_that_of_four_by_four(dims):
    layer = Resize(scale=2, mode="bicubic", dims=dims)
    shape = (1, *(1, 2, 1)[:dims])
    tally = reference.Tally()
    for _ in reference.places(layer.output_shape(shape)):
        around = [tally.number() for _ in range(4**dims)]
        while len(around) > 1:
            around = [
                reference.added([number * tally.number() for number in around[first : first + 4]])
                for first in range(0, len(around), 4)
            ]
    assert tally.counts().items() <= vars(layer.cost(shape)).items()


def test_pixels_are_shuffled_there_and_back():
    up, down = PixelShuffle(3), PixelUnshuffle(3)
    for shape in ((9, 4, 5), (27, 2, 2, 2), (6, 7)):
        assert down.output_shape(up.output_shape(shape)) == shape
    assert [reach.scale for reach in up.sees((4, 5))] == [3, 3]
    assert [(reach.step, reach.high) for reach in down.sees((6, 6))] == [(3, 2), (3, 2)]


def test_pads_and_cuts():
    assert Pad(((1, 2), (-1, 0)), channels=(2, 0)).output_shape((3, 8, 8)) == (5, 11, 7)
    assert Pad(2, dims=1).sees((8,))[0].low == -2
    with pytest.raises(ArgumentError, match=r"the output would be empty: along the height 2 \+ -2 \+ 0 = 0"):
        Pad(((-2, 0), (0, 0))).output_shape((3, 2, 2))
    with pytest.raises(ArgumentError, match="the input has 1 axes but the padding has 2"):
        Pad(1).output_shape((3, 8))
    with pytest.raises(ArgumentError, match="there is no padding mode 'mirror'; choose one of zeros"):
        Pad(1, mode="mirror")


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"scale": -0.5}, "scale must be finite and above 0, got -0.5"),
        ({"scale": float("inf")}, "scale must be finite and above 0, got inf"),
        ({"scale": (1.5, 2, 3), "dims": 2}, "scale 1.5x2x3 has 3 axes where 2 are needed"),
        ({"scale": 2, "coordinates": "corner"}, "coordinates must be one of asymmetric, half-pixel"),
        ({"scale": 2, "rounding": "up"}, "rounding must be one of floor, ceil"),
    ],
)
def test_errors_of_bad_options(options, text):
    with pytest.raises(ArgumentError, match=text):
        Resize(**options)
