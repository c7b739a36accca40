"""PyTorch's results over random layers, where PyTorch is installed."""

import random
import warnings

import numpy as np
import pytest

from convcli import backend
from convcli.errors import ArgumentError
from convcli.layers import Branch, DeformConv

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    torch = pytest.importorskip("torch", reason="PyTorch is no dependency; install torch to compare with it")
functional = torch.nn.functional

ROUNDS = 100


@pytest.fixture(params=range(ROUNDS))
def layer(request):
    """Draw the arguments of a layer and arrays that mostly fit it."""
    draw, numbers = random.Random(request.param), np.random.default_rng(request.param)
    dims, groups = draw.randint(1, 3), draw.randint(1, 3)

    def several(low, high):
        return [draw.randint(low, high) for _ in range(dims)]

    inputs, outputs, kernel = draw.randint(1, 2), draw.randint(1, 2) * groups, several(1, 4)
    return {
        "draw": draw,
        "dims": dims,
        "x": numbers.standard_normal((draw.randint(1, 3), inputs * groups, *several(7, 11))),
        "weight": numbers.standard_normal((outputs, inputs, *kernel)),
        "transposed": numbers.standard_normal((inputs * groups, outputs // groups, *kernel)),
        "bias": numbers.standard_normal(outputs),
        "kernel": kernel,
        "groups": groups,
        "stride": several(1, 3),
        "padding": several(0, 2),
        "dilation": several(1, 2),
        "extra": several(0, 1),
    }


def theirs(name, *arrays, **options):
    """Call PyTorch, or skip the test if it rejects the arguments."""
    try:
        with torch.no_grad():
            result = getattr(functional, name)(
                *(torch.from_numpy(a) if isinstance(a, np.ndarray) else a for a in arrays), **options
            )
    except RuntimeError as error:
        pytest.skip(f"PyTorch refuses: {str(error).splitlines()[0]}")
    return [part.numpy() for part in result] if isinstance(result, tuple) else result.numpy()


def assert_equal(ours, expected):
    assert ours.shape == expected.shape
    assert ours.dtype == expected.dtype
    np.testing.assert_allclose(ours, expected, rtol=1e-9, atol=1e-9)


def test_conv(layer):
    names = ("stride", "padding", "dilation", "groups")
    options = {name: layer[name] for name in names}
    arrays = layer["x"], layer["weight"], layer["bias"]
    expected = theirs(f"conv{layer['dims']}d", *arrays, **options)
    assert_equal(backend.conv(*arrays, **options), expected)


def test_conv_with_a_border(layer):
    mode = layer["draw"].choice(["reflect", "replicate", "circular"])
    flat = [side for pad in reversed(layer["padding"]) for side in (pad, pad)]
    wide = theirs("pad", layer["x"], flat, mode=mode)
    options = {name: layer[name] for name in ("stride", "groups")}
    expected = theirs(f"conv{layer['dims']}d", wide, layer["weight"], None, **options)
    ours = backend.conv(layer["x"], layer["weight"], padding=layer["padding"], padding_mode=mode, **options)
    assert_equal(ours, expected)


def test_conv_transpose(layer):
    options = {name: layer[name] for name in ("stride", "padding", "dilation", "groups")}
    options["output_padding"] = [
        min(extra, max(s, d) - 1)
        for extra, s, d in zip(layer["extra"], layer["stride"], layer["dilation"], strict=True)
    ]
    arrays = layer["x"], layer["transposed"], layer["bias"]
    expected = theirs(f"conv_transpose{layer['dims']}d", *arrays, **options)
    if expected.size == 0:
        with pytest.raises(ArgumentError):
            backend.conv_transpose(*arrays, **options)
        return
    assert_equal(backend.conv_transpose(*arrays, **options), expected)


def test_conv_gradients(layer):
    options = {name: layer[name] for name in ("stride", "padding", "dilation", "groups")}
    x, weight, dims = layer["x"], layer["weight"], layer["dims"]
    y = theirs(f"conv{dims}d", x, weight, None, **options)
    dy = np.random.default_rng(0).standard_normal(y.shape)
    arrays = (torch.from_numpy(array) for array in (x, weight, dy))
    x_there, weight_there, dy_there = arrays
    expected = getattr(torch.nn.grad, f"conv{dims}d_weight")(x_there, weight.shape, dy_there, **options)
    assert_equal(backend.conv_weight_grad(x, weight.shape, dy, **options), expected.numpy())
    expected = getattr(torch.nn.grad, f"conv{dims}d_input")(x.shape, weight_there, dy_there, **options)
    assert_equal(backend.conv_input_grad(x.shape, weight, dy, **options), expected.numpy())


def test_conv_gradients_with_a_border(layer):
    mode = layer["draw"].choice(["reflect", "replicate", "circular"])
    flat = [side for pad in reversed(layer["padding"]) for side in (pad, pad)]
    options = {name: layer[name] for name in ("stride", "groups")}
    x = torch.from_numpy(layer["x"]).requires_grad_()
    weight = torch.from_numpy(layer["weight"]).requires_grad_()
    try:
        wide = functional.pad(x, flat, mode=mode)
        y = getattr(functional, f"conv{layer['dims']}d")(wide, weight, **options)
        dy = torch.from_numpy(np.random.default_rng(0).standard_normal(y.shape))
        y.backward(dy)
    except RuntimeError as error:
        pytest.skip(f"PyTorch refuses: {str(error).splitlines()[0]}")
    options |= {"padding": layer["padding"], "padding_mode": mode}
    ours = backend.conv_weight_grad(layer["x"], layer["weight"].shape, dy.numpy(), **options)
    assert_equal(ours, weight.grad.numpy())
    ours = backend.conv_input_grad(layer["x"].shape, layer["weight"], dy.numpy(), **options)
    assert_equal(ours, x.grad.numpy())


def test_max_pool(layer):
    ceil_mode = layer["draw"].random() < 0.5
    options = {name: layer[name] for name in ("stride", "padding", "dilation")} | {"ceil_mode": ceil_mode}
    expected, at = theirs(
        f"max_pool{layer['dims']}d", layer["x"], layer["kernel"], return_indices=True, **options
    )
    y, places = backend.max_pool(layer["x"], layer["kernel"], return_indices=True, **options)
    assert_equal(y, expected)
    assert_equal(places, at)


def test_avg_pool(layer):
    draw = layer["draw"]
    options = {"ceil_mode": draw.random() < 0.5, "count_include_pad": draw.random() < 0.5}
    options |= {name: layer[name] for name in ("stride", "padding")}
    expected = theirs(f"avg_pool{layer['dims']}d", layer["x"], layer["kernel"], **options)
    assert_equal(backend.avg_pool(layer["x"], layer["kernel"], **options), expected)


def test_lp_pool(layer):
    kernel, stride = layer["kernel"], layer["stride"]
    if layer["dims"] == 1:
        kernel, stride = kernel[0], stride[0]
    expected = theirs(f"lp_pool{layer['dims']}d", layer["x"], 2, kernel, stride=stride)
    assert_equal(backend.lp_pool(layer["x"], 2, layer["kernel"], stride=layer["stride"]), expected)


def test_adaptive_pools(layer):
    for kind, ours in (("avg", backend.adaptive_avg_pool), ("max", backend.adaptive_max_pool)):
        expected = theirs(f"adaptive_{kind}_pool{layer['dims']}d", layer["x"], layer["kernel"])
        assert_equal(ours(layer["x"], layer["kernel"]), expected)


def test_rearranging(layer):
    assert_equal(
        backend.channel_shuffle(layer["x"], layer["groups"]),
        theirs("channel_shuffle", layer["x"], layer["groups"]),
    )
    if layer["dims"] == 2:
        options = {name: layer[name] for name in ("stride", "padding", "dilation")}
        expected = theirs("unfold", layer["x"], layer["kernel"], **options)
        assert_equal(backend.unfold(layer["x"], layer["kernel"], **options), expected)
        size = layer["x"].shape[2:]
        folded = theirs("fold", expected, size, layer["kernel"], **options)
        assert_equal(backend.fold(expected, size, layer["kernel"], **options), folded)


def test_an_output_size_of_a_transposed_layer(layer):
    names = ("stride", "padding", "dilation", "groups")
    options = {name: layer[name] for name in names}
    weight, dims = layer["transposed"], layer["dims"]
    kind = getattr(torch.nn, f"ConvTranspose{dims}d")
    module = kind(
        len(weight), weight.shape[1] * layer["groups"], layer["kernel"], bias=False, **options
    ).double()
    module.weight.data = torch.from_numpy(weight)
    least = [
        (n - 1) * s - 2 * p + d * (k - 1) + 1
        for n, s, p, d, k in zip(
            layer["x"].shape[2:],
            layer["stride"],
            layer["padding"],
            layer["dilation"],
            layer["kernel"],
            strict=True,
        )
    ]
    for more in range(-1, 4):
        size = [low + more for low in least]
        try:
            with torch.no_grad():
                expected = module(torch.from_numpy(layer["x"]), output_size=size).numpy()
        except (ValueError, RuntimeError):  # also if the sizes are not among those it can have
            with pytest.raises(ArgumentError):
                backend.conv_transpose(layer["x"], weight, **options, output_size=size)
        else:
            assert_equal(backend.conv_transpose(layer["x"], weight, **options, output_size=size), expected)


def test_deform_conv(layer):
    """The operator of torchvision in terms of PyTorch: sample the input at each tap, multiply and sum."""
    if layer["dims"] != 2:
        pytest.skip("grid_sample is written for two dimensions here")
    x, kernel, groups = layer["x"], layer["kernel"], layer["groups"]
    options = {name: layer[name] for name in ("stride", "padding", "dilation")}
    try:
        y = backend.conv(x, layer["weight"], groups=groups, **options)
    except ArgumentError:
        pytest.skip("the kernel is larger than the input")
    numbers = np.random.default_rng(0)
    offset = numbers.standard_normal((len(x), groups, *kernel, 2, *y.shape[2:])) * 2
    mask = numbers.random((len(x), groups, *kernel, *y.shape[2:]))
    places = np.indices(y.shape[2:])
    expected = np.zeros_like(y)
    for group, (channels, weight) in enumerate(
        zip(np.split(x, groups, axis=1), np.split(layer["weight"], groups), strict=True)
    ):
        framed = np.pad(channels, ((0, 0), (0, 0), (1, 1), (1, 1)))  # so that -1 and n are elements as well
        mine = np.split(np.arange(len(layer["weight"])), groups)[group]
        for tap in np.ndindex(*kernel):
            grid = []  # x before y, from -1 to 1
            for axis in (1, 0):
                walk = places[axis] * layer["stride"][axis] - layer["padding"][axis]
                at = walk + tap[axis] * layer["dilation"][axis] + offset[(slice(None), group, *tap, axis)]
                grid.append(2 * (at + 1) / (x.shape[2 + axis] + 1) - 1)
            seen = theirs("grid_sample", framed, np.stack(grid, axis=-1), align_corners=True)
            seen *= mask[(slice(None), group, *tap)][:, np.newaxis]
            expected[:, mine] += np.einsum("oc,nchw->nohw", weight[(..., *tap)], seen)
    ours = backend.deform_conv(
        x,
        offset.reshape(len(x), -1, *y.shape[2:]),
        layer["weight"],
        groups=groups,
        offset_groups=groups,
        mask=mask.reshape(len(x), -1, *y.shape[2:]),
        **options,
    )
    assert_equal(ours, expected)


ACTIVATIONS = {
    "relu": "relu", "relu6": "relu6", "leaky-relu": "leaky_relu", "elu": "elu", "sigmoid": "sigmoid",
    "tanh": "tanh", "silu": "silu", "gelu": "gelu", "softplus": "softplus", "mish": "mish",
    "hard-sigmoid": "hardsigmoid", "hard-swish": "hardswish", "softmax": "softmax",
}  # fmt: skip


def test_activations(layer):
    name = layer["draw"].choice(list(ACTIVATIONS))
    options = {"dim": 1} if name == "softmax" else {}
    x = layer["x"] * layer["draw"].choice([1, 10])
    np.testing.assert_allclose(
        backend.activation(x, name), theirs(ACTIVATIONS[name], x, **options), rtol=1e-8, atol=1e-8
    )  # PyTorch's softplus is x itself above 20


def test_batch_norm(layer):
    random = np.random.default_rng(0)
    mean, var, gamma, beta = random.random((4, layer["x"].shape[1]))
    assert_equal(
        backend.batch_norm(layer["x"], mean, var, gamma, beta),
        theirs("batch_norm", layer["x"], mean, var, gamma, beta),
    )


def test_dense(layer):
    x = layer["x"].reshape(len(layer["x"]), -1)
    weight = np.random.default_rng(0).standard_normal((len(layer["bias"]), x.shape[1]))
    assert_equal(backend.dense(x, weight, layer["bias"]), theirs("linear", x, weight, layer["bias"]))


@pytest.mark.parametrize("mode", ["nearest", "bilinear"])
def test_resize(layer, mode):
    draw, dims = layer["draw"], layer["dims"]
    word = mode if mode == "nearest" else ("linear", "bilinear", "trilinear")[dims - 1]
    options = {} if mode == "nearest" else {"align_corners": False}
    scale = [draw.randint(1, 3) for _ in range(dims)]
    expected = theirs("interpolate", layer["x"], scale_factor=tuple(map(float, scale)), mode=word, **options)
    assert_equal(backend.resize(layer["x"], scale=scale, mode=mode), expected)
    size = [draw.randint(1, 15) for _ in range(dims)]
    expected = theirs("interpolate", layer["x"], size=size, mode=word, **options)
    assert_equal(backend.resize(layer["x"], size=size, mode=mode), expected)


def test_a_deformable_chain_is_its_predictor_and_its_samples(layer):
    """The channels of the predictor, divided as in torchvision's examples: offsets first, then the mask."""
    if layer["dims"] != 2:
        pytest.skip("grid_sample is written for two dimensions here")
    options = {name: layer[name] for name in ("stride", "padding", "dilation")}
    deform = DeformConv(
        in_channels=layer["x"].shape[1], out_channels=len(layer["weight"]), kernel_size=layer["kernel"],
        groups=layer["groups"], mask=True, bias=False, **options,
    )  # fmt: skip
    random = np.random.default_rng(0)
    predictor = {name: random.standard_normal(shape) for name, shape in
                 backend.parameter_shapes(deform.predictor()).items()}  # fmt: skip
    chain = (Branch(layer=deform.predictor()), deform)
    y = backend.run_chain(chain, (predictor, {"weight": layer["weight"]}), layer["x"])
    moves = theirs("conv2d", layer["x"], predictor["weight"], predictor["bias"], **options)
    taps = int(np.prod(layer["kernel"]))
    offset, mask = moves[:, : 2 * taps], torch.sigmoid(torch.from_numpy(moves[:, 2 * taps :])).numpy()
    expected = backend.deform_conv(
        layer["x"], offset, layer["weight"], groups=layer["groups"], mask=mask, **options
    )
    assert_equal(y, expected)
