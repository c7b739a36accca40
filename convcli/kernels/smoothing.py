"""Smoothing kernels, and interpolation kernels that enlarge."""

from math import comb, cos, floor, hypot, inf, prod, radians, sin

from convcli.errors import ArgumentError
from convcli.kernels.bells import MAX_WIDTH, bell, check_sigma, places, sampled, side_for
from convcli.kernels.kernel import (
    Grid,
    Kernel,
    Line,
    PerAxis,
    PerSide,
    check_side,
    check_sides,
    flat,
    outer,
    per_axis,
)

MAX_SIDE = 255  # default limit of the number of taps on a side
NOUGHT = 1e-12  # weights up to here are rounding errors of 1 - 1
MAX_DOUBLINGS = 53  # binary digits of a float: integer weights with a larger sum would not be exact


def identity(*, dims: int = 2) -> Kernel:
    """Leave every pixel unchanged."""
    return Kernel("identity", (outer(*[(1,)] * dims),), source="definition")


def box(size: PerSide = 3, *, dims: int = 2, limit: int = MAX_SIDE) -> Kernel:
    """Take the mean of size x size pixels; 3x5 is 3 rows by 5 columns."""
    sides = [check_side(int(side), limit) for side in per_axis("box", "size", size, dims)]
    return Kernel(
        "box",
        (outer(*[(1,) * side for side in sides]),),
        divisor=prod(sides),
        source="the moving average; OpenCV blur",
    )


def gaussian(
    sigma: PerAxis = 1.0, size: PerSide | None = None, *, dims: int = 2, limit: int = MAX_SIDE
) -> Kernel:
    """Blur with a Gaussian of standard deviation sigma, in pixels; 2x5 is 2 vertically and 5 horizontally.

    The weights sum to 1. The default size is round(6 * sigma + 1), made odd by rounding up: about 3 sigma to each side,
    as in OpenCV for 8-bit pictures.
    """
    sigmas = [check_sigma("gaussian", each) for each in per_axis("gaussian", "sigma", sigma, dims)]
    sizes = [None] * dims if size is None else map(int, per_axis("gaussian", "size", size, dims))
    sides = [side_for(each, side, limit) for each, side in zip(sigmas, sizes, strict=True)]
    return Kernel(
        "gaussian",
        (outer(*map(bell, sigmas, sides)),),
        source="the normal density, sampled; OpenCV getGaussianKernel",
    )


def binomial(size: int = 3, *, dims: int = 2, limit: int = MAX_SIDE) -> Kernel:
    """Blur with a row of Pascal's triangle: close to a Gaussian, with integer weights."""
    side = check_side(size, limit)
    row: Line = tuple(comb(side - 1, place) for place in range(side))
    doublings = (side - 1) * dims
    if doublings > MAX_DOUBLINGS:
        row, doublings = tuple(weight / 2 ** (side - 1) for weight in row), 0
    return Kernel(
        "binomial",
        (outer(*[row] * dims),),
        divisor=2**doublings,
        source="Pascal's triangle; Burt & Adelson (1983), The Laplacian pyramid, size 5",
    )


def disk(radius: float = 2.0, *, dims: int = 2, limit: int = MAX_SIDE) -> Kernel:
    """Take the mean of the pixels within a radius, like a lens that is out of focus."""
    if not 0 <= radius < inf:
        raise ArgumentError(f"disk: radius must be at least 0 and finite, got {radius}")
    axis = places(check_side(2 * floor(min(radius, MAX_WIDTH)) + 1, limit))
    matrix = sampled(
        lambda *place: int(sum(part * part for part in place) <= radius * radius), *[axis] * dims
    )
    return Kernel(
        "disk", (matrix,), divisor=sum(flat(matrix)), source="x**2 + y**2 <= radius**2; scikit-image disk"
    )


def motion(length: float = 9.0, angle: float = 0.0, *, limit: int = MAX_SIDE) -> Kernel:
    """Blur along a line of the given length in pixels, at an angle in degrees, counterclockwise.

    The weight of a pixel is 1 minus its distance from the line, which runs through the middle.
    """
    if not 1 <= length < inf:
        raise ArgumentError(f"motion: length must be at least 1 and finite, got {length}")
    if not abs(angle) < inf:
        raise ArgumentError(f"motion: angle must be finite, got {angle}")
    along, up = direction(angle)
    half = (min(length, MAX_WIDTH) - 1) / 2

    def weight(y: float, x: float) -> float:
        on_line = max(-half, min(half, x * along - y * up))
        shown = 1 - hypot(x - on_line * along, y + on_line * up)
        return shown if shown > NOUGHT else 0.0

    sides = [2 * reach_of(half * abs(part)) + 1 for part in (up, along)]
    check_side(max(sides), limit)
    check_sides(*sides)
    weights = [[weight(y, x) for x in places(sides[1])] for y in places(sides[0])]
    weights = transpose(trimmed(transpose(trimmed(weights))))
    grid = in_whole_numbers(weights)
    return Kernel(
        "motion",
        (grid,),
        divisor=sum(map(sum, grid)),
        source="1 - distance from the line, at least 0; after MATLAB fspecial('motion')",
    )


def direction(angle: float) -> tuple[float, float]:
    """Return the unit vector (right, up) at an angle in degrees; exact for multiples of 90."""
    if angle % 90:
        return cos(radians(angle)), sin(radians(angle))
    return ((1.0, 0.0), (0.0, 1.0), (-1.0, 0.0), (0.0, -1.0))[int(angle % 360) // 90]


def reach_of(half: float) -> int:
    """Return the number of pixels next to the middle one that are less than 1 from a line of half length `half`."""
    return max(0, floor(half + 1 - 1e-9))


def trimmed(rows: list[list[float]]) -> list[list[float]]:
    """Remove the first and the last row as long as both are all zero."""
    while len(rows) > 1 and not any(rows[0]) and not any(rows[-1]):
        rows = rows[1:-1]
    return rows


def transpose(rows: list[list[float]]) -> list[list[float]]:
    """Swap rows and columns."""
    return [list(column) for column in zip(*rows, strict=True)]


def in_whole_numbers(rows: list[list[float]]) -> Grid:
    """Return the weights as integers if they are integers or halves (then doubled); else unchanged."""
    for factor in (1, 2):
        if all((weight * factor).is_integer() for row in rows for weight in row):
            return tuple(tuple(int(weight * factor) for weight in row) for row in rows)
    return tuple(map(tuple, rows))


def bilinear(factor: int = 2, *, dims: int = 2, limit: int = MAX_SIDE) -> Kernel:
    """Interpolate linearly: the kernel of a transposed convolution that enlarges by a factor.

    The stride is the factor; the weights of each output sum to 1.
    """
    _check_factor("bilinear", factor)
    side = check_side(2 * factor - factor % 2, limit)
    # 1 - |place| / factor; for an even number of taps the places are half-integers and everything is doubled
    scale = 1 if side % 2 else 2
    row = tuple(int(scale * (factor - abs(place))) for place in places(side))
    return Kernel(
        "bilinear",
        (outer(*[row] * dims),),
        divisor=(scale * factor) ** dims,
        source="Long, Shelhamer & Darrell (2015), Fully convolutional networks, upsampling filter",
    )


def nearest(factor: int = 2, *, dims: int = 2, limit: int = MAX_SIDE) -> Kernel:
    """Repeat pixels: the kernel of a transposed convolution that makes factor x factor pixels of each."""
    _check_factor("nearest", factor)
    return Kernel(
        "nearest",
        (outer(*[(1,) * check_side(factor, limit)] * dims),),
        source="pixel replication; the transposed convolution with stride = factor",
    )


def _check_factor(name: str, factor: int) -> None:
    if factor < 1:
        raise ArgumentError(f"{name}: factor must be at least 1, got {factor}")
