"""Box filters and Gaussians whose axes differ."""

import re
from math import prod

import numpy as np
import pytest
from scipy import ndimage

from convcli import filter_picture
from convcli.errors import ArgumentError
from convcli.kernels import parse_kernel, parse_kernels
from convcli.kernels.kernel import flat
from convcli.kernels.named import KERNELS, arguments_of


@pytest.mark.parametrize(
    ("spec", "shape"), [("box:3x5", (3, 5)), ("box:size=4x1", (4, 1)), ("box:2x3x4", (2, 3, 4))]
)
def test_a_box_has_a_size_for_each_axis(spec: str, shape: tuple[int, ...]) -> None:
    kernel = parse_kernel(spec, dims=len(shape))
    assert kernel.shape == shape
    assert set(flat(kernel.matrices[0])) == {1}
    assert kernel.divisor == prod(shape)


def test_a_gaussian_has_a_width_for_each_axis() -> None:
    down, across = (np.array(parse_kernel(spec, dims=1).matrices[0]) for spec in ("gaussian:2", "gaussian:5"))
    assert np.allclose(parse_kernel("gaussian:sigma=2x5").matrices[0], np.outer(down, across), rtol=1e-14)
    assert parse_kernel("gaussian:2x5,7x9").shape == (7, 9)
    assert parse_kernel("gaussian:2,7x9").matrices == parse_kernel("gaussian:2x2,7x9").matrices


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("box:3x5x7", "box: size 3x5x7 has 3 numbers for 2 axes; give one number per axis"),
        ("gaussian:2x", "kernel 'gaussian': sigma: '' is not a number"),
        ("box:3xa", "kernel 'box': size must be a whole number, got '3xa'"),
        ("gaussian:0x0", "gaussian: sigma must be at least 0.05 and finite, got 0.0"),
        ("box:0x3", "a kernel of size 0 is empty; the size must be at least 1"),
        ("box:3x999", "a kernel of size 999 is over the limit of 255; raise it with `max_kernel=999`"),
    ],
)
def test_sizes_that_are_refused(spec: str, message: str) -> None:
    with pytest.raises(ArgumentError) as error:
        parse_kernel(spec)
    assert str(error.value) == message


@pytest.mark.parametrize(("spec", "sigma"), [("gaussian:5,1", "5"), ("gaussian:2.5x3,1x1", "2.5x3")])
def test_a_gaussian_of_size_1_that_would_change_nothing_is_refused(spec: str, sigma: str) -> None:
    with pytest.raises(ArgumentError) as error:
        parse_kernels(f"{spec}; sobel")
    assert str(error.value) == (
        f"gaussian: a size of 1 leaves one weight, but sigma={sigma} needs more; write gaussian:sigma={sigma} or, for a "
        f"size of 5, gaussian:sigma={sigma},size=5 (without names, the order is sigma,size)"
    )


def test_no_kernel_with_a_width_may_have_the_size_1() -> None:
    wide = [
        name
        for name in KERNELS
        if "size" in (given := arguments_of(KERNELS[name])) and given["size"].default is None
    ]
    assert {"gaussian", "log", "dog", "unsharp", "gabor"} <= set(wide)
    for name in wide:
        with pytest.raises(
            ArgumentError, match=rf"^{name}: a size of 1 leaves one weight, but sigma=5 needs more"
        ) as error:
            parse_kernel(f"{name}:sigma=5,size=1")
        whole, small = re.findall(rf"{name}:\S+\d", str(error.value))
        assert max(parse_kernel(small).shape) == 5 < max(parse_kernel(whole).shape)


@pytest.mark.parametrize("spec", ["gaussian:size=1", "gaussian:0.05", "gaussian:0.05,1"])
def test_a_gaussian_of_the_default_width_or_a_very_small_one_may_have_the_size_1(spec: str) -> None:
    assert parse_kernel(spec).matrices == (((1.0,),),)
    assert parse_kernel("gaussian:5,1x7").shape == (1, 7)


@pytest.mark.parametrize(
    ("spec", "size"), [("box:3x21", (3, 21)), ("box:20x2", (20, 2)), ("box:1x9", (1, 9))]
)
def test_a_wide_box_takes_the_mean_under_it(spec: str, size: tuple[int, int]) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (40, 50)).astype(np.float64)
    origin = [-(1 - side % 2) for side in size]  # an even one reaches further down and right
    wanted = ndimage.uniform_filter(pixels, size, mode="nearest", origin=origin)
    assert np.allclose(filter_picture(pixels, spec, padding_mode="replicate"), wanted)
