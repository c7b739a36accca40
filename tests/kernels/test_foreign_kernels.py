import re
import shlex
from pathlib import Path

import numpy as np
import pytest

from convcli import filter_picture
from convcli.errors import ArgumentError
from convcli.kernels import parse_kernel, parse_kernels
from convcli.kernels.foreign_kernels import NOT_CONVOLUTIONS, OTHER_NAMES
from convcli.kernels.named import KERNELS
from tests.conftest import SAMPLES, Call

COLON = "arguments follow a colon, as in gaussian:sigma=2"
LISTED = "kernels in a list are separated by ';'"
RADIUS = "radius x sigma is ImageMagick's form"
UNSHARP = "radius x sigma + amount + threshold is ImageMagick's form"
BY_DEFAULT = "where the threshold is 0.05 by default"
ORDER = "the order is sigma,size"
SHARPEN = ((0, -1, 0), (-1, 5, -1), (0, -1, 0))


@pytest.mark.parametrize(
    ("text", "rule", "spec"),
    [
        ("gaussian(2)", COLON, "gaussian:2"),
        ("gaussian=2", COLON, "gaussian:2"),
        ("gaussian,2", COLON, "gaussian:2"),
        ("unsharp,sigma=2", COLON, "unsharp:sigma=2"),
        ("gaussian sigma=2", COLON, "gaussian:sigma=2"),
        ("gaussian(sigma=2, ksize=5)", COLON, "gaussian:sigma=2,size=5"),
        ("gaussian:ksize=5", "it takes sigma, size, as name=value", "gaussian:size=5"),
        ("gaussian:sigma 2", "it takes sigma, size, as name=value", "gaussian:sigma=2"),
        ("gaussian:sigma:2", "it takes sigma, size, as name=value", "gaussian:sigma=2"),
        ("unsharp=5:5:1.0", COLON, "unsharp"),
        ("Box = 5", "there is no kernel 'Box'", "box:5"),
        ("Blur:2", "there is no kernel 'Blur'", "gaussian:2"),
        ("gblur=sigma=2", "there is no kernel 'gblur'", "gaussian:sigma=2"),
        ("cv2.GaussianBlur", "there is no kernel 'GaussianBlur'", "gaussian"),
        ("cv2.GaussianBlur(img, (5, 5), 2)", "there is no kernel 'GaussianBlur'", "gaussian:size=5x5,sigma=2"),
        ("cv2.GaussianBlur(img, (7, 7), 0)", "there is no kernel 'GaussianBlur'", "gaussian:size=7x7,sigma=1.4"),
        ("GaussianBlur(radius=2)", "there is no kernel 'GaussianBlur'", "gaussian:sigma=2"),
        ("BoxBlur(2)", "there is no kernel 'BoxBlur'", "box:size=5"),
        ("boxblur=2:1", "there is no kernel 'boxblur', but box, which takes size", "box"),
        ("UnsharpMask(2, 150, 3)", "there is no kernel 'UnsharpMask'", "unsharp:sigma=2,amount=1.5,threshold=3"),
        ("ImageFilter.UnsharpMask(radius=2, percent=80)", "there is no kernel 'UnsharpMask'", "unsharp:sigma=2,amount=0.8"),
        ("gaussian_filter(sigma=2, radius=3)", "there is no kernel 'gaussian_filter'", "gaussian:sigma=2,size=7"),
        ("disk:size=5", "it takes radius, as name=value", "disk:radius=2"),
        ("ImageFilter.SHARPEN", "there is no kernel 'SHARPEN'", "sharpen"),
        ("gaussian:0x2", RADIUS, "gaussian:sigma=2"),
        ("log:2x1.5", RADIUS, "log:sigma=1.5,size=5"),
        ("gaussian:5,1", ORDER, "gaussian:sigma=1,size=5"),
        ("log:5,1", ORDER, "log:sigma=1,size=5"),
        ("gaussian:5x7,1", ORDER, "gaussian:sigma=1,size=5x7"),
        ("gaussian:5,1.5", ORDER, "gaussian:sigma=1.5,size=5"),
        ("unsharp:0x1.5+0.8+3", UNSHARP, "unsharp:sigma=1.5,amount=0.8,threshold=3"),
        ("unsharp:2x1.5+0.8+0.02", UNSHARP, "unsharp:sigma=1.5,amount=0.8,size=5,threshold=2.55"),
        ("unsharp:1.5x2+0.5+0", UNSHARP, "unsharp:sigma=2,amount=0.5,size=5"),
        ("unsharp 0x.5+1", f"{UNSHARP}, {BY_DEFAULT}", "unsharp:sigma=.5,amount=1,threshold=6.375"),
        ("unsharp:0x2", f"{UNSHARP}, {BY_DEFAULT}", "unsharp:sigma=2,threshold=6.375"),
        ("Sobel(1, 0)", "the direction is part of the name", "sobel-x"),
        ("scharr:dx=0,dy=1", "the direction is part of the name", "scharr-y"),
        ("sobel,gaussian", LISTED, "sobel; gaussian"),
        ("sobel gaussian", LISTED, "sobel; gaussian"),
        ("Blur|Sobel_X -> box", LISTED, "gaussian; sobel-x; box"),
        ("3x3", "a size without weights is not a kernel", "box:3x3"),
        ("0 -1 0 / -1 5 -1 / 0 -1 0", "rows are separated by ';'", "0 -1 0; -1 5 -1; 0 -1 0"),
    ],
)  # fmt: skip
def test_spellings_of_other_programs_get_the_spelling_here(text: str, rule: str, spec: str) -> None:
    with pytest.raises(ArgumentError) as error:
        parse_kernels(text)
    assert str(error.value) == f"kernel {text!r}: {rule}; did you mean {spec!r}?"
    assert parse_kernels(spec)


# Changes by convert -unsharp of ImageMagick 6.9.11 (Q16) on a vertical edge from 20000 to 26000, right of the edge.
MEASURED = {
    "0x2": [2407, 0, 0, 0, 0, 0, 0, 0],
    "0x2+1": [2407, 0, 0, 0, 0, 0, 0, 0],
    "0x2+1+0": [2407, 1358, 632, 239, 73, 18, 3, 0],
}


@pytest.mark.parametrize("geometry", MEASURED)
def test_the_form_of_imagemagick_gets_its_result(geometry: str) -> None:
    with pytest.raises(ArgumentError) as error:
        parse_kernel(f"unsharp:{geometry}")
    suggested = str(error.value).split("'")[-2]
    edge = np.repeat([[20000] * 32 + [26000] * 32], 9, axis=0).astype(np.uint16)
    changes = filter_picture(edge, suggested).astype(int)[4] - edge[4]
    right, left = changes[32:40], -changes[31:23:-1]
    np.testing.assert_allclose(
        right, MEASURED[geometry], atol=25
    )  # its Gaussian for radius 0 has another size
    assert list(right) == list(left)
    assert [bool(change) for change in MEASURED[geometry]][:6] == [bool(change) for change in right][:6]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("gaussian:foo=2", "kernel 'gaussian' has no argument 'foo'; it takes sigma, size"),
        ("gaussian:sigma=-1", "gaussian: sigma must be at least 0.05 and finite, got -1.0"),
        ("frob,box", "kernel 'frob,box': 'frob' is not a number; give a name such as 'sobel'"),
        ("[[1, 2], [3]]", "kernel '1, 2; 3' is ragged: row 1 has 2 values, row 2 has 1"),
        ("[[1, 2], [3, 4]", "'[[1' is not a number"),
        ("[[[[1]]]]", "'[[[[1]]]]' is not a number"),
        ("bilateral", "kernel 'bilateral' is not a convolution: its weights depend on the pixels; use 'gaussian'"),
        ("Median_Filter", "kernel 'Median_Filter' is not a convolution: it sorts the pixels of a window"),
    ],
)  # fmt: skip
def test_what_has_no_other_spelling_keeps_its_message(text: str, message: str) -> None:
    with pytest.raises(ArgumentError) as error:
        parse_kernels(text)
    assert message in str(error.value)
    assert "did you mean" not in str(error.value)


@pytest.mark.parametrize(
    "text",
    [
        "[[0, -1, 0], [-1, 5, -1], [0, -1, 0]]",  # Python and JSON
        "((0,-1,0),(-1,5,-1),(0,-1,0))",
        "[[ 0 -1  0]\n [-1  5 -1]\n [ 0 -1  0]]",  # printed by NumPy
        "[0 -1 0; -1 5 -1; 0 -1 0]",  # MATLAB
        "{{0, -1, 0}, {-1, 5, -1}, {0, -1, 0},}",  # C
    ],
)
def test_nested_lists_are_kernels(text: str) -> None:
    assert parse_kernel(text).matrices == (SHARPEN,)


def test_lists_of_one_and_three_levels_and_fractions_are_kernels() -> None:
    assert parse_kernel("[1, 2, 1]").matrices == (((1, 2, 1),),)
    assert parse_kernel("[[[1, 2], [3, 4]], [[5, 6], [7, 8]]]", dims=3) == parse_kernel(
        "1 2; 3 4 | 5 6; 7 8", dims=3
    )
    assert parse_kernel("[[1/4, 1/4], [1/4, 1/4]]").divisor == 4


@pytest.mark.parametrize("name", OTHER_NAMES)
def test_names_of_other_programs_get_names_that_are_kernels(name: str) -> None:
    assert name not in {**KERNELS, **NOT_CONVOLUTIONS}
    with pytest.raises(ArgumentError, match=r"; did you mean '.*'\?$") as error:
        parse_kernel(name)
    suggested = str(error.value).partition("did you mean ")[2].rstrip("?").split(" or ")
    assert [parse_kernel(each.strip("'")).name for each in suggested] == list(OTHER_NAMES[name])


def test_filters_that_are_no_convolutions_get_kernels_and_options_that_run(
    call: Call, tmp_path: Path
) -> None:
    for why, name in {
        why: name for name, why in NOT_CONVOLUTIONS.items()
    }.items():  # one name for each reason
        err = call("filter", SAMPLES / "logo.png", "-k", name, "-o", tmp_path / "x.png").err
        assert f"kernel {name!r} is not a convolution: {why.partition('`')[0]}" in err
        advice = err.partition("is not a convolution: ")[2]
        specs, options = re.findall(r"'([^']+)'", advice), re.findall(r"--\S+ [^\s;]+", advice)
        for spec in specs:
            assert parse_kernels(spec)
        kernel = ["-k", specs[0]] if specs else []
        for option in options:
            words = [
                "filter",
                SAMPLES / "logo.png",
                *kernel,
                *shlex.split(option),
                "-o",
                tmp_path / "x.png",
                "--force",
            ]
            assert call(*words).code == 0
        assert specs or options
