"""Steps compared with plain loops: positions of windows, products and outputs."""

from fractions import Fraction
from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from convcli import VARIANTS, Conv, backend
from convcli.drawing.steps import Border
from convcli.drawing.walk_layers import MAX_CELLS, Numbers, walk_layers
from convcli.errors import ArgumentError
from convcli.layers import (
    ACTIVATIONS,
    Activation,
    AdaptivePool,
    AvgPool,
    BatchNorm,
    ChannelShuffle,
    ConvTranspose,
    DeformConv,
    Dense,
    Flatten,
    GlobalPool,
    LocalConv,
    LpPool,
    MaxPool,
    Resize,
    TiledConv,
)
from tests import reference
from tests.backend.cases import cases
from tests.examples import examples

FEW = settings(max_examples=examples(40))


def values_of(array):
    """Return an array (C, H, W) or (C, W) as channels of rows."""
    array = array[:, np.newaxis] if array.ndim == 2 else array
    return tuple(
        tuple(tuple(Fraction(value.item()) for value in row) for row in channel) for channel in array
    )


def kernels_of(weight, dims):
    """Return weights (..., *k) as kernels in reading order."""
    return values_of(weight.reshape(-1, *weight.shape[weight.ndim - dims :]))


def outputs_of(stage):
    return np.array([[[float(value) for value in row] for row in channel] for channel in stage.outputs()])


def as_2d(array):
    """Return (C, H, W) of one image (1, C, *spatial)."""
    array = np.asarray(array[0], float)
    return array[:, np.newaxis] if array.ndim == 2 else array


def arrays(case):
    x, weight = case.arrays(int)
    return case.random().integers(-9, 10, (1, *x.shape[1:])), weight


def options(case):
    return {
        "in_channels": case.groups * case.inputs,
        "out_channels": case.groups * case.outputs,
        "kernel_size": case.kernel,
        "stride": case.stride,
        "padding": case.pads,
        "dilation": case.dilation,
    }


@FEW
@given(cases(dims=(1, 2)), st.booleans())
def test_convolutions_are_what_plain_loops_give(case, flip):
    x, weight = arrays(case)
    layer = Conv(**options(case), groups=case.groups)
    numbers = Numbers(values_of(x[0]), kernels_of(weight, len(case.size)), flip=flip)
    (stage,) = walk_layers((layer,), x.shape[1:], numbers)
    expected = reference.conv(x, weight, **case.plain, groups=case.groups, flip=flip)
    np.testing.assert_array_equal(outputs_of(stage), as_2d(expected))
    np.testing.assert_array_equal(
        as_2d(backend.conv(x, weight, **case.options, groups=case.groups, flip=flip)), outputs_of(stage)
    )


NUMPYS = {"replicate": "edge", "circular": "wrap"}


@FEW
@given(
    cases(dims=(1, 2)),
    st.sampled_from(["constant", "reflect", "symmetric", "replicate", "circular"]),
    st.integers(-9, 9),
)
def test_the_padding_holds_what_its_mode_says(case, mode, value):
    x, weight = arrays(case)
    outside = {"constant_values": value} if mode == "constant" else {}
    padded = np.pad(x, ((0, 0), (0, 0), *case.pads), NUMPYS.get(mode, mode), **outside)
    numbers = Numbers(
        values_of(x[0]), kernels_of(weight, len(case.size)), border=Border(mode, Fraction(value))
    )
    (stage,) = walk_layers((Conv(**options(case), groups=case.groups),), x.shape[1:], numbers)
    expected = reference.conv(x, weight, **case.plain, groups=case.groups, mode=mode, value=value)
    np.testing.assert_array_equal(outputs_of(stage), as_2d(expected))
    shown = [
        [float(stage.found(0, row, column)) for column in range(stage.canvas.columns.length)]
        for row in range(stage.canvas.rows.length)
    ]
    np.testing.assert_array_equal(shown, as_2d(padded)[0])


def test_pools_do_not_use_the_padding_mode_of_the_convolution():
    layers = (Conv(1, 1, 3, padding=1), MaxPool(3, stride=1, padding=1))
    conv, pool = walk_layers(layers, (1, 3, 3), Numbers(border=Border("circular")))
    assert conv.padded(0, 0, 0) == conv.inputs[0][2][2]
    assert pool.padded(0, 0, 0) is None
    assert [len(step.terms) for step in pool.steps] == [4, 6, 4, 6, 9, 6, 4, 6, 4]


@FEW
@given(cases(dims=(2,)))
def test_windows_are_at_the_positions_of_the_formula(case):
    layer = Conv(**options(case), groups=case.groups)
    shape = (layer.in_channels, *case.size)
    (stage,) = walk_layers((layer,), shape, Numbers())
    lines = (stage.canvas.rows, stage.canvas.columns)
    for line, n, (before, after) in zip(lines, case.size, case.pads):
        assert (line.first, line.length) == (-before, before + n + after)
    taps = list(product(*map(range, case.kernel)))
    for number, step in enumerate(stage.steps):
        assert step.place == tuple(np.unravel_index(number, stage.output_shape))
        group = step.place[0] // case.outputs
        places = [
            (group * case.inputs + channel, *(y * s + d * t for y, s, d, t in zip(step.place[1:], case.stride, case.dilation, tap)))
            for channel in range(case.inputs)
            for tap in taps
        ]  # fmt: skip
        assert [(term.channel, term.row, term.column) for term in step.terms] == places


@FEW
@given(cases(dims=(1, 2), largest=6), st.data())
def test_transposed_convolutions_scatter_as_plain_loops_do(case, data):
    x, _ = arrays(case)
    extra = tuple(data.draw(st.integers(0, max(s, d) - 1)) for s, d in zip(case.stride, case.dilation))
    layer_options = options(case)
    sizes = [
        s * (n - 1) + d * (k - 1) + 1 + e - sum(pair)
        for n, s, d, k, e, pair in zip(case.size, case.stride, case.dilation, case.kernel, extra, case.pads)
    ]
    assume(min(sizes) > 0)
    layer = ConvTranspose(**layer_options, groups=case.groups, output_padding=extra)
    weight = case.random().integers(-9, 10, (case.groups * case.inputs, case.outputs, *case.kernel))
    numbers = Numbers(values_of(x[0]), kernels_of(weight, len(case.size)))
    (stage,) = walk_layers((layer,), x.shape[1:], numbers)
    expected = reference.conv_transpose(x, weight, **case.plain, output_padding=extra, groups=case.groups)
    np.testing.assert_array_equal(outputs_of(stage), as_2d(expected))
    if len(case.size) == 2:  # the stride inserts zeros between the inputs
        for row, column in stage.canvas.cells():
            place = row + stage.canvas.rows.first, column + stage.canvas.columns.first
            on = [0 <= p <= s * (n - 1) for p, s, n in zip(place, case.stride, case.size)]
            hit = all(p % s == 0 for p, s in zip(place, case.stride))
            kind = "padding" if not all(on) else "input" if hit else "between"
            assert stage.canvas.kind(row, column) == kind
            if kind == "input":
                at = [p // s for p, s in zip(place, case.stride)]
                assert stage.value(0, row, column) == x[(0, 0, *at)]


@FEW
@given(cases(dims=(2,)))
def test_local_and_tiled_layers_share_their_weights_as_plain_loops_do(case):
    case.groups = 1
    x, _ = arrays(case)
    random = case.random()
    local = LocalConv(**options(case), input_size=case.size)
    weight = random.integers(-9, 10, (case.outputs, *case.output, case.inputs, *case.kernel))
    # Kernels are listed by output position, and for each of them by input channel.
    by_place = np.moveaxis(weight, 0, 2)
    numbers = Numbers(values_of(x[0]), kernels_of(by_place, 2))
    (stage,) = walk_layers((local,), x.shape[1:], numbers)
    np.testing.assert_array_equal(outputs_of(stage), as_2d(reference.local_conv(x, weight, **case.plain)))
    tiled = TiledConv(**options(case), tile=2)
    weight = random.integers(-9, 10, (2, 2, case.outputs, case.inputs, *case.kernel))
    numbers = Numbers(values_of(x[0]), kernels_of(weight, 2))
    (stage,) = walk_layers((tiled,), x.shape[1:], numbers)
    np.testing.assert_array_equal(outputs_of(stage), as_2d(reference.tiled_conv(x, weight, **case.plain)))


@settings(max_examples=examples(20))
@given(cases(dims=(2,), largest=5))
def test_deformable_taps_look_between_cells(case):
    x, weight = arrays(case)
    moves = case.random().integers(-8, 9, (np.prod(case.kernel), 2)) / 4
    layer = DeformConv(**options(case), groups=case.groups)
    numbers = Numbers(values_of(x[0]), kernels_of(weight, 2), values_of(moves[np.newaxis])[0])
    (stage,) = walk_layers((layer,), x.shape[1:], numbers)
    offset = np.broadcast_to(moves.reshape(-1, 1, 1), (moves.size, *case.output))[np.newaxis]
    expected = reference.deform_conv(x, offset, weight, **case.plain, groups=case.groups)
    np.testing.assert_allclose(outputs_of(stage), as_2d(expected), atol=1e-9)


def test_a_deformable_layer_without_offsets_moves_every_tap_independently():
    layer = DeformConv(in_channels=1, out_channels=1, kernel_size=3, padding=1)
    (stage,) = walk_layers((layer,), (1, 4, 4), Numbers())
    assert len({tuple((term.row - step.place[1], term.column - step.place[2]) for term in step.terms) for step in stage.steps}) == 16  # fmt: skip
    assert all(0 <= term.row <= stage.canvas.rows.length - 1 for step in stage.steps for term in step.terms)


@FEW
@given(cases(dims=(1, 2), pool=True), st.booleans(), st.booleans())
def test_pools_are_what_plain_loops_give(case, ceil_mode, include):
    x, _ = arrays(case)
    window = {
        "kernel_size": case.kernel,
        "stride": case.stride,
        "padding": case.pads,
        "dilation": case.dilation,
    }
    plain = {"kernel": case.kernel, **case.plain, "ceil_mode": ceil_mode}
    for layer, reduce, padded in (
        (MaxPool(**window, ceil_mode=ceil_mode), max, False),
        (
            AvgPool(**window, ceil_mode=ceil_mode, count_include_pad=include),
            lambda w: sum(w) / len(w),
            include,
        ),
        (LpPool(norm_type=2, **window, ceil_mode=ceil_mode), np.linalg.norm, False),
        (LpPool(norm_type=np.inf, **window, ceil_mode=ceil_mode), lambda w: np.abs(w).max(initial=0), False),
    ):
        try:
            expected = reference.pool(reduce, x, **plain, include_pad=padded)
        except (ValueError, ZeroDivisionError):  # a dilated window whose taps are all outside the input
            expected = np.full(1, np.nan)
        if np.isnan(expected).any():
            with pytest.raises(ArgumentError, match="sees only padding"):
                walk_layers((layer,), x.shape[1:], Numbers(values_of(x[0])))
            continue
        (stage,) = walk_layers((layer,), x.shape[1:], Numbers(values_of(x[0])))
        np.testing.assert_allclose(outputs_of(stage), as_2d(expected), rtol=1e-12)


@FEW
@given(st.integers(1, 9), st.integers(1, 9), st.integers(1, 4), st.integers(0, 99))
def test_windows_that_differ_in_size(rows, columns, outputs, seed):
    x = np.random.default_rng(seed).integers(-9, 10, (1, 2, rows, columns))
    size = (min(rows, outputs), outputs)
    for kind, reduce in (("avg", np.mean), ("max", max)):
        (stage,) = walk_layers((AdaptivePool(size, kind=kind),), x.shape[1:], Numbers(values_of(x[0])))
        np.testing.assert_allclose(outputs_of(stage), as_2d(reference.adaptive_pool(reduce, x, size)))
        (stage,) = walk_layers((GlobalPool(kind=kind),), x.shape[1:], Numbers(values_of(x[0])))
        np.testing.assert_allclose(outputs_of(stage), as_2d(reference.adaptive_pool(reduce, x, (1, 1))))
    resize = Resize(size=(outputs, columns))
    (stage,) = walk_layers((resize,), x.shape[1:], Numbers(values_of(x[0])))
    places = [row * rows // outputs for row in range(outputs)]
    np.testing.assert_array_equal(outputs_of(stage), x[0][:, places])


def test_shuffled_channels():
    x = np.arange(6).reshape(1, 6, 1, 1)
    (stage,) = walk_layers((ChannelShuffle(groups=2),), x.shape[1:], Numbers(values_of(x[0])))
    assert outputs_of(stage).ravel().tolist() == [0, 3, 1, 4, 2, 5]


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations_are_those_of_the_backend(name):
    x = np.array([[[[-1000, -7, -1, 0, 0.5, 2, 7, 1000]]]])
    (stage,) = walk_layers((Activation(name),), x.shape[1:], Numbers(values_of(x[0])))
    np.testing.assert_allclose(outputs_of(stage), backend.activation(x, name)[0], rtol=1e-12, atol=1e-300)


@pytest.mark.parametrize("name", sorted(VARIANTS.keys() - {"dense"}))
@pytest.mark.parametrize("dims", [1, 2])
def test_every_variant_has_steps_of_the_shapes_of_its_layers(name, dims):
    conv = Conv(4, 4, 3, stride=2, padding=1, dims=dims)
    shape = (4, *(5,) * dims)
    layers = VARIANTS[name](conv, shape)
    stages = walk_layers(layers, shape, Numbers())
    for layer in layers:
        if layer.inner is layer:
            stage, *stages = stages
            before, shape = shape, layer.output_shape(shape)
            rows = (1,) * (2 - dims)
            assert stage.output_shape == (shape[0], *rows, *shape[1:])
            assert stage.input_shape == (before[0], *rows, *before[1:])
            assert len(stage.steps) == np.prod(shape)
    assert not stages


def test_a_chain_passes_its_outputs_on():
    layers = (Conv(1, 2, 3, padding=1), Activation("relu"), MaxPool(2), Conv(2, 1, 1))
    stages = walk_layers(layers, (1, 4, 4), Numbers())
    for before, after in pairwise(stages):
        assert before.outputs() == after.inputs


def test_a_kernel_is_divided_among_the_layers_of_a_variant():
    kernel = values_of(np.array([[[1, 2, 1], [2, 4, 2], [3, 6, 3]]]) / 4)
    x = values_of(np.arange(49).reshape(1, 7, 7))
    conv = Conv(1, 1, 3)
    whole = walk_layers((conv,), (1, 7, 7), Numbers(x, kernel))
    pair = walk_layers(VARIANTS["separable"](conv), (1, 7, 7), Numbers(x, kernel))
    assert pair[-1].outputs() == whole[0].outputs()
    deep, point = walk_layers(VARIANTS["depthwise-separable"](conv), (1, 7, 7), Numbers(x, kernel))
    assert deep.outputs() == whole[0].outputs()
    assert {term.weight for step in point.steps for term in step.terms} <= {1, 2, 3}


def test_one_kernel_for_all_one_for_each_output_or_all():
    layer = Conv(2, 2, 1)
    kernels = [values_of(np.full((1, 1, 1), number))[0] for number in range(1, 5)]
    used = []
    for count in (1, 2, 4):
        (stage,) = walk_layers((layer,), (2, 1, 1), Numbers(kernels=tuple(kernels[:count])))
        used.append([int(term.weight) for step in stage.steps for term in step.terms])
    assert used == [[1, 1, 1, 1], [1, 1, 2, 2], [1, 2, 3, 4]]


ROW = values_of(np.ones((1, 1, 3)))


@pytest.mark.parametrize(
    ("layers", "shape", "numbers", "message"),
    [
        ((Conv(1, 1, 3, dims=3),), (1, 5, 5, 5), Numbers(), "an input of 3 axes cannot be drawn; use `dims=1` or `dims=2`"),
        ((Conv(1, 1, 3),), (1, 33, 5), Numbers(), f"the input would be 33x5 cells, but at most {MAX_CELLS} on a side are drawn"),
        ((Conv(1, 1, 3, padding=20),), (1, 5, 5), Numbers(), "the output of 'conv k3x3 p20 o1' would be 43x43 cells"),
        ((Conv(1, 1, 40, padding=20),), (1, 5, 5), Numbers(), "the input with its padding would be 45 cells"),
        ((Conv(1, 17, 3),), (1, 5, 5), Numbers(), "would have 17 channels, but at most 16 are drawn"),
        ((Conv(16, 16, 5, padding=2),), (16, 28, 28), Numbers(), "'conv k5x5 p2 o16' makes 5,017,600 products, but at most 250,000 are drawn"),
        ((Flatten(), Dense(in_features=25, out_features=3)), (1, 5, 5), Numbers(), "'flatten' has no window that can be drawn"),
        ((MaxPool(3, padding=1),), (1, 5, 5), Numbers(border=Border("reflect")), "`padding_mode` fills the padding of a convolution, but no layer here has such padding; leave it out"),
        ((ConvTranspose(1, 1, 3, padding=1),), (1, 5, 5), Numbers(border=Border("reflect")), "no layer here has such padding; leave it out"),
        ((BatchNorm(channels=1),), (1, 5, 5), Numbers(), "'bn' cannot be drawn; give convolutions, pools"),
        ((Resize(scale=2, mode="bilinear"),), (1, 5, 5), Numbers(), "'resize x2 bilinear' cannot be drawn"),
        ((Conv(1, 1, 3),), (1, 5, 5), Numbers(kernels=ROW), "a kernel is 1x3, but the layer has kernels of 3x3"),
        ((Conv(2, 2, (1, 3)),), (2, 5, 5), Numbers(kernels=ROW * 3), "3 kernels are given, but the layer takes 1 for all channels or 2 for the output channels or 4 for the pairs of channels"),
        ((MaxPool(2),), (1, 4, 4), Numbers(kernels=ROW), "`kernel` gives the weights of one layer, but no layers have weights"),
        ((Conv(1, 1, 3), Conv(1, 1, 3)), (1, 9, 9), Numbers(kernels=ROW), "but 2 layers have weights; leave it out"),
        ((MaxPool(2),), (1, 4, 4), Numbers(flip=True), "`flip=True` rotates kernels, but no layer here has one"),
        ((Conv(1, 1, 3),), (1, 4, 4), Numbers(offsets=ROW[0]), "`offsets` belong to `variant='deformable'`"),
        ((DeformConv(1, 1, 3),), (1, 4, 4), Numbers(offsets=ROW[0]), "`offsets` are 1x3 numbers; a kernel of 3x3 needs 9 rows of 2"),
        (VARIANTS["separable"](Conv(1, 1, 2)), (1, 4, 4), Numbers(kernels=values_of(np.eye(2)[np.newaxis])), "is not the product of a column and a row"),
        ((LpPool(norm_type=400, kernel_size=2),), (1, 2, 2), Numbers(values_of(np.full((1, 2, 2), 99))), "the norm at output"),
    ],
)  # fmt: skip
def test_what_cannot_be_drawn(layers, shape, numbers, message):
    with pytest.raises(ArgumentError) as error:
        walk_layers(layers, shape, numbers)
    assert message in str(error.value)
