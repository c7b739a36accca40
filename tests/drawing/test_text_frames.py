"""Steps as text, compared as a whole."""

from fractions import Fraction

import pytest

from convcli import VARIANTS, Conv
from convcli.drawing.example_numbers import read_values
from convcli.drawing.layer_drawing import layer_drawing
from convcli.drawing.steps import Border
from convcli.drawing.text_frames import plain_frames
from convcli.drawing.walk_layers import Numbers, walk_layers
from convcli.errors import ArgumentError
from convcli.layers import AvgPool, ConvTranspose, LpPool, MaxPool

BOOK = """\
conv k2x2 o1 (convolution): 1x3x3 to 1x2x2, 4 steps
[ ] is the window, _ an output not computed yet

step 1 of 4: output row 0, column 0

input       kernel   output
[0][1] 2     0  1    [19]  _
[3][4] 5     2  3      _   _
 6  7  8

0*0 + 1*1 + 3*2 + 4*3 = 19

step 2 of 4: output row 0, column 1

input       kernel   output
 0 [1][2]    0  1     19 [25]
 3 [4][5]    2  3      _   _
 6  7  8

1*0 + 2*1 + 4*2 + 5*3 = 25

step 3 of 4: output row 1, column 0

input       kernel   output
 0  1  2     0  1     19  25
[3][4] 5     2  3    [37]  _
[6][7] 8

3*0 + 4*1 + 6*2 + 7*3 = 37

step 4 of 4: output row 1, column 1

input       kernel   output
 0  1  2     0  1     19  25
 3 [4][5]    2  3     37 [43]
 6 [7][8]

4*0 + 5*1 + 7*2 + 8*3 = 43
"""

TRANSPOSED = """\
convT k2x2 s2 p1 o1 (transposed convolution): 1x2x2 to 1x2x2, 4 steps
the kernel is rotated by 180 degrees; . is a zero between two inputs; [ ] is the
window, _ an output not computed yet

step 2 of 4: output row 0, column 1

input       kernel   output
 1 [.][2]    3  2     3 [4]
 . [.][.]    1  0     _  _
 3  .  4

0*3 + 2*2 + 0*1 + 0*0 = 4
"""


REFLECTED = """\
conv k1x3 p0x1 o1 (convolution): 1x1x3 to 1x1x3, 3 steps
( ) is padding, reflect; [ ] is the window, _ an output not computed yet

step 1 of 3: output row 0, column 0

input             kernel         output
[2][1][2] 3 (2)     1   0  -1    [ 0]  _   _

2*1 + 1*0 + 2*(-1) = 0
"""


def text(layers, shape, numbers=None, only=None, width=80):
    return "\n".join(plain_frames(walk_layers(layers, shape, numbers or Numbers()), width, only))


def numbers(values, *kernels):
    return Numbers(read_values(values), tuple(read_values(kernel)[0] for kernel in kernels))


def test_the_textbook_example():
    given = numbers("0 1 2; 3 4 5; 6 7 8", "0 1; 2 3")
    assert text((Conv(1, 1, 2),), (1, 3, 3), given) == BOOK


def test_a_transposed_layer_shows_the_zeros_between():
    given = numbers("1 2; 3 4", "0 1; 2 3")
    layer = ConvTranspose(1, 1, 2, stride=2, padding=1)
    shown = text((layer,), (1, 2, 2), given, 2)
    # Output (0, 1) gets input (0, 1) through tap (1, 0) only: s*x + t - p = 0 + 1 - 1 and 2 + 0 - 1.
    assert shown == TRANSPOSED


def test_padding_is_shown_by_its_values():
    layer = Conv(1, 1, (1, 3), padding=((0, 0), (1, 1)))
    given = numbers("1 2 3", "1 0 -1")._replace(border=Border("reflect"))
    assert text((layer,), (1, 1, 3), given, 1) == REFLECTED
    half = given._replace(border=Border("constant", Fraction(-1, 2)))
    assert text((layer,), (1, 1, 3), half, 3).splitlines()[-3:] == [
        "(-0.5)    1 [   2][   3][-0.5]     1   0  -1     -2.5    -2 [ 2.5]",
        "",
        "2*1 + 3*0 + (-0.5)*(-1) = 2.5",
    ]


def test_a_flipped_kernel_is_shown_rotated():
    given = numbers("0 1 2; 3 4 5; 6 7 8", "0 1; 2 3")
    shown = text((Conv(1, 1, 2),), (1, 3, 3), given._replace(flip=True), 1)
    assert "the kernel is rotated by 180 degrees; [ ] is the window" in shown
    assert "0*3 + 1*2 + 3*1 + 4*0 = 5\n" in shown


@pytest.mark.parametrize(
    ("layer", "last"),
    [
        (MaxPool(2, padding=1), "max(1) = 1"),
        (AvgPool(2, padding=1), "(0 + 0 + 0 + 1) / 4 = 0.25"),
        (AvgPool(2, padding=1, count_include_pad=False), "(1) / 1 = 1"),
        (LpPool(norm_type=2, kernel_size=2), "(|1|^2 + |2|^2 + |-3|^2 + |4|^2)^(1/2) = 5.477"),
        (LpPool(norm_type=float("inf"), kernel_size=2), "max(|1|, |2|, |-3|, |4|) = 4"),
    ],
)
def test_pools(layer, last):
    assert text((layer,), (1, 2, 2), numbers("1 2; -3 4"), 1).splitlines()[-1] == last


def test_signs_and_fractions_are_in_parentheses():
    assert "1*(-1) + (-2)*(1/3) = -5/3\n" in text((Conv(1, 1, (1, 2)),), (1, 1, 2), numbers("1 -2", "-1 1/3"))


def test_channels_have_separate_sums():
    given = numbers("1 2 | 3 4", "1 2")
    shown = text((Conv(2, 1, (1, 2)),), (2, 1, 2), given)
    assert shown.splitlines()[-3:] == ["channel 0: 1*1 + 2*2 = 5", "channel 1: 3*1 + 4*2 = 11", "5 + 11 = 16"]
    given = numbers("1 | 3", "2")
    assert text((Conv(2, 1, 1),), (2, 1, 1), given).splitlines()[-1] == "1*2 + 3*2 = 8"


def test_steps_are_counted_through_all_layers():
    layers = (Conv(1, 1, 3), MaxPool(2))
    shown = text(layers, (1, 4, 4), only=5)
    assert shown.startswith("maxpool k2x2: 1x2x2 to 1x1x1, 1 step\n")
    assert "step 1 of 1: output row 0, column 0" in shown


def test_too_much_text_is_rejected():
    layers, shape = (Conv(1, 16, 1),), (1, 28, 28)
    drawing = layer_drawing(layers, shape, Numbers())
    message = (
        "12,544 steps of 13,328 cells each are too many to print; use `step=N`, .html, or a smaller input"
    )
    with pytest.raises(ArgumentError) as error:
        drawing.text(80, None)
    assert str(error.value) == message
    assert "step 12544 of 12544" in drawing.text(80, 12544)


@pytest.mark.parametrize("width", [60, 80, 100])
@pytest.mark.parametrize("name", sorted(VARIANTS.keys() - {"dense"}))
def test_no_line_is_wider_than_requested(name, width):
    shape = (2, 7, 7)
    layers = (
        VARIANTS[name](Conv(2, 4, 3, padding=1), shape) if name != "depthwise" else (Conv(2, 4, 3, groups=2),)
    )
    assert max(map(len, text(layers, shape, width=width).splitlines())) <= width
