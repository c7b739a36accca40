"""The named kernels, each with its source; a name, its arguments and their defaults are a function here."""

from collections.abc import Callable
from math import exp, inf

from convcli.errors import ArgumentError
from convcli.kernels.kernel import Kernel, Matrix, check_side, outer, transposed

MAX_SIDE = 255  # taps on a side, unless the caller lifts it
MOST_WIDTH = 1e9  # of a bell, for its size to be told as a number that can be read
SMALLEST_SIGMA = 0.05  # below, one tap holds all but 1e-43 of a bell's weight, and an even size holds nothing

SHARPEN: Matrix = (
    (0, -1, 0),
    (-1, 5, -1),
    (0, -1, 0),
)
EMBOSS: Matrix = (
    (-2, -1, 0),
    (-1, 1, 1),
    (0, 1, 2),
)
LAPLACIAN: Matrix = (
    (0, 1, 0),
    (1, -4, 1),
    (0, 1, 0),
)
OUTLINE: Matrix = (
    (-1, -1, -1),
    (-1, 8, -1),
    (-1, -1, -1),
)
SOBEL_X: Matrix = (
    (-1, 0, 1),
    (-2, 0, 2),
    (-1, 0, 1),
)
PREWITT_X: Matrix = (
    (-1, 0, 1),
    (-1, 0, 1),
    (-1, 0, 1),
)
SCHARR_X: Matrix = (
    (-3, 0, 3),
    (-10, 0, 10),
    (-3, 0, 3),
)


def identity() -> Kernel:
    """Return every pixel as it is."""
    return Kernel("identity", (((1,),),), source="definition")


def box(size: int = 3, *, limit: int = MAX_SIDE) -> Kernel:
    """Take the mean of size x size pixels."""
    side = check_side(size, limit)
    return Kernel(
        "box", (((1,) * side,) * side,), divisor=side * side, source="the moving average; OpenCV blur"
    )


def gaussian(sigma: float = 1.0, size: int | None = None, *, limit: int = MAX_SIDE) -> Kernel:
    """Blur by a bell of standard deviation sigma, in pixels; it sums to 1.

    Without a size it has round(6 * sigma + 1) taps, or the odd number above: about 3 sigma to each side,
    as OpenCV has it for 8-bit pictures.
    """
    if not SMALLEST_SIGMA <= sigma < inf:
        raise ArgumentError(f"gaussian: sigma must be at least {SMALLEST_SIGMA} and finite, got {sigma}")
    side = check_side(size if size is not None else round(min(6 * sigma, MOST_WIDTH) + 1) | 1, limit)
    middle = (side - 1) / 2
    heights = [exp(-(((place - middle) / sigma) ** 2) / 2) for place in range(side)]
    bell = [height / sum(heights) for height in heights]
    return Kernel(
        "gaussian", (outer(bell, bell),), source="the normal density, sampled; OpenCV getGaussianKernel"
    )


def sharpen() -> Kernel:
    """Sharpen: the picture minus its Laplacian."""
    return Kernel(
        "sharpen",
        (SHARPEN,),
        source="the identity minus the 5-point Laplacian; Gonzalez & Woods",
    )


def emboss() -> Kernel:
    """Light the picture as a relief, from the upper left."""
    return Kernel("emboss", (EMBOSS,), source="the 3 x 3 emboss of GIMP's and Photoshop's custom filters")


def laplacian() -> Kernel:
    """Take the second derivative in x plus in y: positive in dark spots."""
    return Kernel("laplacian", (LAPLACIAN,), source="the 5-point stencil; OpenCV Laplacian, ksize 1")


def outline() -> Kernel:
    """Leave only what differs from its 8 neighbours."""
    return Kernel(
        "outline",
        (OUTLINE,),
        source="the 9-point Laplacian, negated; Gonzalez & Woods",
    )


def _across(name: str, matrix: Matrix, source: str) -> Callable[[], Kernel]:
    def build() -> Kernel:
        return Kernel(f"{name}-x", (matrix,), source=source)

    build.__doc__ = f"Take {name.title()}'s derivative across: positive where brightness grows to the right."
    return build


def _down(name: str, matrix: Matrix, source: str) -> Callable[[], Kernel]:
    def build() -> Kernel:
        return Kernel(f"{name}-y", (transposed(matrix),), source=source)

    build.__doc__ = f"Take {name.title()}'s derivative down: positive where brightness grows downwards."
    return build


def _gradient(name: str, matrix: Matrix, source: str) -> Callable[[], Kernel]:
    def build() -> Kernel:
        return Kernel(name, (matrix, transposed(matrix)), combine="magnitude", source=source)

    build.__doc__ = f"Take the magnitude of {name.title()}'s gradient: sqrt(x**2 + y**2), unnormalised."
    return build


SOBEL = "Sobel & Feldman (1968), A 3x3 isotropic gradient operator; OpenCV Sobel"
PREWITT = "Prewitt (1970), Object enhancement and extraction"
SCHARR = "Scharr (2000), Optimal operators in digital image processing; OpenCV Scharr"

KERNELS: dict[str, Callable[..., Kernel]] = {
    "identity": identity,
    "box": box,
    "gaussian": gaussian,
    "sharpen": sharpen,
    "emboss": emboss,
    "laplacian": laplacian,
    "outline": outline,
    "sobel": _gradient("sobel", SOBEL_X, SOBEL),
    "sobel-x": _across("sobel", SOBEL_X, SOBEL),
    "sobel-y": _down("sobel", SOBEL_X, SOBEL),
    "prewitt": _gradient("prewitt", PREWITT_X, PREWITT),
    "prewitt-x": _across("prewitt", PREWITT_X, PREWITT),
    "prewitt-y": _down("prewitt", PREWITT_X, PREWITT),
    "scharr": _gradient("scharr", SCHARR_X, SCHARR),
    "scharr-x": _across("scharr", SCHARR_X, SCHARR),
    "scharr-y": _down("scharr", SCHARR_X, SCHARR),
}
