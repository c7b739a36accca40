"""The receptive field: the range of inputs of a chain that one output sees, on each axis.

Each layer describes what an output sees: a `Reach`, from floor((step*y + low) / scale) to
floor((step*y + high) / scale), or the `Taps` of a kernel. Convolutions and pools (scale 1) compose to one reach, which
is the recursion r += (k' - 1)*j; start += ((k' - 1)/2 - p)*j; j *= s with k' = d*(k-1) + 1 of Araujo, Norris & Sim,
"Computing Receptive Fields of Convolutional Neural Networks" (Distill 2019). Layers that enlarge compose in the same
way; if their floors cannot be merged they are kept as a list, and the field is computed for every output of one period.
A transposed layer whose taps leave gaps (its kernel is smaller than its stride, or dilated) shows different numbers of
inputs to different outputs; from that layer on every layer keeps its taps, and the inputs that they see are enumerated.
"""

from collections.abc import Iterable
from functools import lru_cache
from math import gcd, prod
from typing import TYPE_CHECKING, NamedTuple, Union

from convcli.layers.axes import AnyShape, Sizes, as_shape
from convcli.layers.base import ITSELF, Layer, Reach, Seen, Taps

if TYPE_CHECKING:
    from fractions import Fraction

# The layers from the input to the output: reaches, then, from the first layer that leaves gaps on, each layer's taps.
# None if what a layer sees depends on the data.
Path = tuple[Reach | Taps, ...] | None

LONGEST_PERIOD = 4096  # largest number of outputs in a period for which the field is computed
MAX_LISTED = 1 << 20  # largest number of inputs that are enumerated, over all outputs of a period


class Axis(NamedTuple):
    """What one output sees along one axis, in elements of the chain's input; None if it is not defined.

    size    : from the first to the last element seen; the maximum over all outputs
    stride  : distance from one output's field to the next one's; a fraction after layers that enlarge, None if there
              is only one output
    padding : elements before the input that the first output's field covers; negative if it starts inside, None
              if it sees nothing
    start   : the centre of the first output's field; the centre of the first input element is at 0.5
    """

    size: int | None = None
    stride: Union[int, "Fraction", None] = None
    padding: int | None = None
    start: float | None = None


class ReceptiveField(NamedTuple):
    """How the outputs of a chain see its input; start with `of_input` and apply `through` for each layer."""

    paths: tuple[Path, ...]
    places: Sizes  # number of outputs on each axis, kept when they are flattened
    flat: bool = False

    @classmethod
    def of_input(cls, input_shape: AnyShape) -> "ReceptiveField":
        """Return the field of the input itself: 1 element, stride 1."""
        size = as_shape(input_shape)[1:]
        return cls(((ITSELF,),) * len(size), size)

    def through(self, layer: Layer, input_shape: AnyShape, output_shape: AnyShape) -> "ReceptiveField":
        """Return the field after one more layer, which maps `input_shape` to `output_shape`."""
        seen = layer.sees(as_shape(input_shape)[1:])
        if seen:
            paths = tuple(extend(path, link) for path, link in zip(self.paths, seen, strict=True))
            return ReceptiveField(paths, as_shape(output_shape)[1:])
        if layer.mixes_all:
            paths = tuple(
                extend(path, Reach(0, 1, 0, n - 1)) for path, n in zip(self.paths, self.places, strict=True)
            )
            return ReceptiveField(paths, (1,) * len(paths), flat=True)
        return self._replace(flat=True)

    def axes(self) -> tuple[Axis, ...]:
        """Return the size, stride, padding and start per axis of the chain's input."""
        return tuple(measure(path, self.flat) for path in self.paths)


def widen(one: Path, two: Path) -> Path:
    """Return the path of outputs that see the union of what two paths see; None if it is not a single reach."""
    if one == two:
        return one
    if one is None or two is None or len(one) > 1 or len(two) > 1:
        return None
    first, second = one[0], two[0]
    if isinstance(first, Taps) or isinstance(second, Taps) or first[:2] != second[:2]:
        return None
    return (first._replace(low=min(first.low, second.low), high=max(first.high, second.high)),)


def extend(path: Path, link: Seen) -> Path:
    """Append one more layer to a path, merged with the layers before it if their floors allow that."""
    if path is None or link is None:
        return None
    reach = _solid(link) if isinstance(link, Taps) else _reduce(link)
    if reach is None or any(isinstance(part, Taps) for part in path):
        return (*path, link if isinstance(link, Taps) else _reduce(link))
    merged: tuple[Reach | Taps, ...] = (*path, reach)
    while len(merged) > 1 and (found := _merge(merged[-2], merged[-1])) is not None:
        merged = (*merged[:-2], found)
    return merged


def _solid(taps: Taps) -> Reach | None:
    """Return the reach of a kernel's taps if every output sees its first and last tap, else None."""
    step, scale, low, gap, number = taps
    if scale == 1:
        return Reach(step, 1, low, low + gap * (number - 1))
    if gap == 1 and number >= scale:
        return Reach(step, scale, low + scale - 1, low + number - 1)
    return None


def _merge(outer: Reach | Taps, inner: Reach | Taps) -> Reach | None:
    """Return outer(inner(y)) as one reach, or None if it is not one."""
    if isinstance(outer, Taps) or isinstance(inner, Taps):
        return None
    step, scale, low, high = outer
    if inner.scale == 1:
        return _reduce(Reach(step * inner.step, scale, step * inner.low + low, step * inner.high + high))
    if step == 1:  # floor((floor(u / m) + a) / n) = floor((u + a*m) / (m*n))
        low, high = inner.low + low * inner.scale, inner.high + high * inner.scale
        return _reduce(Reach(inner.step, scale * inner.scale, low, high))
    return None


def _reduce(reach: Reach) -> Reach:
    """Divide step and scale by their common factor: floor((g*a*y + low) / (g*b)) stays the same."""
    step, scale, low, high = reach
    g = gcd(step, scale)
    return Reach(step // g, scale // g, low // g, high // g)


def seen_inputs(link: Reach | Taps, output: int) -> range:
    """Return the inputs of one layer that an output sees."""
    if isinstance(link, Reach):
        step, scale, low, high = link
        return range((step * output + low) // scale, (step * output + high) // scale + 1)
    step, scale, low, gap, number = link
    place, common = step * output + low, gcd(scale, gap)
    if place % common:
        return range(0)
    modulus, apart = (
        scale // common,
        gap // common,
    )  # the taps that fall on an input occur every `modulus` taps, and the inputs are `apart` elements apart
    first = -(place // common) * pow(apart, -1, modulus) % modulus
    start = (place + gap * first) // scale
    return range(start, start + apart * max(0, -((first - number) // modulus)), apart)


class _TooManyError(Exception):
    """Raised if a field has more inputs than are enumerated."""


def field_of(path: tuple[Reach | Taps, ...], output: int, most: int = MAX_LISTED) -> tuple[int, int] | None:
    """Return the first and the last input that an output sees, or None if it sees none."""
    gaps = next((place for place, link in enumerate(path) if isinstance(link, Taps)), len(path))
    seen: Iterable[int] = (output,)
    for link in reversed(path[gaps + 1 :]):
        parts = [seen_inputs(link, each) for each in seen]
        if sum(part[-1] - part[0] for part in parts if part) > most:
            raise _TooManyError
        seen = set().union(*parts)
    for link in path[gaps : gaps + 1]:
        seen = [end for each in seen if (part := seen_inputs(link, each)) for end in (part[0], part[-1])]
    if not seen:
        return None
    first, last = min(seen), max(seen)
    for link in reversed(path[:gaps]):
        first, last = seen_inputs(link, first)[0], seen_inputs(link, last)[-1]
    return first, last


def _widest(path: tuple[Reach | Taps, ...]) -> int | None:
    """Return the size of the largest field of any output, or None if the pattern's period is too long."""
    first, *others = path
    if isinstance(first, Reach) and not others:  # step and scale are coprime, so every remainder occurs
        return -(-(first.high - first.low) // first.scale) + 1
    if isinstance(first, Reach) and first.scale == 1 and isinstance(others[0], Taps) and len(others) == 1:
        modulus = others[0].scale // (common := gcd(others[0].scale, others[0].gap))
        most = (
            (others[0].number - 1) // modulus * (others[0].gap // common)
        )  # from the input of the first tap to that of the last
        return first.step * most + first.high - first.low + 1
    period = prod(link.scale for link in path)
    if period > LONGEST_PERIOD:
        return None
    fields = (field_of(path, output, MAX_LISTED // period) for output in range(period))
    try:
        return max((field[1] - field[0] + 1 for field in fields if field is not None), default=None)
    except _TooManyError:
        return None


@lru_cache(
    maxsize=1024
)  # the field of a layer is often that of the layer before, and height the same as width
def measure(path: Path, flat: bool) -> Axis:
    """Return the receptive field along one axis; a flattened axis has no stride."""
    if path is None:
        return Axis()
    step, scale = prod(link.step for link in path), prod(link.scale for link in path)
    stride = None if flat or step == 0 else _ratio(step, scale)
    try:
        field = field_of(path, 0)
    except _TooManyError:
        return Axis(None, stride)
    if field is None:
        return Axis(_widest(path), stride)
    first, last = field
    return Axis(_widest(path), stride, -first, _half(first + last + 1))


def _half(number: int) -> float:
    """Return number / 2, as an int if it is a whole number or too large for a float."""
    try:
        return number // 2 if number % 2 == 0 else number / 2
    except OverflowError:
        return number // 2


def _ratio(step: int, scale: int) -> "int | Fraction":
    if step % scale == 0:
        return step // scale
    from fractions import Fraction  # rarely needed, and slow to import

    return Fraction(step, scale)
