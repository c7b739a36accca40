"""Convolutions as matrices, compared with the backend's matrices and with the layers."""

import numpy as np
import pytest
from hypothesis import assume, given, settings

from convcli import Conv, backend
from convcli.drawing.example_numbers import read_values
from convcli.drawing.matrix_drawing import MAX_SIDE, matrix_drawing, matrix_of
from convcli.drawing.scene import Label, Shape
from convcli.drawing.walk_layers import Numbers
from convcli.errors import ArgumentError
from convcli.layers import ConvTranspose, DeformConv, LocalConv, MaxPool, TiledConv
from tests import reference
from tests.backend.cases import cases
from tests.drawing.test_walk_layers import arrays, kernels_of, options
from tests.examples import examples

BOOK = """\
conv k2x2 o1 as a matrix: y = A x, one row per output, one column per input

A, 4x9
 0 1 . 2 3 . . . .
 . 0 1 . 2 3 . . .
 . . . 0 1 . 2 3 .
 . . . . 0 1 . 2 3

its transpose, 9x4
 0 . . .
 1 0 . .
 . 1 . .
 2 . 0 .
 3 2 1 0
 . 3 . 1
 . . 2 .
 . . 3 2
 . . . 3

4 x 9 = 36 entries: 24 are 0 (66.7%), 12 are not
16 entries for 4 weights with 3 non-zero values; a full matrix would have 36
weights
. is an entry without a weight
"""


def dense(matrix):
    array = np.zeros(matrix.shape)
    for place, entry in matrix.entries.items():
        array[place] = float(entry.value)
    return array


@settings(max_examples=examples(40))
@given(cases(dims=(1, 2), largest=5))
def test_it_is_the_backends(case):
    assume(case.groups * case.outputs * np.prod(case.output) <= MAX_SIDE)
    x, weight = arrays(case)
    layer = Conv(**options(case), groups=case.groups)
    numbers = Numbers(kernels=kernels_of(weight, len(case.size)))
    matrix = matrix_of(layer, x.shape[1:], numbers)
    expected = backend.conv_matrix(weight, x.shape[1:], **case.options, groups=case.groups)
    np.testing.assert_array_equal(dense(matrix), expected.toarray())
    assert matrix.zeros == np.prod(expected.shape) - np.count_nonzero(expected.toarray())
    assert matrix.values == len(set(expected.toarray().ravel()) - {0})


def test_a_weight_is_counted_where_its_tap_lies_on_an_input():
    # A 3x3 kernel on a 2x2 input: padded by 2, each tap is used; padded by 1, the middle ones four times.
    for padding, weights, places in ((2, 9, 36), (1, 9, 16)):
        matrix = matrix_of(Conv(1, 1, 3, padding=padding), (1, 2, 2), Numbers())
        assert (matrix.weights, len(matrix.entries)) == (weights, places)
    local = matrix_of(LocalConv(1, 1, 2, input_size=(3, 3)), (1, 3, 3), Numbers())
    assert (local.weights, len(local.entries)) == (16, 16)
    alone = matrix_of(Conv(1, 1, 5, padding=2), (1, 1, 1), Numbers())
    assert (alone.weights, alone.shape) == (1, (1, 1))


@settings(max_examples=examples(25))
@given(cases(dims=(2,), largest=4))
def test_it_computes_what_the_layer_computes(case):
    case.groups = 1
    x, _ = arrays(case)
    random = case.random()
    local = random.integers(1, 9, (case.outputs, *case.output, case.inputs, *case.kernel))
    tiled = random.integers(1, 9, (2, 2, case.outputs, case.inputs, *case.kernel))
    for layer, kernels, expected in (
        (LocalConv(**options(case), input_size=case.size), np.moveaxis(local, 0, 2), reference.local_conv(x, local, **case.plain)),
        (TiledConv(**options(case)), tiled, reference.tiled_conv(x, tiled, **case.plain)),
    ):  # fmt: skip
        matrix = matrix_of(layer, x.shape[1:], Numbers(kernels=kernels_of(kernels, 2)))
        np.testing.assert_array_equal(dense(matrix) @ x.ravel(), expected.ravel())


def test_the_transposed_layer_is_the_transpose():
    kernels = read_values("1 2 3; 4 5 6; 7 8 9")
    conv = matrix_of(Conv(1, 1, 3, stride=2, padding=1), (1, 5, 5), Numbers(kernels=kernels))
    back = matrix_of(ConvTranspose(1, 1, 3, stride=2, padding=1), (1, 3, 3), Numbers(kernels=kernels))
    assert back.shape == (25, 9)
    assert back.entries == conv.transposed.entries


def test_the_books_example_as_text():
    given = Numbers(kernels=read_values("0 1; 2 3"))
    assert matrix_drawing(Conv(1, 1, 2), (1, 3, 3), given).text(80, None) == BOOK


def test_matrices_that_are_too_wide_for_numbers():
    text = matrix_drawing(Conv(1, 1, 3, padding=1), (1, 7, 7), Numbers()).text(80, None)
    assert "A, 49x49\n ##.....##....." in text
    text = matrix_drawing(Conv(1, 1, 3), (1, 10, 10), Numbers()).text(80, None)
    assert "(100 columns are too wide to print; `output` draws them)" in text


def test_as_a_picture_each_weight_has_its_colour():
    drawing = matrix_drawing(Conv(1, 1, 2), (1, 3, 3), Numbers())
    (scene,) = drawing.scenes()
    tapped = [
        mark.fill for mark in scene.base if isinstance(mark, Shape) and str(mark.fill).startswith("tap-")
    ]
    assert sorted(tapped) == sorted(f"tap-{n}" for n in range(4) for _ in range(2 * 4))
    assert all(
        0 <= x <= scene.width and 0 <= y <= scene.height
        for mark in scene.base
        for x, y in ([(mark.x, mark.y)] if isinstance(mark, Label) else mark.points)
    )
    record = drawing.record()
    assert (record["shape"], record["zeros"], record["weights"]) == ([4, 9], 20, 4)
    assert record["entries"][0] == {"row": 0, "column": 0, "value": 1, "weight": 0}


@pytest.mark.parametrize(
    ("layer", "shape", "message"),
    [
        (MaxPool(2), (1, 4, 4), "'maxpool k2x2' is not a fixed matrix of weights"),
        (DeformConv(1, 1, 3), (1, 4, 4), "'deform k3x3 o1' is not a fixed matrix of weights"),
        (
            Conv(1, 1, 1),
            (1, 17, 17),
            "the matrix would be 289x289, but at most 256 rows or columns are drawn",
        ),
    ],
)
def test_what_is_no_matrix(layer, shape, message):
    with pytest.raises(ArgumentError) as error:
        matrix_of(layer, shape, Numbers())
    assert message in str(error.value)
