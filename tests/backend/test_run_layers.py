"""Layers and chains of layers through their operators, checked by identities between them."""

from math import erf, inf, nan, prod

import numpy as np
import pytest
from scipy.special import logsumexp

from convcli import VARIANTS, Conv, backend
from convcli.errors import ArgumentError
from convcli.layers import (
    Activation,
    Add,
    BatchNorm,
    Branch,
    Concat,
    ConvTranspose,
    DeformConv,
    Dense,
    Dropout,
    Elementwise,
    Expand,
    Flatten,
    FlattenFrom,
    Gather,
    GlobalPool,
    Linear,
    LocalConv,
    MatMul,
    MaxPool,
    Recurrent,
    Reduce,
    Reshape,
    Resize,
    Slice,
    Softmax,
    Split,
    Tile,
    TiledConv,
    Transpose,
    Unsqueeze,
)
from tests import reference
from tests.backend.cases import assert_close

SIZE = (8, 9, 7)
COLUMN = np.array([[1.0], [-2.0], [3.0]])
MATRIX = np.array([[1.0, 2.0, 3.0, 4.0], [0.0, -1.0, 0.5, 2.0]])


def arrays_of(layer, random):
    """Return random arrays for a layer."""
    return {
        name: random.standard_normal(shape) for name, shape in backend.parameter_shapes(layer.inner).items()
    }


def variant(name, dims=2, **options):
    """Return a variant's layers, random arrays for them and a batch of inputs."""
    outputs = 8 if name == "depthwise" else 6
    options = {"in_channels": 4, "out_channels": outputs, "kernel_size": 3, "padding": 1} | options
    random = np.random.default_rng(0)
    shape = (options["in_channels"], *SIZE[:dims])
    layers = VARIANTS[name](Conv(**options, dims=dims), shape)
    arguments = [arrays_of(layer, random) for layer in layers]
    return layers, arguments, random.standard_normal((2, *shape))


@pytest.mark.parametrize("dims", [1, 2, 3])
@pytest.mark.parametrize("name", VARIANTS)
def test_every_variant_gives_the_shape_of_its_layers(name, dims):
    layers, arguments, x = variant(name, dims, stride=2)
    shape = x.shape[1:]
    for count, layer in enumerate(layers, start=1):
        shape = layer.output_shape(shape)
        if not isinstance(layer, Branch):
            assert backend.run_chain(layers[:count], arguments[:count], x).shape == (2, *shape)
    y = backend.run_chain(layers, arguments, x)
    assert np.isfinite(y).all()
    assert backend.run_chain(layers, arguments, x[:0]).shape == (0, *shape)
    if name != "dense":  # whose layers take any number of axes
        assert_close(backend.run_chain(layers, arguments, x[1]), y[1])


@pytest.mark.parametrize("dims", [1, 2, 3])
@pytest.mark.parametrize("name", VARIANTS)
def test_every_parameter_is_used(name, dims):
    for layer in variant(name, dims, stride=2)[0]:
        sizes = {name: prod(shape) for name, shape in backend.parameter_shapes(layer).items()}
        assert (sizes.get("weight", 0), sizes.get("bias", 0)) == (layer.weights(), layer.biases())


def test_separable_layers_with_the_factors_of_a_kernel_are_the_kernel():
    (first, second), _, x = variant("separable", in_channels=1, out_channels=1, bias=False)
    down, right = np.random.default_rng(0).standard_normal((2, 3))
    arguments = [{"weight": down.reshape(1, 1, 3, 1)}, {"weight": right.reshape(1, 1, 1, 3)}]
    y = backend.run_chain((first, second), arguments, x)
    assert_close(y, backend.conv(x, np.outer(down, right)[None, None], padding=1))


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_depthwise_separable_is_one_convolution_with_products_for_weights(dims):
    layers, (depthwise, pointwise), x = variant("depthwise-separable", dims, stride=2)
    weight = pointwise["weight"] * depthwise["weight"].swapaxes(0, 1)  # (O, C, 1...) * (1, C, *k)
    expected = backend.conv(x, weight, pointwise["bias"], stride=2, padding=1)
    assert_close(backend.run_chain(layers, (depthwise, pointwise), x), expected)


def test_pointwise_mixes_the_channels_of_each_place():
    layers, (arrays,), x = variant("pointwise")
    expected = np.einsum("oc,nchw->nohw", arrays["weight"][:, :, 0, 0], x)
    assert_close(
        backend.run_chain(layers, (arrays,), x), expected + arrays["bias"][:, np.newaxis, np.newaxis]
    )


def test_grouped_is_a_standard_convolution_with_blocks_of_weights():
    layers, (arrays,), x = variant("grouped")
    blocks = np.zeros((6, 4, 3, 3))
    blocks[:3, :2], blocks[3:, 2:] = arrays["weight"][:3], arrays["weight"][3:]
    expected = backend.conv(x, blocks, arrays["bias"], padding=1)
    assert_close(backend.run_chain(layers, (arrays,), x), expected)


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_shuffled_grouped_is_grouped_and_transposed(dims):
    layers, arguments, x = variant("shuffled-grouped", dims)
    y = backend.run_layer(layers[0], x, **arguments[0])
    shuffled = backend.run_chain(layers, arguments, x)
    dealt = shuffled.reshape(2, 3, 2, *y.shape[2:])
    assert np.array_equal(dealt.swapaxes(1, 2).reshape(y.shape), y)
    assert_close(backend.run_chain(layers, arguments, x[0]), shuffled[0])


def test_dilated_is_a_larger_kernel_with_zeros_between():
    layers, (arrays,), x = variant("dilated")
    wide = np.zeros((6, 4, 5, 5))
    wide[:, :, ::2, ::2] = arrays["weight"]
    assert_close(backend.run_chain(layers, (arrays,), x), backend.conv(x, wide, arrays["bias"], padding=1))


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_transposed_is_the_adjoint_of_the_convolution_with_its_weights(dims):
    layers, (arrays,), x = variant("transposed", dims, stride=2, bias=False)
    y = backend.run_chain(layers, (arrays,), x)
    other = np.random.default_rng(1).standard_normal(y.shape)
    back = backend.conv(other, **arrays, stride=2, padding=1)
    assert back.shape == x.shape
    assert np.isclose((y * other).sum(), (x * back).sum())


def test_resize_conv_repeats_the_elements():
    layers, arguments, x = variant("resize-conv", stride=(2, 3))
    expected = backend.conv(x.repeat(2, axis=2).repeat(3, axis=3), **arguments[1], padding="same")
    assert_close(backend.run_chain(layers, arguments, x), expected)


@pytest.mark.parametrize("dims", [1, 2, 3])
@pytest.mark.parametrize("mask", [False, True])
def test_deformable_whose_predictor_gives_zeros_is_the_convolution(dims, mask):
    deform = DeformConv(
        in_channels=4,
        out_channels=6,
        kernel_size=3,
        stride=2,
        groups=2,
        offset_groups=2,
        mask=mask,
        dims=dims,
    )
    random = np.random.default_rng(0)
    x, mine = random.standard_normal((2, 4, *SIZE[:dims])), arrays_of(deform, random)
    branch = Branch(layer=deform.predictor())
    zeros = {name: np.zeros(shape) for name, shape in backend.parameter_shapes(branch).items()}
    y = backend.run_chain((branch, deform), (zeros, mine), x)
    expected = backend.conv(x, mine["weight"], stride=2, groups=2)
    if mask:
        expected /= 2  # a sigmoid of zero
    assert_close(y, expected + mine["bias"].reshape(-1, *(1,) * dims))


def test_deformable_whose_predictor_gives_integers_shifts_its_taps():
    deform = DeformConv(in_channels=2, out_channels=3, kernel_size=(3, 2), mask=True, bias=False)
    random = np.random.default_rng(0)
    x, weight = random.standard_normal((1, 2, 8, 9)), random.standard_normal((3, 2, 3, 2))
    predictor = deform.predictor()
    moved = np.concatenate([np.tile([2.0, -1.0], 6), np.full(6, 50.0)])  # y then x of each tap; masks of 1
    still = {"weight": np.zeros(backend.parameter_shapes(predictor)["weight"]), "bias": moved}
    shifted = np.zeros_like(x)
    shifted[:, :, :-2, 1:] = x[:, :, 2:, :-1]
    y = backend.run_chain((Branch(layer=predictor), deform), (still, {"weight": weight}), x)
    assert_close(y, backend.conv(shifted, weight))


def test_offsets_can_be_given_instead_of_predicted():
    deform = DeformConv(in_channels=2, out_channels=3, kernel_size=3, bias=False)
    x, weight = np.random.default_rng(0).standard_normal((2, 8, 9)), np.ones((3, 2, 3, 3))
    y = backend.run_layer(deform, x, offset=np.zeros((18, 6, 7)), weight=weight)
    assert_close(y, backend.conv(x, weight))


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_local_and_tiled_with_repeated_weights_are_the_convolution(dims):
    (layer,), (arrays,), x = variant("standard", dims, stride=2)
    expected = backend.run_layer(layer, x, **arrays)
    for name in ("local", "tiled"):
        (unshared,), _, _ = variant(name, dims, stride=2)
        shapes = backend.parameter_shapes(unshared)
        repeated = {}
        for word, array in arrays.items():
            first = isinstance(unshared, LocalConv)  # (O, *output, ...) against (*tile, O, ...)
            places = tuple(range(1, 1 + dims) if first else range(dims))
            repeated[word] = np.broadcast_to(np.expand_dims(array, places), shapes[word])
        assert_close(backend.run_layer(unshared, x, **repeated), expected)


def test_tiled_is_local_with_periodic_weights():
    (tiled,), (arrays,), x = variant("tiled", stride=2)
    (local,), _, _ = variant("local", stride=2)
    places = np.ix_(*(np.arange(n) % 2 for n in tiled.output_size(x.shape[2:])))
    weights_by_place = {name: np.moveaxis(array[places], 2, 0) for name, array in arrays.items()}
    assert_close(backend.run_layer(tiled, x, **arrays), backend.run_layer(local, x, **weights_by_place))


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_dense_with_the_matrix_of_a_convolution_is_that_convolution(dims):
    layers, _, x = variant("dense", dims, stride=2)
    weight = np.random.default_rng(1).standard_normal((6, 4, *(3,) * dims))
    matrix = backend.conv_matrix(weight, x.shape[1:], stride=2, padding=1).toarray()
    y = backend.run_chain(layers, ({}, {"weight": matrix}), x)
    assert_close(y, backend.conv(x, weight, stride=2, padding=1).reshape(2, -1))


def test_batch_norm_folds_into_the_convolution_before_it():
    random = np.random.default_rng(0)
    layers = (Conv(in_channels=2, out_channels=3, kernel_size=3), BatchNorm(channels=3))
    arguments = [arrays_of(layer, random) for layer in layers]
    arguments[1]["var"] = np.abs(arguments[1]["var"])
    x = random.standard_normal((2, 2, 6, 7))
    mean, var, gamma, beta = (arguments[1][name] for name in ("mean", "var", "gamma", "beta"))
    scale = gamma / np.sqrt(var + 1e-5)
    weight = arguments[0]["weight"] * scale[:, np.newaxis, np.newaxis, np.newaxis]
    bias = (arguments[0]["bias"] - mean) * scale + beta
    assert_close(backend.run_chain(layers, arguments, x), backend.conv(x, weight, bias))


@pytest.mark.parametrize("kind", ["avg", "max"])
@pytest.mark.parametrize("dims", [0, 1, 2, 3])
def test_a_small_network_ends_in_one_vector(kind, dims):
    x = np.random.default_rng(0).standard_normal((2, 3, *SIZE[:dims]))
    y = backend.run_chain((GlobalPool(kind=kind), Flatten()), ({}, {}), x)
    flat = x.reshape(2, 3, -1)
    assert_close(y, flat.max(axis=2) if kind == "max" else flat.mean(axis=2))


def test_one_input_is_followed_through_layers_that_take_any_number_of_axes():
    random = np.random.default_rng(0)
    layers = (
        Activation(name="softmax"),
        Conv(in_channels=3, out_channels=4, kernel_size=3, bias=False),
        BatchNorm(channels=4),
        MaxPool(kernel_size=2),
        GlobalPool(),
        Flatten(),
        Dense(in_features=4, out_features=5),
        Activation(name="softmax"),
    )
    arguments = [
        {
            name: np.abs(random.standard_normal(shape))
            for name, shape in backend.parameter_shapes(layer).items()
        }
        for layer in layers
    ]
    x = random.standard_normal((2, 3, 8, 9))
    y = backend.run_chain(layers, arguments, x)
    assert y.shape == (2, 5)
    assert_close(y.sum(axis=1), np.ones(2))
    assert_close(backend.run_chain(layers, arguments, x[1]), y[1])


def test_options_of_the_operator_reach_it():
    layer = Conv(in_channels=1, out_channels=1, kernel_size=3, padding=1, dims=1)
    y = backend.run_layer(
        layer, [[1, 2, 3]], weight=np.ones((1, 1, 3), int), bias=[10], padding_mode="replicate"
    )
    assert y.tolist() == [[14, 16, 18]]


CONV = Conv(in_channels=1, out_channels=1, kernel_size=3, bias=False)
DEFORM = DeformConv(in_channels=1, out_channels=1, kernel_size=3)
X, WEIGHT = np.ones((1, 1, 5, 5)), np.ones((1, 1, 3, 3))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: backend.run_layer(CONV, X, weight=np.ones((1, 1, 5, 5))),
            "weight has shape (1, 1, 5, 5); the layer needs (1, 1, 3, 3)",
        ),
        (lambda: backend.run_layer(CONV, X), "the layer Conv needs weight of shape (1, 1, 3, 3)"),
        (
            lambda: backend.run_layer(CONV, X, weight=WEIGHT, bias=[1]),
            "the layer Conv has no bias, but one is given; make the layer with bias=True",
        ),
        (
            lambda: backend.run_layer(DEFORM, X, weight=WEIGHT),
            "the layer DeformConv needs offset",
        ),
        (
            lambda: backend.run_layer(DEFORM, X, weight=WEIGHT, offset=[0], mask=[0]),
            "the layer DeformConv has no mask, but one is given; make the layer with mask=True",
        ),
        (
            lambda: backend.run_layer(CONV, np.ones((1, 2, 5, 5)), weight=WEIGHT),
            "the input has 2 channels, the layer takes 1",
        ),
        (
            lambda: backend.run_layer(CONV, np.ones((5, 5)), weight=WEIGHT),
            "x has shape (5, 5); the layer Conv has 2 spatial axes, so x must be (N, C, *spatial) with 4 axes, "
            "or (C, *spatial) with 3",
        ),
        (
            lambda: backend.run_layer(Flatten(), np.ones(5)),
            "x has shape (5,); the layer Flatten needs (N, C, *spatial)",
        ),
        (
            lambda: backend.run_layer(Dense(in_features=4, out_features=1), X, weight=np.ones((1, 4))),
            "a dense layer takes a vector, the input is 1x5x5; flatten it first",
        ),
        (
            lambda: backend.run_chain([CONV, CONV], [{}], X),
            "2 layers need 2 mappings of arguments, got 1; give an empty one for a layer without weights",
        ),
        (
            lambda: backend.run_chain([Branch(layer=CONV), CONV], [{"weight": WEIGHT}] * 2, X),
            "a branch must be followed by the deformable convolution that uses it, not by Conv",
        ),
        (
            lambda: backend.run_chain([Branch(layer=CONV)], [{"weight": WEIGHT}], X),
            "the chain ends with a branch; a branch must be followed by the deformable convolution that uses it",
        ),
        (
            lambda: backend.run_chain([Branch(layer=CONV), DEFORM], [{"weight": WEIGHT}] * 2, X),
            "offset has shape (1, 1, 3, 3); 2 axes, 9 taps, offset_groups=1 and the output size (3, 3) needs "
            "(1, 18, 3, 3)",
        ),
    ],
)
def test_errors(call, message):
    with pytest.raises(ArgumentError) as error:
        call()
    assert str(error.value) == message


def test_unshared_weights_fit_one_size():
    layer = LocalConv(in_channels=1, out_channels=1, kernel_size=3, input_size=7, dims=2)
    with pytest.raises(ArgumentError, match="the layer has weights for an input of 7x7, not 5x5"):
        backend.run_layer(layer, X, weight=np.ones((1, 5, 5, 1, 3, 3)))


def test_a_layer_without_an_operator():
    text = (
        "no operator runs the layer Recurrent; these can be run: Conv, ConvTranspose, DeformConv, LocalConv"
    )
    with pytest.raises(ArgumentError, match=text):
        backend.run_layer(Recurrent("lstm", 4, 8), np.ones((1, 3, 4)))


def test_layers_of_several_inputs_and_of_several_outputs():
    first, second = np.ones((2, 3, 4)), np.full((2, 3, 4), 5.0)
    assert (backend.run_layer(Add(), first, second, second) == 11).all()
    joined = backend.run_layer(Concat(), first, second)
    assert joined.shape == (2, 6, 4)
    parts = backend.run_layer(Split(2, axis=1), joined)
    assert [part.tolist() for part in parts] == [first.tolist(), second.tolist()]
    parts[0][:] = 7  # not views of the divided tensor
    assert joined[0, 0, 0] == 1


# A layer on whole tensors, its arrays, and the same with NumPy.
TENSORS = [
    (Elementwise("sub", operand=(3, 1)), {"operand": COLUMN}, lambda x: x - COLUMN),
    (Elementwise("div", operand=(3, 1), operand_first=True), {"operand": COLUMN}, lambda x: COLUMN / x),
    (Elementwise("pow", operand=(1,)), {"operand": np.array([2.0])}, lambda x: x * x),
    (Elementwise("clip"), {"low": 2, "high": 5}, lambda x: np.clip(x, 2, 5)),
    (Elementwise("erf"), {}, lambda x: np.vectorize(erf)(x)),
    (Elementwise("cast"), {"to": "int64"}, lambda x: x.astype(int)),
    (Softmax(-1), {}, lambda x: np.exp(x) / np.exp(x).sum(-1, keepdims=True)),
    (Reduce("mean", (-1,)), {}, lambda x: x.mean(-1, keepdims=True)),
    (Reduce("l2", (1, 2), keep=False), {}, lambda x: np.linalg.norm(x, axis=(1, 2))),
    (Reduce("log-sum-exp", None), {}, lambda x: np.log(np.exp(x).sum(keepdims=True))),
    (Reduce("log-sum-exp", (0, 2), keep=False), {}, lambda x: np.log(np.exp(x).sum((0, 2)))),
    (Reduce("argmax", (1,), keep=False), {}, lambda x: x.argmax(1)),
    (Linear(4, 2), {"weight": MATRIX, "bias": np.array([1.0, 2.0])}, lambda x: x @ MATRIX.T + [1.0, 2.0]),
    (MatMul((4, 2)), {"weight": MATRIX.T}, lambda x: x @ MATRIX.T),
    (MatMul((5, 3), weight_first=True), {"weight": MATRIX[:, :3].repeat(3, 0)[:5]},
     lambda x: MATRIX[:, :3].repeat(3, 0)[:5] @ x),
    (Slice((3, -1), (0, -9), (1, 2), (-1, -2)), {}, lambda x: x[:, 3:0:-1, -1:-9:-2]),
    (Gather(1, indices=(2,)), {"indices": np.array([2, -3])}, lambda x: x[:, [2, 0]]),
    (Gather(table=(9, 5)), {"table": np.arange(45.0).reshape(9, 5)},
     lambda x: np.arange(45.0).reshape(9, 5)[x.astype(int)]),
    (Reshape((0, -1, 2)), {}, lambda x: x.reshape(2, 6, 2)),
    (Transpose((2, 0, 1)), {}, lambda x: np.moveaxis(x, 2, 0)),
    (Unsqueeze((0, -1)), {}, lambda x: x[None, ..., None]),
    (Expand((5, 1, 1, 1)), {}, lambda x: np.stack([x] * 5)),
    (Tile((1, 2, 3)), {}, lambda x: np.tile(x, (1, 2, 3))),
    (FlattenFrom(2), {}, lambda x: x.reshape(6, 4)),
    (Flatten(), {}, lambda x: x.reshape(2, 12)),
    (Dropout(), {}, lambda x: x),
]  # fmt: skip


@pytest.mark.parametrize(("layer", "arrays", "expected"), TENSORS, ids=lambda each: type(each).__name__)
def test_layers_on_whole_tensors_equal_numpy(layer, arrays, expected):
    x = np.arange(1.0, 25).reshape(2, 3, 4) / 4
    y = backend.run_layer(layer, x, **arrays)
    assert_close(y.astype(float), expected(x).astype(float))
    assert [y.shape] == list(layer.output_shapes(x.shape))
    assert not np.may_share_memory(x, y)


def test_whole_numbers_are_divided_as_in_c():
    x, y = np.array([7, -7, 7, -7]), np.array([2, 2, -2, -2])
    assert backend.run_layer(Elementwise("div"), x, y).tolist() == [3, -3, -3, 3]
    assert backend.run_layer(Elementwise("mod"), x, y).tolist() == [1, 1, -1, -1]
    assert backend.run_layer(Elementwise("mod"), x, y, like_c=True).tolist() == [1, -1, 1, -1]
    assert backend.run_layer(Elementwise("where"), x > 0, x, y).tolist() == [7, 2, 7, -2]
    assert backend.run_layer(Elementwise("mean"), x / 1, y / 1).tolist() == [4.5, -2.5, 2.5, -4.5]


class Counted:
    """A weight that counts its products."""

    def __init__(self):
        self.products = 0

    def __mul__(self, other):
        self.products += 1
        return 0

    __rmul__ = __mul__

    def item(self):
        return self


@pytest.mark.parametrize(
    ("loops", "layer"),
    [
        ("conv", Conv(in_channels=4, out_channels=6, kernel_size=(3, 2), stride=2, padding=1, groups=2)),
        ("conv_transpose", ConvTranspose(in_channels=4, out_channels=6, kernel_size=3, stride=2, groups=2, dims=1)),
        ("local_conv", LocalConv(in_channels=2, out_channels=3, kernel_size=2, input_size=(5, 4), padding=1)),
        ("tiled_conv", TiledConv(in_channels=2, out_channels=3, kernel_size=2, stride=2, tile=(2, 3))),
    ],
)  # fmt: skip
def test_the_plain_loops_multiply_as_often_as_the_layer_counts(loops, layer):
    weight = np.empty(backend.parameter_shapes(layer)["weight"], object)
    weight.fill(counted := Counted())
    shape = (layer.in_channels, *(5, 4)[: layer.dims])
    options = {"stride": layer.stride, "pads": layer.padding, "dilation": layer.dilation}
    if loops in ("conv", "conv_transpose"):
        options["groups"] = layer.groups
    if loops == "conv_transpose":
        options["output_padding"] = layer.output_padding
    y = getattr(reference, loops)(np.ones((1, *shape)), weight, **options)
    assert y.shape[1:] == layer.output_shape(shape)
    assert counted.products == layer.cost(shape).multiplications


def test_resize_is_a_layer_that_knows_its_axes():
    assert backend.run_layer(Resize(size=(3, 3)), np.ones((2, 5, 5))).shape == (2, 3, 3)


@pytest.mark.parametrize("row", [[-inf, -inf], [inf, 1.0], [-inf, 3.0], [nan, 1.0], [700.0, 800.0]])
def test_a_log_of_summed_exponentials_may_be_infinite(row: list[float]) -> None:
    """As in PyTorch's and SciPy's logsumexp: the exponentials of a completely masked row sum to 0."""
    found = backend.run_layer(Reduce("log-sum-exp", (1,), keep=False), np.array([row, [0.0, 0.0]]))
    np.testing.assert_allclose(found, [logsumexp(row), np.log(2)])
