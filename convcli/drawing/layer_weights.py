"""The weight of each tap in a drawing: from the given kernels or example integers, shared as in the layer."""

from collections.abc import Callable, Sequence
from fractions import Fraction
from math import gcd, lcm, prod

from convcli.drawing.example_numbers import WEIGHTS, chosen
from convcli.drawing.steps import Values
from convcli.errors import ArgumentError
from convcli.layers.base import Layer
from convcli.layers.conv import Convolution
from convcli.layers.transposed import ConvTranspose
from convcli.layers.unshared import LocalConv, TiledConv

# The index of a kernel for an output (channel, row, column) and an input channel within its group.
Number = Callable[[int, int, int, int], int]


def kernels_of_layers(chain: Sequence[Layer], kernels: Sequence[Values]) -> list[tuple[Values, ...]]:
    """Return the given kernels of each layer of a chain; layers without given kernels get example weights.

    The kernels belong to the only layer with weights, or to the only one whose window is larger than 1. For a separable
    pair, k x 1 and 1 x k, a kernel is split into two factors.
    """
    found: list[tuple[Values, ...]] = [()] * len(chain)
    weighted = [place for place, layer in enumerate(chain) if isinstance(layer, Convolution)]
    wide = [place for place in weighted if prod(_size(chain[place])) > 1]
    if not kernels:
        return found
    if len(weighted) == 1 or len(wide) == 1:
        found[wide[0] if wide else weighted[0]] = tuple(kernels)
    elif len(weighted) == 2 and len(kernels) == 1 and _is_pair(*(_size(chain[place]) for place in weighted)):
        for place, factor in zip(weighted, _factors(kernels[0]), strict=True):
            found[place] = (factor,)
    else:
        raise ArgumentError(
            f"`kernel` gives the weights of one layer, but {len(weighted) or 'no'} layers have weights; leave it out"
        )
    return found


def _size(layer: Layer) -> tuple[int, int]:
    """Return the rows and columns of a kernel; a 1-D kernel is a single row."""
    assert isinstance(layer, Convolution)
    *_, rows, columns = 1, *layer.kernel_size
    return rows, columns


def _is_pair(first: tuple[int, int], second: tuple[int, int]) -> bool:
    return first[1] == 1 and second[0] == 1


def _factors(kernel: Values) -> tuple[Values, Values]:
    """Return a column and a row whose product is exactly the kernel; raise ArgumentError if there are none.

    The row is a row of the kernel divided by the common factor of its weights.
    """
    row = next((row for row in kernel if any(row)), kernel[0])
    pivot = next((place for place, weight in enumerate(row) if weight), 0)
    common = (
        Fraction(gcd(*(weight.numerator for weight in row)), lcm(*(weight.denominator for weight in row)))
        or 1
    )
    second = tuple(weight / common for weight in row)
    first = tuple(other[pivot] / (second[pivot] or 1) for other in kernel)
    if tuple(tuple(a * b for b in second) for a in first) != kernel:
        raise ArgumentError(
            "`kernel` is not the product of a column and a row, so it cannot be drawn as separable; use another "
            "variant, or a kernel of rank 1"
        )
    return tuple((weight,) for weight in first), (second,)


class Weights:
    """The weights of a convolution: a kernel per pair of channels, and per set if weights are not fully shared."""

    def __init__(
        self,
        layer: Convolution,
        output_size: tuple[int, int],
        kernels: Sequence[Values],
        *,
        flip: bool,
        seed: int,
    ) -> None:
        self.size = _size(layer)
        self.rotated = flip != isinstance(layer, ConvTranspose)
        self.seed = seed
        self.given = tuple(kernels)
        for kernel in kernels:
            shape = len(kernel), len(kernel[0])
            if shape != self.size:
                raise ArgumentError(
                    f"a kernel is {shape[0]}x{shape[1]}, but the layer has kernels of "
                    f"{self.size[0]}x{self.size[1]}; give one of that size"
                )
        self.kernels_are, self.number = self._numbering(layer, output_size)

    def at(self, channel: int, row: int, column: int, source: int, tap: tuple[int, int]) -> Fraction:
        """Return the weight of a tap of the window for output (channel, row, column) and input channel `source`."""
        number = self.number(channel, row, column, source)
        i, j = (n - 1 - t for n, t in zip(self.size, tap, strict=True)) if self.rotated else tap
        if self.given:
            return self.given[number][i][j]
        return Fraction(WEIGHTS[chosen(len(WEIGHTS), self.seed, 2, number, i, j)])

    def _numbering(self, layer: Convolution, output_size: tuple[int, int]) -> tuple[str, Number]:
        """Return what each kernel is for, and the function that numbers them in the order of `backend`'s weights."""
        sources, outputs = layer.in_channels // layer.groups, layer.out_channels
        sets, set_of = self._sets(layer, output_size)
        every: Number
        if isinstance(layer, ConvTranspose):  # (C, O / groups, *k)
            own = outputs // layer.groups

            def every(o: int, row: int, column: int, source: int) -> int:
                return (o // own * sources + source) * own + o % own
        else:

            def every(o: int, row: int, column: int, source: int) -> int:
                return (set_of(row, column) * outputs + o) * sources + source

        if not self.given:
            return "every", every
        pairs = outputs * sources
        ways: dict[int, tuple[str, str, Number]] = {1: ("1 for all channels", "one", lambda *_: 0)}
        if sets > 1:
            ways.setdefault(
                sets, (f"{sets} for the sets", "sets", lambda _, row, column, __: set_of(row, column))
            )
        ways.setdefault(outputs, (f"{outputs} for the output channels", "outputs", lambda o, *_: o))
        ways.setdefault(
            pairs,
            (f"{pairs} for the pairs of channels", "pairs", lambda o, _, __, source: every(o, 0, 0, source)),
        )
        ways.setdefault(sets * pairs, (f"{sets * pairs} in total", "every", every))
        if len(self.given) not in ways:
            raise ArgumentError(
                f"{len(self.given)} kernels are given, but the layer takes "
                f"{' or '.join(words for words, *_ in ways.values())}"
            )
        return ways[len(self.given)][1:]

    @staticmethod
    def _sets(layer: Convolution, output_size: tuple[int, int]) -> tuple[int, Callable[[int, int], int]]:
        """Return the number of sets of kernels, and the function that returns the set of an output position."""
        if isinstance(layer, TiledConv):
            *_, rows, columns = 1, *layer.tile
            return prod(layer.tile), lambda row, column: row % rows * columns + column % columns
        if isinstance(layer, LocalConv):
            return prod(output_size), lambda row, column: row * output_size[1] + column
        return 1, lambda *_: 0
