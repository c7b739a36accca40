"""Pictures filtered by kernels, compared with plain loops, SciPy and identities."""

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage

from convcli.errors import ArgumentError
from convcli.filters.filter_image import filter_image
from convcli.images.read import read_picture
from convcli.kernels import KERNELS, Kernel, anchored, parse_kernel, scaled, shifted
from convcli.layers.padding import MODES, resolve_padding
from tests.conftest import SAMPLE_NAMES, SAMPLES
from tests.pictures import OWN, Window, kept_response, mean_alpha, plain_response, premultiplied_response

NAMES = [*KERNELS, "gaussian:sigma=2", "box:size=4", "1 2 3; 4 5 -6"]


def expected(
    pixels: np.ndarray, kernel: Kernel, place: tuple[int, int], alpha: str | None, **options: Any
) -> list:
    """Return every channel of one pixel by the definition, exact and unclipped."""
    window = Window(pixels, kernel, place, **options)
    opaque = 1 if pixels.dtype.kind == "f" else int(np.iinfo(pixels.dtype).max)
    if pixels.ndim == 2:
        return [plain_response(window, None)]
    last = pixels.shape[2] - 1
    if alpha in (None, "filter"):
        return [plain_response(window, channel) for channel in range(last + 1)]
    if alpha == "premultiply" or (alpha == "auto" and kernel.is_smoothing):
        colours = [premultiplied_response(window, channel, last, opaque) for channel in range(last)]
        return [*colours, mean_alpha(window, last, opaque)]
    colours = [kept_response(window, channel, last, opaque) for channel in range(last)]
    return [*colours, window.sample(OWN, last, opaque)]


def assert_rounds_to(values: list, pixel: np.ndarray, dtype: np.dtype, kernel: Kernel) -> None:
    """Assert that a pixel equals the definition, clipped, and rounded half to even unless float errors are possible."""
    whole = kernel.is_whole and isinstance(kernel.divisor, int)
    info = np.iinfo(dtype)
    for value, sample in zip(values, np.atleast_1d(pixel).tolist(), strict=True):
        clipped = min(max(Fraction(value), info.min), info.max)
        # Non-integer sums are float32 for 8 bits, float64 for more: errors of at most 1e-5 of the range.
        error = Fraction(1, 10**9) if info.max > 255 or clipped.denominator < 2**20 else Fraction(255, 10**5)
        assert abs(clipped - sample) <= Fraction(1, 2) + error
        if (
            whole and clipped.denominator < 2**20
        ):  # integer weights: no float error can justify rounding a half the wrong way
            assert sample == round(clipped)


@pytest.mark.parametrize("kernel", [parse_kernel(name) for name in NAMES], ids=NAMES)
@pytest.mark.parametrize("name", SAMPLE_NAMES)
def test_sample_pictures_equal_the_definition(name: str, kernel: Kernel) -> None:
    rng = np.random.default_rng(7)
    frames = read_picture(SAMPLES / name).frames
    for frame in frames[:: len(frames) // 2 or 1]:
        alpha = "auto" if frame.has_alpha else None
        result = filter_image(frame.pixels, kernel, alpha=alpha).pixels
        assert result.shape == frame.pixels.shape
        assert result.dtype == frame.pixels.dtype
        height, width = frame.pixels.shape[:2]
        corners = [(0, 0), (0, width - 1), (height - 1, 0), (height - 1, width - 1)]
        for row, column in [*corners, *zip(rng.integers(height, size=40), rng.integers(width, size=40))]:
            values = expected(frame.pixels, kernel, (row, column), alpha)
            assert_rounds_to(values, result[row, column], result.dtype, kernel)


@pytest.mark.parametrize("kernel", [name for name in KERNELS if parse_kernel(name).combine == "none"])
@pytest.mark.parametrize("name", ["landscape.png", "house.png", "ramp16.png"])
def test_whole_pictures_equal_scipys(name: str, kernel: str) -> None:
    (frame,) = read_picture(SAMPLES / name).frames
    spec = parse_kernel(kernel)
    weights = np.array(spec.matrices[0], dtype=float)[..., *[None] * (frame.pixels.ndim - 2)]
    info = np.iinfo(frame.pixels.dtype)
    origin = [side % 2 - 1 for side in weights.shape[:2]] + [0] * (frame.pixels.ndim - 2)  # an even kernel
    second = (
        ndimage.correlate(frame.pixels.astype(float), weights, mode="mirror", origin=origin) / spec.divisor
    )
    ours = filter_image(frame.pixels, spec).pixels
    error = 1e-9 if spec.is_whole or info.max > 255 else 255e-5  # float32 sums
    assert np.abs(second.clip(info.min, info.max) - ours).max() <= 0.5 + error


SPECS = {spec: parse_kernel(spec) for spec in [*NAMES, "1 1", "0 0 2; 1 0 3", "0.25; -1.5"]}


@st.composite
def kernels(draw: st.DrawFn) -> Kernel:
    """Draw a kernel, sometimes with an offset and another anchor."""
    kernel = SPECS[draw(st.sampled_from(list(SPECS)))]
    if draw(st.booleans()):
        kernel = shifted(kernel, draw(st.sampled_from([1, -20, 40.5])))
    if draw(st.booleans()):
        kernel = anchored(kernel, tuple(draw(st.integers(0, side - 1)) for side in kernel.shape))
    return kernel


@st.composite
def cases(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a small picture, a kernel and every option that affects the result."""
    channels = draw(st.sampled_from([(), (1,), (2,), (3,), (4,)]))
    dtype = draw(st.sampled_from(["uint8", "uint16"]))
    size = draw(st.tuples(st.integers(1, 6), st.integers(1, 6)))
    alpha = draw(st.sampled_from(["auto", "keep", "filter"])) if channels in [(2,), (4,)] else None
    highest = np.iinfo(dtype).max
    elements = st.one_of(st.sampled_from([0, 1, highest]), st.integers(0, int(highest)))
    return {
        "pixels": draw(hnp.arrays(dtype, size + channels, elements=elements)),
        "kernel": draw(kernels()),
        "stride": draw(st.tuples(st.integers(1, 3), st.integers(1, 3))),
        "padding": draw(st.one_of(st.sampled_from(["same", "same-lower", "full"]), st.integers(4, 9))),
        "dilation": draw(st.tuples(st.integers(1, 2), st.integers(1, 2))),
        "mode": draw(st.sampled_from(list(MODES))),
        "value": draw(st.sampled_from([0, 3, 200])),
        "flip": draw(st.booleans()),
        "alpha": alpha,
    }


@given(cases())
def test_every_option_equals_the_definition(case: dict[str, Any]) -> None:
    pixels, kernel, alpha = case["pixels"], case["kernel"], case["alpha"]
    geometry = {name: case[name] for name in ("stride", "padding", "dilation")}
    untouched = pixels.copy()
    pixels.flags.writeable = False
    try:
        result = filter_image(
            pixels,
            kernel,
            **geometry,
            padding_mode=case["mode"],
            padding_value=case["value"],
            flip=case["flip"],
            alpha=alpha,
        ).pixels
    except ArgumentError as error:
        assert "the output would be empty" in str(error)
        return
    assert (pixels == untouched).all()
    padding = case["padding"]
    if padding == "full":
        before = tuple(d * (k - 1) for k, d in zip(kernel.shape, case["dilation"]))
    elif isinstance(padding, int):
        before = (padding, padding)
    else:
        pads = resolve_padding(padding, pixels.shape[:2], kernel.shape, case["stride"], case["dilation"])
        before = tuple(pair[0] for pair in pads)
    for row in range(0, result.shape[0], 2):
        for column in range(0, result.shape[1], 3):
            values = expected(
                pixels,
                kernel,
                (row, column),
                alpha,
                stride=case["stride"],
                before=before,
                dilation=case["dilation"],
                mode=case["mode"],
                value=case["value"],
                flip=case["flip"],
                leans=padding == "same-lower",
                same=isinstance(padding, str) and padding.startswith("same"),
            )
            assert_rounds_to(values, result[row, column], result.dtype, kernel)


@pytest.mark.parametrize("name", SAMPLE_NAMES)
def test_identity_changes_nothing(name: str) -> None:
    for frame in read_picture(SAMPLES / name).frames:
        for alpha in ("auto", "keep", "filter") if frame.has_alpha else (None,):
            result = filter_image(frame.pixels, parse_kernel("identity"), alpha=alpha)
            assert (result.pixels == frame.pixels).all()
            assert result.clipped == 0


@pytest.mark.parametrize("kernel", ["sobel", "gaussian:sigma=2", "emboss", "sharpen"])
def test_hidden_colours_never_bleed(kernel: str) -> None:
    (frame,) = read_picture(SAMPLES / "logo.png").frames
    hidden = frame.pixels[..., 3] == 0
    assert (frame.pixels[hidden] == [0, 255, 0, 0]).all()
    other = frame.pixels.copy()
    other[hidden, :3] = [255, 0, 255]
    green = filter_image(frame.pixels, parse_kernel(kernel), alpha="auto").pixels
    purple = filter_image(other, parse_kernel(kernel), alpha="auto").pixels
    visible = green[..., 3] > 0
    assert (green[visible] == purple[visible]).all()
    bled = filter_image(frame.pixels, parse_kernel(kernel), alpha="filter").pixels
    assert (bled != filter_image(other, parse_kernel(kernel), alpha="filter").pixels).any()


@pytest.mark.parametrize(
    ("factor", "value_range", "expected"),
    [
        (3, "clip", [0, 3, 150, 255]),
        (-3, "clip", [0, 0, 0, 0]),
        (-3, "abs", [0, 3, 150, 255]),
        (-1, "offset", [128, 127, 78, 28]),
        (3, "offset", [128, 131, 255, 255]),
        (3, "minmax", [0, 3, 128, 255]),  # 2.55 and 127.5, which rounds to even
        (-3, "minmax", [255, 252, 128, 0]),
        (0, "minmax", [0, 0, 0, 0]),
    ],
)
def test_ranges(factor: int, value_range: str, expected: list[int]) -> None:
    pixels = np.array([[0, 1, 50, 100]], dtype=np.uint8)
    result = filter_image(pixels, Kernel("times", (((factor,),),)), value_range=value_range)
    assert result.pixels.tolist() == [expected]


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int32", "float32", "float64"])
def test_the_largest_response_is_taken(dtype: str) -> None:
    pixels = np.array([[7, 2, 5]], dtype=dtype)
    kernel = Kernel("k", (((1, 0, 0),), ((0, 0, 1),), ((-1, 0, -1),)), combine="largest", divisor=2, offset=1)
    result = filter_image(pixels, kernel, padding_mode="replicate").pixels
    # the larger neighbour, halved, and 1: 7, 7, 5
    assert result.tolist() == [[4.5, 4.5, 3.5] if "float" in dtype else [4, 4, 4]]


@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize("place", [0, 1, 2, 3])
def test_a_single_weight_at_the_anchor_is_the_identity(flip: bool, place: int) -> None:
    row = tuple(int(tap == place) for tap in range(4))
    kernel = Kernel("k", ((row,),), anchor=(0, place))
    pixels = np.array([[1, 2, 3, 4]], dtype=np.uint8)
    for padding in ("same", "same-lower"):
        assert (filter_image(pixels, kernel, flip=flip, padding=padding).pixels == pixels).all()
    strided = filter_image(pixels, kernel, flip=flip, stride=(1, 2)).pixels
    assert (strided == filter_image(pixels, parse_kernel("identity"), stride=(1, 2)).pixels).all()


def test_an_anchor_moves_the_picture_the_other_way() -> None:
    pixels = np.arange(1, 6, dtype=np.uint8)[np.newaxis]
    kernel = parse_kernel("1 0 0")
    moved = [filter_image(pixels, anchored(kernel, (0, place))).pixels.tolist()[0] for place in range(3)]
    assert moved == [[1, 2, 3, 4, 5], [2, 1, 2, 3, 4], [3, 2, 1, 2, 3]]
    valid = filter_image(pixels, anchored(kernel, (0, 2)), padding="valid").pixels.tolist()
    assert valid == [[1, 2, 3]]


def test_an_offset_is_added_after_the_division_but_not_to_alpha() -> None:
    pixels = np.array([[[100, 255], [50, 255]]], dtype=np.uint8)
    kernel = shifted(parse_kernel("2 2; 2 2"), 7)
    result = filter_image(pixels, scaled(kernel, 0.125), alpha="premultiply", padding_mode="replicate").pixels
    assert result.tolist() == [[[82, 255], [57, 255]]]
    kept = filter_image(pixels, scaled(kernel, 0.125), alpha="keep", padding_mode="replicate").pixels
    assert kept.tolist() == result.tolist()


def test_huge_offsets_and_divisors_are_floats() -> None:
    pixels = np.array([[1, 65535]], dtype=np.uint16)
    kernel = Kernel("k", (((2**46,),),), offset=2**62 + 2**50)  # their product exceeds 2**63
    assert filter_image(pixels, kernel).pixels.tolist() == [[65535, 65535]]
    assert filter_image(pixels, Kernel("k", (((1,),),), divisor=10**300)).pixels.tolist() == [[0, 0]]


def test_a_kernel_of_other_axes_is_refused() -> None:
    with pytest.raises(ArgumentError, match="kernel 'box' has 3 axes, 3x3x3; a picture needs a 2-D kernel"):
        filter_image(np.ones((5, 5), np.uint8), parse_kernel("box", dims=3))


def test_halves_are_rounded_to_even() -> None:
    pixels = np.array([[1, 3, 5, 7, 253, 255]], dtype=np.uint8)
    half = Kernel("half", (((1,),),), divisor=2)
    assert filter_image(pixels, half).pixels.tolist() == [[0, 2, 2, 4, 126, 128]]


def test_the_clipped_share_is_counted() -> None:
    pixels = np.array([[100, 200], [10, 128]], dtype=np.uint8)
    assert filter_image(pixels, Kernel("double", (((2,),),))).clipped == 0.5
    assert filter_image(pixels, Kernel("negative", (((-1,),),))).clipped == 1.0
    assert filter_image(pixels, Kernel("negative", (((-1,),),)), value_range="abs").clipped == 0.0


def test_floats_stay_floats_and_are_not_clipped() -> None:
    pixels = np.array([[0.25, -3.5]], dtype=np.float32)
    result = filter_image(pixels, Kernel("double", (((2,),),)))
    assert result.pixels.dtype == np.float32
    assert result.pixels.tolist() == [[0.5, -7.0]]
    assert filter_image(pixels, Kernel("one", (((1,),),)), value_range="offset").pixels.tolist() == [
        [0.75, -3.0]
    ]
    assert filter_image(pixels, Kernel("one", (((1,),),)), value_range="minmax").pixels.tolist() == [
        [1.0, 0.0]
    ]


def test_sums_too_large_for_int64_are_floats() -> None:
    pixels = np.array([[1, 2]], dtype=np.int32)
    result = filter_image(pixels, Kernel("huge", (((10**30,),),), divisor=10**30))
    assert result.pixels.tolist() == [[1, 2]]


def test_flip_makes_it_a_true_convolution() -> None:
    pixels = np.random.default_rng(3).integers(0, 256, (9, 11), dtype=np.uint8)
    kernel = parse_kernel("1 2 3; 4 5 6; 7 8 9")
    second = ndimage.convolve(pixels.astype(int), np.array(kernel.matrices[0]), mode="mirror").clip(0, 255)
    assert (filter_image(pixels, kernel, flip=True).pixels == second).all()


@pytest.mark.parametrize(
    ("pixels", "options", "message"),
    [
        (np.zeros((3,), np.uint8), {}, "got uint8 of shape (3,)"),
        (np.zeros((3, 3), complex), {}, "got complex128 of shape (3, 3)"),
        (np.zeros((0, 3), np.uint8), {}, "of integers or floats; got uint8 of shape (0, 3)"),
        (np.zeros((2, 9), np.uint8), {"padding": "valid"}, "along the height the kernel spans 3"),
        (np.zeros((3, 3), np.uint8), {"stride": 0}, "stride must be at least 1, got 0"),
        (
            np.zeros((3, 3), np.uint8),
            {"padding_mode": "mirrored"},
            "there is no padding mode 'mirrored'; did you mean",
        ),
        (
            np.zeros((3, 3), np.uint8),
            {"padding_value": float("nan")},
            "padding_value must be finite, got nan",
        ),
        (
            np.zeros((3, 3), np.uint8),
            {"value_range": "wrap"},
            "there is no value_range 'wrap'; use clip, abs, offset",
        ),
        (np.zeros((3, 3, 4), np.uint8), {"alpha": "kept"}, "there is no alpha 'kept'; did you mean 'keep'?"),
        (np.zeros((3, 3, 4), np.uint8), {"alpha": "premultiply"}, "needs a kernel of weights >= 0"),
    ],
)
def test_errors(pixels: np.ndarray, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ArgumentError) as error:
        filter_image(pixels, parse_kernel("sharpen"), **options)
    assert message in str(error.value)


@pytest.mark.parametrize("weight", [10**8, 10**14, 10**20])
def test_large_weights_never_overflow_with_alpha(weight: int) -> None:
    pixels = np.full((4, 4, 4), 200, dtype=np.uint8)
    for alpha in ("premultiply", "keep"):
        result = filter_image(pixels, Kernel("large", (((weight, weight),),)), alpha=alpha).pixels
        assert (result == [255, 255, 255, 200]).all()
        result = filter_image(
            pixels, Kernel("mean", (((weight, weight),),), divisor=2 * weight), alpha=alpha
        ).pixels
        assert (result == 200).all()


def test_weights_beyond_floats_are_refused() -> None:
    with pytest.raises(ArgumentError, match=r"the kernel's weights are too large: they add up to 1e\+308"):
        filter_image(np.ones((3, 3), np.uint8), parse_kernel("1e308 1e300"))


@pytest.mark.parametrize("padding", ["same", "same-lower"])
@pytest.mark.parametrize("kernel", ["1 -1", "1; -1", "1 -2 3 -4"])
def test_kept_alpha_is_not_moved(padding: str, kernel: str) -> None:
    pixels = np.random.default_rng(4).integers(0, 256, (6, 7, 4), dtype=np.uint8)
    result = filter_image(pixels, parse_kernel(kernel), padding=padding, alpha="keep").pixels
    assert (result[..., 3] == pixels[..., 3]).all()
