"""Every variant on a picture against plain loops, in every border."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convcli.errors import ArgumentError
from convcli.filters.filter_image import filter_image
from convcli.filters.recipe import Recipe
from convcli.filters.stages.blend import LOCALS
from convcli.kernels import Kernel, anchored, parse_kernel
from convcli.layers import VARIANTS, Branch, Conv, VariantSpec
from convcli.layers.padding import MODES
from tests import reference

RNG = np.random.default_rng(3)

KERNEL = parse_kernel("1 2 0; -1 3 4; 2 0 -2")
MEAN = parse_kernel("1 2 1; 2 4 2; 1 2 1")
X = np.random.default_rng(0).integers(0, 256, (3, 7, 8)).astype(np.float64)
SAME = ((1, 1), (1, 1))
BORDERS = [(mode, 9 if mode == "constant" else 0) for mode in MODES]


def run(recipe, x=X):
    """Run a recipe; check that every stage has the shape that it reports."""
    for stage in recipe.stages(x.shape):
        wanted = stage.output_shape(x.shape)
        x = stage(x)
        assert x.shape == wanted
    return x


def recipe(variant, mode="reflect", value=0, kernels=(KERNEL,), **options):
    return Recipe(variant, kernels, padding_mode=mode, padding_value=value, **options)


def loops(x, weight, **options):
    options = {"stride": (1, 1), "pads": SAME, "dilation": (1, 1), "groups": 1} | options
    return reference.conv(x[np.newaxis], np.asarray(weight, float), **options)[0]


def each(matrix, channels=3):
    return np.broadcast_to(np.array(matrix, float), (channels, 1, *np.shape(matrix)))


def wide(x, by, mode, value):
    """Pad x by a padding mode, element by element."""
    channels, height, width = x.shape
    y = np.zeros((channels, height + 2 * by, width + 2 * by))
    for place in np.ndindex(*y.shape):
        y[place] = reference.element(x[np.newaxis], 0, place[0], (place[1] - by, place[2] - by), mode, value)
    return y


@pytest.mark.parametrize(("mode", "value"), BORDERS)
@pytest.mark.parametrize("stride", [1, 2])
def test_depthwise(mode, value, stride):
    pads = tuple(
        Conv(in_channels=1, out_channels=1, kernel_size=3, stride=stride, padding="same").pads((7, 8))
    )
    expected = loops(
        X, each(KERNEL.matrices[0]), groups=3, stride=(stride, stride), pads=pads, mode=mode, value=value
    )
    assert np.allclose(run(recipe("depthwise", mode, value, stride=stride)), expected)


@pytest.mark.parametrize(("mode", "value"), BORDERS)
def test_standard_sums_over_the_channels(mode, value):
    weight = np.broadcast_to(np.array(KERNEL.matrices[0], float), (1, 3, 3, 3))
    assert np.allclose(run(recipe("standard", mode, value)), loops(X, weight, mode=mode, value=value))


@pytest.mark.parametrize(("mode", "value"), BORDERS)
def test_separable_of_full_rank_is_the_kernel(mode, value):
    expected = loops(X, each(KERNEL.matrices[0]), groups=3, mode=mode, value=value)
    assert np.allclose(run(recipe("separable", mode, value, rank=3)), expected)
    expected = loops(X, each(MEAN.matrices[0]), groups=3, mode=mode, value=value)
    assert np.array_equal(run(recipe("separable", mode, value, kernels=(MEAN,))), expected)


@pytest.mark.parametrize(("mode", "value"), BORDERS)
def test_dilated_is_2_by_default(mode, value):
    for given_, used in ((1, 2), (3, 3)):
        expected = loops(
            X,
            each(KERNEL.matrices[0]),
            groups=3,
            dilation=(used, used),
            pads=((used, used),) * 2,
            mode=mode,
            value=value,
        )
        assert np.allclose(run(recipe("dilated", mode, value, dilation=given_)), expected)


@pytest.mark.parametrize(("mode", "value"), BORDERS)
@pytest.mark.parametrize("kernel", ["1 2 3; 4 5 6; 7 8 9", "1 2 3 4; 5 6 7 8", "5"])
def test_transposed_extends_the_picture_by_the_padding_mode(mode, value, kernel):
    kernel = parse_kernel(kernel)
    weight = each(kernel.matrices[0])
    stride = 2
    spread = reference.conv_transpose(
        wide(X, 3, mode, value)[np.newaxis],
        weight,
        stride=(stride, stride),
        pads=((0, 0), (0, 0)),
        output_padding=(1, 1),
        dilation=(1, 1),
        groups=3,
    )[0]
    firsts = [3 * stride + max(k - stride, 0) // 2 for k in kernel.shape]
    expected = spread[:, firsts[0] : firsts[0] + 14, firsts[1] : firsts[1] + 16]
    assert np.allclose(run(recipe("transposed", mode, value, kernels=(kernel,), stride=2)), expected)


def test_transposed_with_zeros_equals_the_operator():
    expected = reference.conv_transpose(
        X[np.newaxis],
        each(KERNEL.matrices[0]),
        stride=(3, 3),
        pads=SAME,
        output_padding=(2, 2),
        dilation=(1, 1),
        groups=3,
    )[0]
    found = run(recipe("transposed", "zeros", stride=3, padding=1, output_padding=2))
    assert np.allclose(found, expected)


@pytest.mark.parametrize(("mode", "value"), BORDERS)
def test_resize_conv_copies_and_then_convolves(mode, value):
    expected = loops(X.repeat(2, 1).repeat(2, 2), each(KERNEL.matrices[0]), groups=3, mode=mode, value=value)
    assert np.allclose(run(recipe("resize-conv", mode, value, stride=2)), expected)


@pytest.mark.parametrize(("mode", "value"), BORDERS)
@pytest.mark.parametrize("stride", [1, 2])
def test_deformable_samples_beyond_the_border(mode, value, stride):
    random = np.random.default_rng(1)
    output = -(-7 // stride), -(-8 // stride)
    offset = random.uniform(-6, 6, (18, *output))
    by = 9  # as far as any tap samples, plus one
    layer = Conv(in_channels=1, out_channels=1, kernel_size=3, stride=stride, padding="same")
    expected = reference.deform_conv(
        wide(X, by, mode, value)[np.newaxis],
        np.pad(offset, ((0, 0), (0, 20), (0, 20)))[np.newaxis],
        each(KERNEL.matrices[0]),
        stride=(stride, stride),
        pads=tuple((before - by, 0) for before, _ in layer.pads((7, 8))),
        dilation=(1, 1),
        groups=3,
    )[0][:, : output[0], : output[1]]
    assert np.allclose(run(recipe("deformable", mode, value, offsets=offset, stride=stride)), expected)


def test_one_offset_for_all_taps_moves_the_kernel():
    offset = np.random.default_rng(2).uniform(-2, 2, (2, 7, 8))
    alike = run(recipe("deformable", offsets=offset))
    assert np.allclose(alike, run(recipe("deformable", offsets=np.tile(offset, (9, 1, 1)))))


@pytest.mark.parametrize(("mode", "value"), BORDERS)
def test_tiled_takes_the_kernels_row_by_row(mode, value):
    kernels = tuple(map(parse_kernel, ("box", "0 1 0; 1 -4 1; 0 1 0", "2", "1 2; 3 4", "1 2 3", "identity")))
    weight = np.zeros((2, 3, 1, 1, 3, 3))
    for number, kernel in enumerate(kernels):
        height, width = kernel.shape
        top, left = (
            1 - (height - 1) // 2,
            1 - (width - 1) // 2,
        )  # so that the centres align, as with `same`
        weight[(*divmod(number, 3), 0, 0)][top : top + height, left : left + width] = (
            np.array(kernel.matrices[0]) / kernel.divisor
        )
    expected = reference.tiled_conv(
        wide(X, 1, mode, value)[:, np.newaxis], weight, stride=(1, 1), pads=((0, 0),) * 2, dilation=(1, 1)
    )[:, 0]
    assert np.allclose(run(recipe("tiled", mode, value, kernels=kernels, tile=(2, 3))), expected)


@pytest.mark.parametrize(("mode", "value"), BORDERS)
def test_local_weights_for_each_position(mode, value):
    random = np.random.default_rng(3)
    full, alike = random.standard_normal((2, 7, 8, 3, 3, 3)), random.standard_normal((7, 8, 3, 3))
    around = wide(X, 1, mode, value)
    options = {"stride": (1, 1), "pads": ((0, 0),) * 2, "dilation": (1, 1)}
    found = run(recipe("local", mode, value, kernels=(), weights=full, weights_name="w"))
    assert np.allclose(found, reference.local_conv(around[np.newaxis], full, **options)[0])
    found = run(recipe("local", mode, value, kernels=(), weights=alike, weights_name="w"))
    expected = reference.local_conv(around[:, np.newaxis], alike[np.newaxis, :, :, np.newaxis], **options)[
        :, 0
    ]
    assert np.allclose(found, expected)


@pytest.mark.parametrize("name", LOCALS)
@pytest.mark.parametrize(("mode", "value"), BORDERS)
def test_a_varying_blur_is_a_local_convolution(name, mode, value):
    (stage,) = recipe("local", mode, value, kernels=(), widths=LOCALS[name](sigma=1.0)).stages(X.shape)
    blend = stage.maps[0]
    widths = blend.widths((slice(0, 7), slice(0, 8)))
    side = blend.layer.kernel_size[0]
    weight = np.zeros((7, 8, side, side))
    bells = {0.0: np.pad([1.0], side // 2)}
    for level in blend.levels[1:]:
        bell = np.array(parse_kernel(f"gaussian:{level}").matrices[0]).sum(axis=0)
        bells[level] = np.pad(bell, (side - len(bell)) // 2)
    for place in np.ndindex(7, 8):
        width = widths[place]
        high = next(level for level in blend.levels[1:] if width <= level)
        low = blend.levels[blend.levels.index(high) - 1]
        share = (width**2 - low**2) / (high**2 - low**2)
        weight[place] = (1 - share) * np.outer(bells[low], bells[low]) + share * np.outer(
            bells[high], bells[high]
        )
    expected = reference.local_conv(
        wide(X, side // 2, mode, value)[:, np.newaxis],
        weight[np.newaxis, :, :, np.newaxis],
        stride=(1, 1),
        pads=((0, 0),) * 2,
        dilation=(1, 1),
    )[:, 0]
    assert 0 in widths
    assert widths.max() > 0.5
    assert np.allclose(stage(X), expected)


def test_pointwise_mixes_the_channels_of_each_pixel():
    mixing = np.random.default_rng(4).standard_normal((5, 3))
    found = run(recipe("pointwise", kernels=(), mixing=mixing, bias=np.arange(5.0)))
    expected = np.einsum("oc,chw->ohw", mixing, X) + np.arange(5.0).reshape(-1, 1, 1)
    assert np.allclose(found, expected)
    assert np.allclose(
        run(recipe("pointwise", kernels=(), mixing=mixing, stride=2)),
        np.einsum("oc,chw->ohw", mixing, X)[:, ::2, ::2],
    )


@pytest.mark.parametrize(("mode", "value"), BORDERS)
def test_depthwise_separable_filters_and_mixes(mode, value):
    mixing = np.random.default_rng(4).standard_normal((2, 3))
    filtered = loops(X, each(KERNEL.matrices[0]), groups=3, mode=mode, value=value)
    found = run(recipe("depthwise-separable", mode, value, mixing=mixing))
    assert np.allclose(found, np.einsum("oc,chw->ohw", mixing, filtered))


def test_grouped_sums_within_groups_and_shuffled_permutes_channels():
    x = np.concatenate([X, X[:1] + 7])
    summed = loops(
        x, np.broadcast_to(np.array(KERNEL.matrices[0], float), (4, 2, 3, 3)), groups=2, mode="reflect"
    )
    assert np.allclose(run(recipe("grouped", groups=2), x), summed)
    assert np.allclose(run(recipe("grouped"), x), summed)  # the smallest divisor of 4
    assert np.allclose(run(recipe("shuffled-grouped", groups=2), x), summed[[0, 2, 1, 3]])


@pytest.mark.parametrize("variant", ["standard", "grouped", "dilated", "resize-conv", "deformable"])
@pytest.mark.parametrize("flip", [False, True])
def test_weights_replace_kernels(variant, flip):
    random = np.random.default_rng(5)
    groups = 3 if variant == "grouped" else 1
    weight, bias = random.standard_normal((6, 3 // groups, 3, 3)), random.standard_normal(6)
    options = {"offsets": np.zeros((2, 7, 8))} if variant == "deformable" else {}
    found = run(
        recipe(
            variant,
            kernels=(),
            weights=weight,
            weights_name="w",
            bias=bias,
            groups=groups,
            flip=flip,
            **options,
        )
    )
    spread = 2 if variant == "dilated" else 1
    expected = loops(
        X,
        weight,
        bias=bias,
        groups=groups,
        mode="reflect",
        flip=flip,
        dilation=(spread,) * 2,
        pads=((spread, spread),) * 2,
    )
    assert np.allclose(found, expected)


def test_weights_of_a_transposed_layer_have_pytorchs_layout():
    weight = np.random.default_rng(6).standard_normal((3, 4, 2, 2))
    found = run(recipe("transposed", "zeros", kernels=(), weights=weight, weights_name="w", stride=2))
    expected = reference.conv_transpose(
        X[np.newaxis], weight, stride=(2, 2), pads=((0, 0),) * 2, output_padding=(0, 0), dilation=(1, 1)
    )[0]
    assert np.allclose(found, expected)


@pytest.mark.parametrize("variant", ["depthwise", "standard", "grouped", "separable"])
def test_three_axes_reach_over_frames(variant):
    x = np.random.default_rng(7).standard_normal((2, 4, 5, 6))
    kernel = parse_kernel("1 2 1; 0 1 0 | 3 1 0; 2 2 2 | 1 1 1; 0 0 5", dims=3)
    if variant == "separable":
        with pytest.raises(ArgumentError, match="`variant='separable'` works on rows and columns"):
            recipe(variant, kernels=(kernel,), rank=1).stages(x.shape)
        return
    found = run(recipe(variant, kernels=(kernel,), groups=2), x)
    matrix = np.array(kernel.matrices[0], float)
    weight, groups = np.broadcast_to(matrix, (2, 1, *matrix.shape)), 2
    if variant == "standard":
        weight, groups = np.broadcast_to(matrix, (1, 2, *matrix.shape)), 1
    pads = ((1, 1), (0, 1), (1, 1))
    expected = reference.conv(
        x[np.newaxis], weight, stride=(1,) * 3, pads=pads, dilation=(1,) * 3, groups=groups, mode="reflect"
    )[0]
    assert np.allclose(found, expected)


@pytest.mark.parametrize("variant", [name for name, spec in VARIANTS.items() if spec.filters])
def test_stages_have_the_layers_of_the_variant(variant):
    """Shapes and costs are then those of the calculators."""
    options = {"mixing": np.ones((3, 3)), "offsets": np.zeros((2, 7, 8)), "widths": LOCALS["tilt-shift"]()}
    kernels = (MEAN,) * 2 if variant == "tiled" else () if variant in ("local", "pointwise") else (MEAN,)
    used = {
        key: options[key]
        for key in options
        if key in {"deformable": "offsets", "local": "widths"}.get(variant, "mixing")
    }
    (stage,) = recipe(variant, kernels=kernels, **used).stages(X.shape)
    groups = 3 if VARIANTS[variant].weighing in ("each", "factors") else 1
    channels = 1 if variant in ("tiled", "local") else 3
    size = stage.layers[0].kernel_size if variant == "local" else (3, 3)
    out = 1 if variant == "standard" else channels
    conv = Conv(
        in_channels=channels, out_channels=out, kernel_size=size, padding="same", groups=groups, bias=False
    )
    layers = [layer for layer in VARIANTS[variant](conv, (channels, 7, 8)) if not isinstance(layer, Branch)]
    if variant != "tiled":  # its tile has the shape of the kernels
        assert list(stage.layers) == layers
    shape = (channels, 7, 8)
    for layer in layers:
        shape = layer.output_shape(shape)
    assert stage.output_shape(X.shape)[1:] == shape[1:]
    assert stage.cost(X.shape).macs > 0
    numbers, seen = stage.held(X.shape, stage.output_shape(X.shape)[1:])
    assert numbers >= X.size
    assert all(a <= n for a, n in zip(seen, X.shape[1:], strict=True))


def test_a_kernel_gives_the_weights_of_one_layer(monkeypatch):
    twice = VariantSpec("twice", "Two layers alike.", lambda conv: (conv, conv))
    monkeypatch.setitem(VARIANTS, "twice", twice)
    with pytest.raises(
        ValueError, match="a kernel gives the weights of one layer, but twice has several with weights"
    ):
        recipe("twice").stages(X.shape)


@given(
    st.lists(st.lists(st.integers(-9, 9), min_size=1, max_size=4), min_size=1, max_size=4).filter(
        lambda rows: len({len(row) for row in rows}) == 1
    ),
    st.data(),
)
def test_an_anchor_is_at_the_output_pixel(rows, data):
    variant, gap = data.draw(st.sampled_from([("depthwise", 1), ("dilated", 2)]))
    place = tuple(data.draw(st.integers(0, n - 1)) for n in (len(rows), len(rows[0])))
    flip = data.draw(st.booleans())
    kernel = anchored(Kernel("k", (tuple(map(tuple, rows)),)), place)
    found = run(recipe(variant, "circular", kernels=(kernel,), flip=flip))
    expected = np.zeros_like(X)
    for (i, j), weight in np.ndenumerate(np.array(rows)):
        moved = (gap * (place[0] - i), gap * (place[1] - j))
        moved = tuple(-move for move in moved) if flip else moved
        expected += weight * np.roll(X, moved, axis=(1, 2))
    assert np.allclose(found, expected)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"variant": "standard", "weights": np.ones((4, 2, 3, 3))}, "on 3 channels `variant='standard'` needs 3 on its second axis"),
        ({"variant": "standard", "weights": np.ones((4, 3, 3))}, r"`weights` needs 4 axes, \(O, C / groups, height, width\)"),
        ({"variant": "standard", "weights": np.ones((3, 3))}, "width\\); run one kernel with `kernel`"),
        ({"variant": "standard", "weights": np.ones((3, 1, 3, 3))}, "3 on its second axis; leave out `variant` to run a kernel on each"),
        ({"variant": "standard", "infers_variant": True, "weights": np.ones((4, 1, 3, 3))}, "axis; convert the picture to grey with `gray=True`$"),
        ({"variant": "standard", "infers_variant": True, "weights": np.ones((6, 1, 3, 3))}, "`gray=True`, or run 3 groups of channels with `groups=3`$"),
        ({"variant": "depthwise", "weights": np.ones((4, 1, 3, 3))}, r"a kernel for each of the 3 channels: \(3, 1, 3, 3\)"),
        ({"variant": "transposed", "weights": np.ones((4, 1, 3, 3))}, "needs 3 on its first axis"),
        ({"variant": "standard", "weights": np.ones((4, 3, 3, 3)), "bias": np.ones(3)}, r"4 maps need \(4,\)"),
        ({"variant": "pointwise", "kernels": (), "mixing": np.ones((1, 4))}, "has a matrix of 1x4, outputs x inputs, and the picture has 3 channels"),
        ({"variant": "local", "weights": np.ones((7, 7, 3, 3))}, "has weights for 7x7 positions, and the output has 7x8"),
        ({"variant": "local", "weights": np.ones((7, 7, 3))}, r"local weights are \(H', W', kh, kw\)"),
        ({"variant": "local", "weights": np.ones((1, 7, 8, 2, 3, 3))}, "takes 2 channels, and the picture has 3"),
        ({"variant": "deformable", "offsets": np.ones((2, 7, 7))}, r"needs \(2, 7, 8\), an offset \(dy, dx\) for each position, or \(18, 7, 8\)"),
        ({"variant": "separable"}, "is not separable: its rank is 3, and rank 1 would make a relative error of 0.45; give `rank=3` for an exact result"),
        ({"variant": "separable", "rank": 4}, "`rank=4` is above the rank of the kernel 'kernel', 3; give at most 3"),
        ({"variant": "grouped", "groups": 2}, "in_channels 3 cannot be divided into 2 equal groups"),
        ({"variant": "tiled", "kernels": (parse_kernel("sobel"),) * 2}, "takes kernels of one matrix, 'sobel' has 2; take one of its directions, such as sobel-x"),
    ],
)  # fmt: skip
def test_errors(options, message):
    options = {"kernels": (KERNEL,)} | options
    with pytest.raises(ArgumentError, match=message):
        Recipe(**options, weights_name="w").stages(X.shape)


@given(st.data())
def test_an_anchor_with_same_padding_equals_a_single_kernels(data):
    shape = data.draw(st.tuples(st.integers(1, 4), st.integers(1, 4)))
    place = tuple(data.draw(st.integers(0, side - 1)) for side in shape)
    kernel = anchored(Kernel("k", (tuple(map(tuple, RNG.integers(-3, 4, shape).tolist())),)), place)
    options = {
        "stride": data.draw(st.tuples(st.integers(1, 7), st.integers(1, 7))),
        "dilation": data.draw(st.tuples(st.integers(1, 3), st.integers(1, 3))),
        "padding": data.draw(st.sampled_from(["same", "same-lower"])),
        "flip": data.draw(st.booleans()),
    }
    pixels = RNG.integers(0, 256, (data.draw(st.integers(1, 12)), data.draw(st.integers(1, 12)))).astype(
        float
    )
    (stage,) = Recipe("depthwise", (kernel,), **options).stages((1, *pixels.shape))
    expected = filter_image(pixels, kernel, method="direct", **options).pixels
    assert np.allclose(stage(pixels[np.newaxis])[0], expected)
