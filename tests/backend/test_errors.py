"""The errors of `conv`; those of other operators are tested with the operators."""

import numpy as np
import pytest

from convcli import backend
from convcli.errors import ArgumentError

X, WEIGHT = (1, 4, 8, 8), (6, 4, 3, 3)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (
            {"x": (8, 8)},
            "x has shape (8, 8); weight (6, 4, 3, 3) has 2 spatial axes, so x must be (N, C, *spatial) "
            "with 4 "
            "axes, or (C, *spatial) with 3",
        ),
        (
            {"weight": (3, 3)},
            "weight has shape (3, 3); it must be (out_channels, in_channels / groups, *kernel_size), with at "
            "least 3 axes",
        ),
        (
            {"x": (1, 3, 8, 8)},
            "x (1, 3, 8, 8) has 3 channels, weight (6, 4, 3, 3) takes 4: x must be (1, 4, 8, 8), or weight "
            "(6, 3, 3, 3)",
        ),
        (
            {"groups": 2},
            "x (1, 4, 8, 8) has 4 channels, weight (6, 4, 3, 3) takes 4 x 2 groups = 8: x must be (1, 8, "
            "8, 8), or "
            "weight (6, 2, 3, 3)",
        ),
        (
            {"groups": 3},
            "x (1, 4, 8, 8) has 4 channels, weight (6, 4, 3, 3) takes 4 x 3 groups = 12: x must be (1, 12, "
            "8, 8)",
        ),
        (
            {"weight": (6, 1, 3, 3), "groups": 4},
            "weight (6, 1, 3, 3) has 6 output channels, which cannot be divided into 4 equal groups: its "
            "first "
            "axis must be a multiple of that, such as 8",
        ),
        ({"groups": 0}, "groups must be at least 1, got 0"),
        ({"bias": (4,)}, "bias has shape (4,); this weight needs (6,)"),
        (
            {"x": (1, 4, 0, 8)},
            "x has shape (1, 4, 0, 8); only the batch axis may be empty, all others need at least 1 element",
        ),
        ({"weight": (6, 4, 0, 3)}, "weight has shape (6, 4, 0, 3); every axis must have at least 1 element"),
        (
            {"x": (1, 4, 8, 2)},
            "the output would be empty: along the width the kernel spans 3, but the padded input has only "
            "2 + 0 + 0 = 2; add 1 to the padding (before plus after), or take a smaller kernel",
        ),
        ({"stride": 0}, "stride must be at least 1, got 0"),
        (
            {"stride": (1, 2, 3)},
            "stride 1x2x3 has 3 axes where 2 are needed; give one number, or one per axis",
        ),
        (
            {"padding": "some"},
            "there is no padding 'some'; give numbers or one of valid, same, same-lower, full",
        ),
        (
            {"padding": (8, (0, 2)), "padding_mode": "reflect"},
            "padding_mode 'reflect' allows a padding of at most 7 along the height 8, but it is 8 before and 8 after; "
            "pad less, or use 'replicate' or 'zeros'",
        ),
        (
            {"padding": (0, (0, 9)), "padding_mode": "wrap"},
            "padding_mode 'circular' allows a padding of at most 8 along the width 8, but it is 0 before and 9 after; "
            "pad less, or use 'replicate' or 'zeros'",
        ),
        (
            {"padding_mode": "reflekt"},
            "there is no padding mode 'reflekt'; did you mean 'reflect'?",
        ),
        (
            {"padding_value": 3},
            "padding_value 3 applies only to padding_mode 'constant', not 'zeros'",
        ),
        (
            {"padding_value": 3j, "padding_mode": "constant"},
            "padding_value 3j is complex, but the arrays are float64; give a real number",
        ),
        (
            {"method": "sepparable"},
            "there is no method 'sepparable'; did you mean 'separable'?",
        ),
        (
            {"method": "magic"},
            "there is no method 'magic'; use auto, direct, banded, gemm, rows, winograd, separable, fft",
        ),
    ],
)
def test_errors_show_what_is_wrong_and_what_would_be_right(changed, message):
    arguments = {"x": X, "weight": WEIGHT, **changed}
    for name in ("x", "weight", "bias"):
        if name in arguments:
            arguments[name] = np.ones(arguments[name])
    with pytest.raises(ArgumentError) as error:
        backend.conv(**arguments)
    assert str(error.value) == message


def test_a_border_value_that_integers_cannot_hold():
    with pytest.raises(ArgumentError) as error:
        backend.conv([[1, 2]], [[[1]]], padding=1, padding_mode="constant", padding_value=0.5)
    assert str(error.value) == (
        "padding_value 0.5 is not a whole number, but the arrays hold integers; convert x to float64"
    )


@pytest.mark.parametrize("value", [np.nan, np.inf, 1j])
def test_a_border_value_that_is_no_whole_number(value):
    with pytest.raises(ArgumentError, match=f"padding_value {value} is not a whole number"):
        backend.conv([[1, 2]], [[[1]]], padding=1, padding_mode="constant", padding_value=value)


def test_nan_and_large_integers_as_a_border():
    y = backend.conv([[1.0]], [[[1.0]]], padding=1, padding_mode="constant", padding_value=np.nan)
    assert np.array_equal(y, [[np.nan, 1, np.nan]], equal_nan=True)
    y = backend.conv([[1]], [[[1]]], padding=1, padding_mode="constant", padding_value=2**62 + 1)
    assert y.tolist() == [[2**62 + 1, 1, 2**62 + 1]]
    unsigned = np.array([[1]], np.uint8)
    y = backend.conv(unsigned, [[[1]]], padding=1, padding_mode="constant", padding_value=-300)
    assert y.tolist() == [[-300, 1, -300]]


def test_a_ragged_list():
    with pytest.raises(ArgumentError, match="x is not an array: setting an array element"):
        backend.conv([[1, 2], [3]], [[[1]]])


def test_what_holds_no_numbers():
    with pytest.raises(ArgumentError) as error:
        backend.conv([["a"]], [[[1]]])
    assert str(error.value) == "x has dtype <U1; it must hold bool, integers, floats or complex numbers"


def test_a_mode_pads_exactly_as_far_as_it_may():
    x = np.arange(3.0).reshape(1, 1, 3)
    for mode, widest in (("reflect", 2), ("symmetric", 3), ("circular", 3)):
        y = backend.conv(x, [[[1.0]]], padding=widest, padding_mode=mode)
        assert y.shape == (1, 1, 3 + 2 * widest)
        with pytest.raises(ArgumentError, match=f"allows a padding of at most {widest} along"):
            backend.conv(x, [[[1.0]]], padding=widest + 1, padding_mode=mode)
