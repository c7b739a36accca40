"""filter_image by its definition: one pixel at a time, in plain loops and exact fractions."""

from collections.abc import Sequence
from fractions import Fraction
from math import isqrt

from convcli.kernels import Kernel
from tests.reference import source

OWN = (-1, -1)  # the name of the centre pixel among the taps


class Window:
    """One position of a kernel on a picture: the pixel under each tap."""

    def __init__(
        self,
        pixels: Sequence,
        kernel: Kernel,
        place: tuple[int, int],
        *,
        stride: tuple[int, int] = (1, 1),
        before: tuple[int, int] | None = None,
        dilation: tuple[int, int] = (1, 1),
        mode: str = "reflect",
        value: float = 0,
        flip: bool = False,
        leans: bool = False,
        same: bool = False,
    ) -> None:
        size, shape = (len(pixels), len(pixels[0])), kernel.shape
        # The position of the window's centre; for an even window, that of the element before or after the middle.
        spans = [d * (k - 1) + 1 for k, d in zip(shape, dilation)]
        places = [reach // 2 if leans else (reach - 1) // 2 for reach in spans]
        if before is None:  # `same` with a stride of 1
            before, same = tuple(d * (k - 1) // 2 for k, d in zip(shape, dilation)), True
        if kernel.anchor is not None:
            taps = [k - 1 - a if flip else a for a, k in zip(kernel.anchor, shape)]
            anchored = [a * d for a, d in zip(taps, dilation)]
            if same:
                before = tuple(b + new - old for b, new, old in zip(before, anchored, places))
            places = anchored
        self.pixels, self.kernel, self.mode, self.value = pixels, kernel, mode, value
        self.taps = {}
        for i in range(shape[0]):
            for j in range(shape[1]):
                row = source(mode, size[0], place[0] * stride[0] - before[0] + i * dilation[0])
                column = source(mode, size[1], place[1] * stride[1] - before[1] + j * dilation[1])
                tap = (shape[0] - 1 - i, shape[1] - 1 - j) if flip else (i, j)
                self.taps[tap] = None if row is None or column is None else (row, column)
        own = [
            source(mode, size[axis], place[axis] * stride[axis] - before[axis] + places[axis])
            for axis in (0, 1)
        ]
        self.taps[OWN] = None if None in own else tuple(own)

    def sample(self, tap: tuple[int, int], channel: int | None, opaque: int | None = None) -> Fraction:
        """Return the pixel under a tap; `opaque` is the alpha of a constant border."""
        at = self.taps[tap]
        if at is None:
            if self.mode == "zeros":
                return Fraction(0)
            return Fraction(self.value if opaque is None else opaque)
        pixel = self.pixels[at[0]][at[1]]
        return exact(pixel if channel is None else pixel[channel])

    def response(self, sample: object) -> Fraction | int:
        """Return the response of the kernel to `sample(tap)` under each tap; a magnitude is rounded."""
        sums = [
            sum(
                (
                    exact(weight) * sample((i, j))
                    for i, row in enumerate(matrix)
                    for j, weight in enumerate(row)
                )
            )
            for matrix in self.kernel.matrices
        ]
        if self.kernel.combine == "magnitude":
            return self.finished(root(sum(part * part for part in sums)))
        return self.finished(max(map(Fraction, sums)))

    def finished(self, value: Fraction) -> Fraction:
        """Divide and add the offset."""
        return Fraction(value) / exact(self.kernel.divisor) + exact(self.kernel.offset)


def exact(number: object) -> Fraction:
    """Return a number of any type, including NumPy's, as an exact fraction."""
    return Fraction(number.item() if hasattr(number, "item") else number)


def root(square: Fraction) -> Fraction:
    """Return the square root of a fraction, rounded up to 30 digits, or exactly if it is an integer."""
    digits = 10**30
    exactly = isqrt(int(square)) if square.denominator == 1 else 0
    if exactly * exactly == square:
        return Fraction(exactly)
    return Fraction(isqrt(int(square * digits * digits)) + 1, digits)


def plain_response(window: Window, channel: int | None) -> Fraction | int:
    """The response of one channel, with or without alpha."""
    return window.response(lambda tap: window.sample(tap, channel))


def kept_response(window: Window, channel: int, alpha: int, opaque: int) -> Fraction | int:
    """The response of a colour channel; a transparent neighbour counts as having the colour of the centre pixel."""
    own = window.sample(OWN, channel)

    def sample(tap: tuple[int, int]) -> Fraction:
        outside = window.taps[tap] is None
        return window.sample(tap, channel) if outside or window.sample(tap, alpha, opaque) > 0 else own

    return window.response(sample)


def premultiplied_response(window: Window, channel: int, alpha: int, opaque: int) -> Fraction:
    """The response of a colour channel weighted by alpha; the unfiltered colour where nothing is visible."""
    (matrix,) = window.kernel.matrices
    colour = weight = total = Fraction(0)
    for i, j in window.taps.keys() - {OWN}:
        tap_weight = exact(matrix[i][j])
        opacity = window.sample((i, j), alpha, opaque)
        colour += tap_weight * opacity * window.sample((i, j), channel)
        weight += tap_weight * opacity
        total += tap_weight
    if not weight:
        return plain_response(window, channel)
    return window.finished(colour / weight * total)


def mean_alpha(window: Window, alpha: int, opaque: int) -> Fraction:
    """Alpha under a smoothing kernel: its weighted mean."""
    (matrix,) = window.kernel.matrices
    weights = {(i, j): exact(weight) for i, row in enumerate(matrix) for j, weight in enumerate(row)}
    total = sum(weights.values())
    return sum(weight * window.sample(tap, alpha, opaque) for tap, weight in weights.items()) / total
