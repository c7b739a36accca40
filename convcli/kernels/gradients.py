"""First derivatives: gradients, directional derivatives and compass operators."""

from collections.abc import Callable
from math import comb, sqrt

from convcli.errors import ArgumentError
from convcli.kernels.kernel import Grid, Kernel, Line, Matrix, Number, check_side, outer
from convcli.kernels.smoothing import MAX_SIDE

ROBERTS_SE: Grid = (
    (-1, 0),
    (0, 1),
)
ROBERTS_NE: Grid = (
    (0, 1),
    (-1, 0),
)
KIRSCH_N: Grid = (
    (5, 5, 5),
    (-3, 0, -3),
    (-3, -3, -3),
)
ROBINSON_N: Grid = (
    (1, 2, 1),
    (0, 0, 0),
    (-1, -2, -1),
)
CHANGE: Line = (-1, 0, 1)
PREWITT_SMOOTH: Line = (1, 1, 1)
SCHARR_SMOOTH: Line = (3, 10, 3)
FREICHEN_SMOOTH: Line = (1, sqrt(2), 1)

SOBEL = "Sobel & Feldman (1968), A 3x3 isotropic gradient operator; OpenCV Sobel"
PREWITT = "Prewitt (1970), Object enhancement and extraction"
SCHARR = "Scharr (2000), Optimal operators in digital image processing; OpenCV Scharr"
FREICHEN = "Frei & Chen (1977), Fast boundary detection: the isotropic gradient W1, W2, of norm 1"
ROBERTS = "Roberts (1963), Machine perception of three-dimensional solids; unnormalised"

LONGEST_SOBEL = 31  # OpenCV's largest ksize

Build = Callable[..., Kernel]


def roberts() -> Kernel:
    """Take the magnitude of Roberts' cross: the root of the sum of both squared diagonal differences."""
    return Kernel("roberts", (ROBERTS_SE, ROBERTS_NE), combine="magnitude", source=ROBERTS)


def roberts_se() -> Kernel:
    """Take Roberts' difference down to the right: positive if brightness increases to the lower right."""
    return Kernel("roberts-se", (ROBERTS_SE,), source=ROBERTS)


def roberts_ne() -> Kernel:
    """Take Roberts' difference up to the right: positive if brightness increases to the upper right."""
    return Kernel("roberts-ne", (ROBERTS_NE,), source=ROBERTS)


def kirsch() -> Kernel:
    """Take the maximum of Kirsch's 8 compass masks."""
    source = "Kirsch (1971), Computer determination of the constituent structure of biological images"
    return Kernel("kirsch", compass(KIRSCH_N), combine="largest", source=source)


def robinson() -> Kernel:
    """Take the maximum of Robinson's 8 compass masks, which are Sobel's rotated by multiples of 45 degrees."""
    source = "Robinson (1977), Edge detection by compass gradient masks, level 5"
    return Kernel("robinson", compass(ROBINSON_N), combine="largest", source=source)


def compass(north: Grid) -> tuple[Grid, ...]:
    """Return a 3 x 3 mask and its 7 rotations, each 45 degrees counterclockwise: the outer ring shifts by one place."""
    ring = [(0, 0), (0, 1), (0, 2), (1, 2), (2, 2), (2, 1), (2, 0), (1, 0)]
    rotations = []
    for shift in range(8):
        source = dict(zip(ring, ring[shift:] + ring[:shift], strict=True)) | {(1, 1): (1, 1)}
        places = [[source[row, column] for column in range(3)] for row in range(3)]
        rotations.append(tuple(tuple(north[i][j] for i, j in row) for row in places))
    return tuple(rotations)


def sobel_lines(size: int) -> tuple[Line, Line]:
    """Return the derivative and the smoothing factor of OpenCV's getDerivKernels for a size.

    The smoothing is (1, 1) convolved with itself size - 2 times; in the derivative one of the factors is (-1, 1).

    >>> sobel_lines(5)
    ((-1, -2, 0, 2, 1), (1, 4, 6, 4, 1))
    """
    if size % 2 == 0 or not 3 <= size <= LONGEST_SOBEL:
        raise ArgumentError(f"sobel: size must be odd, from 3 to {LONGEST_SOBEL}, got {size}; use 3, 5 or 7")
    smooth = tuple(comb(size - 1, place) for place in range(size))
    shorter = [0, *(comb(size - 2, place) for place in range(size - 1)), 0]
    return tuple(shorter[place] - shorter[place + 1] for place in range(size)), smooth


def directed(change: Line, smooth: Line, axis: int, dims: int) -> Matrix:
    """Return a derivative along one axis with smoothing along the others."""
    return outer(*(change if axis == place else smooth for place in range(dims)))


def derivative(name: str, change: Line, smooth: Line, dims: int, source: str, divisor: Number = 1) -> Kernel:
    """Return the derivative for the ending of a name: horizontal (-x), vertical (-y), or the magnitude of all axes."""
    if name.endswith("-x"):
        axes = [dims - 1]
    elif name.endswith("-y"):
        axes = [dims - 2]
    else:
        axes = list(reversed(range(dims)))
    return Kernel(
        name,
        tuple(directed(change, smooth, axis, dims) for axis in axes),
        divisor=divisor,
        combine="magnitude" if len(name.split("-")) == 1 else "none",
        source=source,
    )


def _sobel(name: str) -> Build:
    def build(size: int = 3, *, dims: int = 2, limit: int = MAX_SIDE) -> Kernel:
        return derivative(name, *sobel_lines(check_side(size, limit)), dims, SOBEL)

    return build


def _fixed(name: str, smooth: Line, source: str) -> Build:
    return lambda *, dims=2: derivative(name, CHANGE, smooth, dims, source)


def _freichen(name: str) -> Build:
    return lambda: derivative(name, CHANGE, FREICHEN_SMOOTH, 2, FREICHEN, divisor=2 * sqrt(2))


def _family(name: str, title: str, make: Callable[[str], Build]) -> dict[str, Build]:
    """Return a gradient and its two directional derivatives by name, each with its docstring."""
    meanings = {
        name: f"Take the magnitude of {title}'s gradient: sqrt(x**2 + y**2).",
        f"{name}-x": f"Take {title}'s horizontal derivative: positive if brightness increases to the right.",
        f"{name}-y": f"Take {title}'s vertical derivative: positive if brightness increases downwards.",
    }
    family = {name: make(name) for name in meanings}
    for name, build in family.items():
        build.__doc__ = meanings[name]
    return family


GRADIENTS: dict[str, Build] = {
    **_family("sobel", "Sobel", _sobel),
    **_family("prewitt", "Prewitt", lambda name: _fixed(name, PREWITT_SMOOTH, PREWITT)),
    **_family("scharr", "Scharr", lambda name: _fixed(name, SCHARR_SMOOTH, SCHARR)),
    "roberts": roberts,
    "roberts-se": roberts_se,
    "roberts-ne": roberts_ne,
    "kirsch": kirsch,
    "robinson": robinson,
    **_family("freichen", "Frei and Chen", _freichen),
}
