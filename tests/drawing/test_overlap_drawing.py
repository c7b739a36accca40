"""Checkerboards: counts of taps, compared with ones passed through the layers."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convcli import VARIANTS, Conv, backend
from convcli.drawing.overlap_drawing import overlap_drawing, overlap_of
from convcli.drawing.scene import Label, Shape
from convcli.errors import ArgumentError
from convcli.layers import ConvTranspose
from convcli.layers.checkerboard import overlap
from tests.examples import examples


@settings(max_examples=examples(30))
@given(st.integers(1, 4), st.integers(1, 3), st.integers(1, 2), st.integers(4, 7), st.integers(0, 1))
def test_counts(k, s, d, n, p):
    padding = min(p, d * (k - 1))
    layer = ConvTranspose(2, 3, k, stride=s, dilation=d, padding=padding)
    counts = np.array(overlap_of((layer,), (2, n, n)).counts)
    ones = backend.conv_transpose(
        np.ones((1, 1, n, n)), np.ones((1, 1, k, k)), stride=s, dilation=d, padding=padding
    )
    np.testing.assert_array_equal(counts, ones[0, 0])
    reach = d * (k - 1) + 1
    middle = counts[reach : counts.shape[0] - reach, reach : counts.shape[0] - reach]
    per_axis = np.array(overlap(k, s, d, padding))
    for (row, column), count in np.ndenumerate(middle):
        assert count == per_axis[(row + reach) % s] * per_axis[(column + reach) % s]


def test_the_alternative_is_uniform_inside():
    (_, cure) = overlap_drawing((ConvTranspose(1, 1, 3, stride=2),), (1, 5, 5)).record()
    assert cure["layers"] == "resize x2, conv k3x3 same o1"
    assert {count for row in cure["counts"][1:-1] for count in row[1:-1]} == {9}


def test_as_text_and_as_a_picture():
    layer = ConvTranspose(1, 1, (1, 3), stride=(1, 2))
    drawing = overlap_drawing((layer,), (1, 1, 3))
    assert drawing.text(80, None) == (
        "how many products are summed in each output\n\n"
        "convT k1x3 s1x2 o1\n1 1 2 1 2 1 1\n\n"
        "resize x1x2, conv k1x3 same o1\n2 3 3 3 3 2\n\n"
        "height: the kernel overlaps evenly, no checkerboard; the kernel 1 is a multiple\n"
        "of the stride 1: every output gets the same number of taps\n"
        "width: the kernel overlaps unevenly, a checkerboard; take a kernel of 4, a\n"
        "multiple of the stride 2, or resize first and then convolve (resize-conv)\n"
    )
    (scene,) = drawing.scenes()
    heat = [mark.fill for mark in scene.base if isinstance(mark, Shape)]
    assert heat[:7] == ["heat-3", "heat-3", "heat-6", "heat-3", "heat-6", "heat-3", "heat-3"]
    assert [mark.text for mark in scene.base if isinstance(mark, Label) and mark.text.isdigit()] == list(
        "1121211233332"
    )


@pytest.mark.parametrize(
    "layers",
    [(Conv(1, 1, 3),), VARIANTS["resize-conv"](Conv(1, 1, 3, stride=2))],
    ids=["conv", "resize-conv"],
)
def test_only_transposed_layers_are_accepted(layers):
    with pytest.raises(
        ArgumentError, match="`checkerboard=True` draws one transposed convolution; use `variant"
    ):
        overlap_drawing(layers, (1, 5, 5))
