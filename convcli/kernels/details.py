"""Kernels that enhance detail: sharpening, emboss, Laplacians and band-pass filters."""

from math import cos, exp, inf, pi, prod, radians

from convcli.errors import ArgumentError
from convcli.kernels.bells import bell, check_sigma, places, sampled, side_for, without_mean
from convcli.kernels.change import ratio
from convcli.kernels.kernel import Grid, Kernel, Matrix, Number, check_side, flat, nested, outer, shape_of
from convcli.kernels.smoothing import MAX_SIDE, direction

EMBOSS: Grid = (
    (-2, -1, 0),
    (-1, 1, 1),
    (0, 1, 2),
)
BOOK = "Gonzalez & Woods, Digital image processing"
NEIGHBOURS = (-1, 0, 1)
MAX_AMOUNT = 1e6
SMALLEST = 1e-6  # lower bound of a wavelength and of an aspect ratio
OCTAVE = 0.56  # sigma / wavelength for a bandwidth of one octave: sqrt(ln 2 / 2) / pi * (2 + 1) / (2 - 1)


def sharpen(amount: float = 1, *, dims: int = 2) -> Kernel:
    """Sharpen: subtract amount times the Laplacian from the picture."""
    _check_amount("sharpen", amount)
    over, under = ratio(amount)
    cross = _cross(under + 2 * dims * over, -over, dims)
    return Kernel("sharpen", (cross,), divisor=under, source=f"the identity minus the Laplacian; {BOOK}")


def unsharp(
    sigma: float = 1.0,
    amount: float = 1,
    size: int | None = None,
    threshold: float = 0,
    *,
    dims: int = 2,
    limit: int = MAX_SIDE,
) -> Kernel:
    """Sharpen by unsharp masking: add amount times the difference from a Gaussian blur of width sigma.

    The difference of a pixel from its blur is added only where it exceeds the threshold, in levels of 255, regardless
    of the bit depth.
    """
    check_sigma("unsharp", sigma)
    _check_amount("unsharp", amount)
    if not 0 <= threshold < inf:
        raise ArgumentError(f"unsharp: threshold must be at least 0 and finite, got {threshold}")
    curve = bell(sigma, _odd("unsharp", side_for(sigma, size, limit)))
    blurred = outer(*[curve] * dims)
    shape, source = shape_of(blurred), f"f + amount * (f - gaussian f); {BOOK}; unsharp masking"
    taken = [-amount * weight for weight in flat(blurred)]
    if not threshold:
        return Kernel("unsharp", (_with_middle(taken, 1 + amount, shape),), source=source)
    itself = _with_middle([0] * len(taken), 1, shape)
    return Kernel(
        "unsharp",
        (itself, _with_middle(taken, amount, shape)),
        combine="thresholded",
        source=f"{source}; the threshold as in Pillow's UnsharpMask",
        threshold=threshold,
        gain=amount,
    )


def highboost(amount: float = 2, size: int = 3, *, dims: int = 2, limit: int = MAX_SIDE) -> Kernel:
    """Sharpen by high-boost filtering: add amount times the difference from the mean of size x size pixels."""
    _check_amount("highboost", amount)
    over, under = ratio(amount)
    count = _odd("highboost", check_side(size, limit, dims)) ** dims
    boosted = _with_middle([-over] * count, count * (under + over), [size] * dims)
    source = f"f + amount * (f - mean f), amount > 1; {BOOK}; high-boost filtering"
    return Kernel("highboost", (boosted,), divisor=count * under, source=source)


def emboss() -> Kernel:
    """Emboss: show the picture as a relief lit from the upper left."""
    return Kernel("emboss", (EMBOSS,), source="the 3 x 3 emboss of GIMP's and Photoshop's custom filters")


def laplacian(*, dims: int = 2) -> Kernel:
    """Take the Laplacian, the sum of the second derivatives on all axes: positive in dark spots."""
    cross = _cross(-2 * dims, 1, dims)
    return Kernel("laplacian", (cross,), source="the 5-point stencil; OpenCV Laplacian, ksize 1")


def outline(*, dims: int = 2) -> Kernel:
    """Detect outlines: the difference of each pixel from its 8 neighbours."""
    return Kernel("outline", (_peak(3, dims),), source="the 9-point Laplacian, negated; Gonzalez & Woods")


def edge(size: int = 3, *, dims: int = 2, limit: int = MAX_SIDE) -> Kernel:
    """Detect edges: the difference of each pixel from the others in size x size pixels."""
    side = _odd("edge", check_side(size, limit, dims))
    return Kernel("edge", (_peak(side, dims),), source="ImageMagick -edge: all weights -1, sum 0")


def log(sigma: float = 1.4, size: int | None = None, *, dims: int = 2, limit: int = MAX_SIDE) -> Kernel:
    """Take the Laplacian of Gaussian, of width sigma: positive in dark spots; the weights sum to 0."""
    check_sigma("log", sigma)
    axis = places(side_for(sigma, size, limit, reach=4))
    curve, variance = bell(sigma, len(axis)), sigma * sigma
    height = dict(zip(axis, curve, strict=True))

    def weight(*place: float) -> float:
        square = sum(part * part for part in place)
        return (square / variance - dims) / variance * prod(height[part] for part in place)

    matrix = without_mean(sampled(weight, *[axis] * dims))
    source = "Marr & Hildreth (1980), Theory of edge detection; MATLAB fspecial('log')"
    return Kernel("log", (matrix,), source=source)


def dog(
    sigma: float = 1.0,
    ratio: float = 1.6,
    size: int | None = None,
    *,
    dims: int = 2,
    limit: int = MAX_SIDE,
) -> Kernel:
    """Take the difference of two Gaussians, of widths sigma and ratio * sigma: positive in bright spots; sum 0."""
    check_sigma("dog", sigma)
    if not 1 < ratio < inf:
        raise ArgumentError(f"dog: ratio must be above 1 and finite, got {ratio}")
    side = side_for(sigma * ratio, size, limit)
    narrow, wide = (list(flat(outer(*[bell(width, side)] * dims))) for width in (sigma, sigma * ratio))
    matrix = nested([a - b for a, b in zip(narrow, wide, strict=True)], [side] * dims)
    source = "Marr & Hildreth (1980), ratio 1.6; scikit-image difference_of_gaussians"
    return Kernel("dog", (matrix,), source=source)


def gabor(
    wavelength: float = 5.0,
    angle: float = 0.0,
    sigma: float | None = None,
    aspect: float = 1.0,
    phase: float = 0.0,
    size: int | None = None,
    *,
    limit: int = MAX_SIDE,
) -> Kernel:
    """Detect stripes: a wave in the direction of the angle (degrees, counterclockwise) times a Gaussian.

    The default sigma is 0.56 wavelengths, a bandwidth of one octave. The Gaussian alone sums to 1; `aspect` divides its
    width along the stripes; the phase is in degrees.
    """
    for name, value in (("wavelength", wavelength), ("aspect", aspect)):
        if not SMALLEST < value < inf:
            raise ArgumentError(f"gabor: {name} must be above {SMALLEST} and finite, got {value}")
    for name, value in (("angle", angle), ("phase", phase)):
        if not abs(value) < inf:
            raise ArgumentError(f"gabor: {name} must be finite, got {value}")
    width = check_sigma("gabor", OCTAVE * wavelength if sigma is None else sigma)
    axis = places(side_for(max(width, width / aspect), size, limit))
    right, up = direction(angle)

    def weight(y: float, x: float) -> float:
        across, along = x * right - y * up, (x * up + y * right) * aspect
        square = across * across + along * along
        envelope = exp(-square / (2 * width * width)) * aspect / (2 * pi * width * width)
        return envelope * cos(2 * pi * across / wavelength + radians(phase))

    source = "Daugman (1985), Uncertainty relation; OpenCV getGaborKernel, normalised as scikit-image does"
    return Kernel("gabor", (sampled(weight, axis, axis),), source=source)


def random(size: int = 3, seed: int = 0, *, dims: int = 2, limit: int = MAX_SIDE) -> Kernel:
    """Draw random weights, as in an untrained layer; the same seed gives the same weights."""
    from random import Random  # imports much that no other kernel needs

    side = check_side(size, limit, dims)
    bound = side ** (-dims / 2)
    draw = Random(seed).random
    weights = [(2 * draw() - 1) * bound for _ in range(side**dims)]
    source = "PyTorch Conv2d's initial weights: uniform within 1 / sqrt(taps); Python's random.Random(seed)"
    return Kernel("random", (nested(weights, [side] * dims),), source=source)


def _cross(middle: Number, arm: Number, dims: int) -> Matrix:
    """Return a matrix of side 3 with a weight in the middle and on its direct neighbours; 0 elsewhere."""
    return sampled(lambda *place: {0: middle, 1: arm}.get(sum(map(abs, place)), 0), *[NEIGHBOURS] * dims)


def _peak(side: int, dims: int) -> Matrix:
    """Return a matrix of -1 whose middle makes the sum 0."""
    return _with_middle([-1] * side**dims, side**dims, [side] * dims)


def _with_middle(weights: list[Number], middle: Number, shape: tuple[int, ...] | list[int]) -> Matrix:
    """Return weights, of an odd number, as a matrix after adding to the middle one."""
    weights = list(weights)
    weights[len(weights) // 2] += middle
    return nested(weights, shape)


def _odd(kernel: str, side: int) -> int:
    if side % 2 == 0:
        raise ArgumentError(
            f"{kernel}: size must be odd, so that there is a middle tap, got {side}; use {side + 1}"
        )
    return side


def _check_amount(kernel: str, amount: float) -> None:
    if not 0 < amount < MAX_AMOUNT:
        raise ArgumentError(f"{kernel}: amount must be above 0 and below {MAX_AMOUNT:g}, got {amount}")
