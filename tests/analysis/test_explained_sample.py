"""Explained samples: the products add up, and the result is the sample that the filter writes."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from convcli.analysis.explained_sample import explain_sample
from convcli.errors import ArgumentError
from convcli.filters.filter_picture import filter_picture
from convcli.filters.picture_colours import Colours
from convcli.filters.read_arguments import read
from convcli.filters.request import Request
from convcli.filters.run import PictureFilter
from convcli.images.codecs.npy_pictures import picture_of
from tests.examples import examples

RNG = np.random.default_rng(0)
GREY = RNG.integers(0, 256, (12, 15), dtype=np.uint8)
COLOURS = RNG.integers(0, 256, (12, 15, 3), dtype=np.uint8)


def explained(pixels, place, kernel=None, form="PNG", **options):
    found = read(kernel, options)
    picture_filter = PictureFilter.of(Request(**found), Colours(), 10**6)
    return explain_sample(picture_filter, "x", picture_of(pixels, "x", 10**6), place, form)


def written(pixels, kernel=None, **options):
    made = filter_picture(pixels, kernel, **options)
    return made if made.ndim == 3 else made[..., None]


def assert_adds_up(found):
    for channel in found.channels:
        for part in channel.parts:
            products = [s * w for rows in zip(part.window, part.kernel) for s, w in zip(*rows)]
            assert [p for row in part.products for p in row] == pytest.approx(products)
            assert part.sum == pytest.approx(sum(products), abs=1e-9)
        for number, total in enumerate(channel.sums):
            mine = [part.sum for part in channel.parts if part.matrix == number]
            assert total == pytest.approx(sum(mine) + channel.bias, abs=1e-9)


@settings(max_examples=examples(80))
@given(
    kernel=st.sampled_from(
        [
            "sobel-x",
            "sobel",
            "kirsch",
            "gaussian:sigma=1",
            "box:4",
            "1 2; -3 4",
            "2x3+1+0: 1 2 3 4 5 6",
            "emboss",
            "1/3 1/3 1/3",
        ]
    ),
    colours=st.booleans(),
    dtype=st.sampled_from(["uint8", "uint16", "float32", "float64"]),
    options=st.fixed_dictionaries(
        {},
        optional={
            "stride": st.sampled_from([1, 2, (2, 3)]),
            "dilation": st.sampled_from([1, 2]),
            "padding": st.sampled_from(["same", "same-lower", "valid", "full", 1, ((1, 0), (0, 2))]),
            "padding_mode": st.sampled_from(["zeros", "reflect", "symmetric", "replicate", "circular"]),
            "flip": st.just(True),
            "shift": st.sampled_from([3, -0.5]),
            "scale": st.sampled_from([0.5, 2]),
            "activation": st.sampled_from(["relu", "abs", "sigmoid"]),
            "value_range": st.sampled_from(["clip", "abs", "offset"]),
            "variant": st.sampled_from(["standard", "depthwise", "dilated"]),
        },
    ),
    data=st.data(),
)
def test_it_is_the_sample_that_is_written(kernel, colours, dtype, options, data):
    pixels = (COLOURS if colours else GREY).astype(dtype)
    if dtype == "uint16":
        pixels *= 257
    elif dtype.startswith("float"):
        pixels /= 255
    try:
        made = written(pixels, kernel, **options)
    except ArgumentError:
        assume(False)
    place = tuple(data.draw(st.integers(0, n - 1)) for n in made.shape[:2])
    form = "TIFF"
    found = explained(pixels, place, kernel, form, **options)
    assert found.output_size == made.shape[:2]
    samples = [channel.sample for channel in found.channels]
    if dtype.startswith("float") or "activation" in options or kernel == "sobel":
        tolerance = 1 if dtype.startswith("uint") else 1e-5
        assert samples == pytest.approx(made[place].tolist(), abs=tolerance, rel=1e-5)
    else:
        assert samples == made[place].tolist()
    assert_adds_up(found)


@pytest.mark.parametrize("groups", [1, 3])
def test_weights_of_a_layer(groups):
    weights, bias = RNG.standard_normal((6, 3 // groups, 2, 3)), RNG.standard_normal(6)
    options = {"weights": weights, "bias": bias, "padding": "valid"} | (
        {"groups": 3} if groups == 3 else {"variant": "standard"}
    )
    made = filter_picture(COLOURS, value_range=None, **options)
    found = explained(COLOURS, (4, 5), form="NPY", **options)
    assert [channel.sample for channel in found.channels] == pytest.approx(made[4, 5].tolist(), rel=1e-5)
    assert [[part.channel for part in channel.parts] for channel in found.channels] == (
        [[0, 1, 2]] * 6 if groups == 1 else [[number // 2] for number in range(6)]
    )
    assert [channel.bias for channel in found.channels] == pytest.approx(bias.tolist())
    assert found.channels[0].parts[0].window == COLOURS[4:6, 5:8, 0].tolist()
    assert_adds_up(found)


def test_the_textbooks_numbers():
    found = explained(np.arange(9.0).reshape(3, 3), (0, 1), "0 1; 2 3", "TXT", padding="valid")
    (channel,) = found.channels
    (part,) = channel.parts
    assert (part.window, part.kernel, part.products) == (
        [[1, 2], [4, 5]],
        [[0, 1], [2, 3]],
        [[0, 2], [8, 15]],
    )
    assert (part.sum, channel.value, channel.sample) == (25, 25, 25)
    assert (found.rows, found.columns) == ((0, 1), (1, 2))
    assert part.padded == [[False] * 2] * 2


def test_padding_is_reported():
    found = explained(GREY, (0, 14), "box", padding_mode="constant", padding_value=9)
    part = found.channels[0].parts[0]
    assert part.padded == [[True, True, True], [False, False, True], [False, False, True]]
    assert part.window == [[9, 9, 9], [*GREY[0, 13:].tolist(), 9], [*GREY[1, 13:].tolist(), 9]]
    assert (found.rows, found.columns) == ((-1, 1), (13, 15))


def test_steps_between_sum_and_sample():
    found = explained(GREY, (5, 5), "box", shift=10, activation="relu")
    (channel,) = found.channels
    total = int(GREY[4:7, 4:7].sum())
    assert channel.sums == (total,)
    assert (channel.divisor, channel.offset, channel.activation) == (9, 10, "relu")
    assert channel.value == channel.activated == pytest.approx(total / 9 + 10)
    assert channel.sample == min(255, round(total / 9 + 10))


@pytest.mark.parametrize(
    ("pixels", "options", "message"),
    [
        (GREY, {"pool": "max:2"}, "`explain` shows one convolution and the activation after it; leave out `resize`, pools and `repeat`, and give only one kernel"),
        (GREY, {"repeat": 2}, "`explain` shows one convolution and the activation after it; leave out `resize`, pools and `repeat`, and give only one kernel"),
        (GREY, {"variant": "transposed"}, "`explain` shows one sum of products per output channel, which `variant='transposed'` does not calculate; use depthwise, standard or grouped"),
        (GREY, {"variant": "separable"}, "`explain` shows one sum of products per output channel, which `variant='separable'` does not calculate; use depthwise, standard or grouped"),
        (GREY, {"value_range": "minmax"}, "`explain` shows one sample; leave out `sheet`, and `value_range='minmax'`, which depends on all samples"),
        (np.dstack([COLOURS, GREY]), {}, "`explain` shows sums that are not weighted by alpha; give `alpha='filter'`, or leave alpha out with `channels`"),
        (np.stack([COLOURS] * 2), {}, "x has 2 frames; choose one with `frame`"),
        (COLOURS, {"activation": "softmax"}, "`explain` shows one sample, and softmax depends on all channels; use another activation"),
        (np.full((5, 15), np.nan), {}, "`explain` adds finite samples, and the window holds NaN or infinity; choose another place"),
    ],
)  # fmt: skip
def test_errors_of_filters_with_several_stages(pixels, options, message):
    with pytest.raises(ArgumentError) as error:
        explained(pixels, (2, 3), "box", **options)
    assert str(error.value) == message


def test_a_position_outside_the_picture():
    with pytest.raises(ArgumentError) as error:
        explained(GREY, (12, 3), "box")
    assert str(error.value) == (
        "there is no output at 12,3: the output is 12x15, rows 0 to 11 and columns 0 to 14"
    )
