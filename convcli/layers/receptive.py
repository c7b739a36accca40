"""The receptive field: which inputs of a chain one of its outputs sees, on each axis.

Every layer tells its `Reach`: output y sees the inputs from floor((step*y + low) / scale) to
floor((step*y + high) / scale). Convolutions and pools (scale 1) compose to one such pair, which is the
recursion r += (k' - 1)*j; start += ((k' - 1)/2 - p)*j; j *= s with k' = d*(k-1) + 1 of Araujo, Norris & Sim,
"Computing Receptive Fields of Convolutional Neural Networks" (Distill 2019). Layers that enlarge compose
alike, but where their floors do not merge they stay a list, and the field is counted over one period.
"""

from collections.abc import Iterable
from math import gcd, prod
from typing import TYPE_CHECKING, NamedTuple, Union

from convcli.layers.axes import Shape, Sizes
from convcli.layers.base import ITSELF, Layer, Reach

if TYPE_CHECKING:
    from fractions import Fraction

Path = tuple[Reach, ...] | None  # from the input to the output; None where a layer's reach is not defined

LONGEST_PERIOD = 4096  # outputs after which a pattern must repeat for its field to be counted


class Axis(NamedTuple):
    """What one output sees along one axis, in elements of the chain's input; None where it is not defined.

    size    : from the first to the last element seen, the most that any output sees
    stride  : from one output's field to the next one's; a fraction after layers that enlarge, None where
              there is no next output
    padding : elements before the input that the first output's field covers; negative if it starts inside
    start   : the centre of the first output's field, where the input's first element is centred at 0.5
    """

    size: int | None = None
    stride: Union[int, "Fraction", None] = None
    padding: int | None = None
    start: float | None = None


class ReceptiveField(NamedTuple):
    """How the outputs of a chain see its input; begin with `of_input`, go on with `through` each layer."""

    paths: tuple[Path, ...]
    places: Sizes  # outputs on each axis, kept when they are flattened
    flat: bool = False

    @classmethod
    def of_input(cls, input_shape: Shape) -> "ReceptiveField":
        """Return the field of the input itself: 1 element, stride 1."""
        size = tuple(input_shape[1:])
        return cls(((ITSELF,),) * len(size), size)

    def through(self, layer: Layer, input_shape: Shape, output_shape: Shape) -> "ReceptiveField":
        """Return the field after one more layer, which makes `output_shape` of `input_shape`."""
        seen = layer.sees(tuple(input_shape[1:]))
        if seen:
            paths = tuple(_extend(path, reach) for path, reach in zip(self.paths, seen, strict=True))
            return ReceptiveField(paths, tuple(output_shape[1:]))
        if layer.mixes_all:
            paths = tuple(
                _extend(path, (0, 1, 0, n - 1)) for path, n in zip(self.paths, self.places, strict=True)
            )
            return ReceptiveField(paths, (1,) * len(paths), flat=True)
        return self._replace(flat=True)

    def axes(self) -> tuple[Axis, ...]:
        """Return the numbers for each axis of the chain's input."""
        return tuple(_measure(path, self.flat) for path in self.paths)


def join(fields: Iterable[ReceptiveField]) -> ReceptiveField:
    """Return the field of outputs that see what any of several branches sees, as after an addition.

    Branches of one input whose strides differ have no common field: None on that axis.
    """
    first, *others = fields
    paths = first.paths
    for other in others:
        paths = tuple(_widen(one, two) for one, two in zip(paths, other.paths, strict=True))
    return first._replace(paths=paths)


def _widen(one: Path, two: Path) -> Path:
    if one == two:
        return one
    if one is None or two is None or len(one) > 1 or len(two) > 1 or one[0][:2] != two[0][:2]:
        return None
    step, scale, low, high = one[0]
    return ((step, scale, min(low, two[0][2]), max(high, two[0][3])),)


def _extend(path: Path, reach: Reach | None) -> Path:
    """Put one more layer at the end of a path, merged with the ones before it where their floors allow."""
    if path is None or reach is None:
        return None
    merged = _merge(path[-1], _reduce(reach))
    while len(merged) == 1 and len(path) > 1:
        path = path[:-1]
        merged = _merge(path[-1], merged[0])
    return path[:-1] + merged


def _merge(outer: Reach, inner: Reach) -> tuple[Reach, ...]:
    """Write outer(inner(y)) as one reach, or leave it as two."""
    step, scale, low, high = outer
    inner_step, inner_scale, inner_low, inner_high = inner
    if inner_scale == 1:
        return (_reduce((step * inner_step, scale, step * inner_low + low, step * inner_high + high)),)
    if step == 1:  # floor((floor(u / m) + a) / n) = floor((u + a*m) / (m*n))
        low, high = inner_low + low * inner_scale, inner_high + high * inner_scale
        return (_reduce((inner_step, scale * inner_scale, low, high)),)
    return (outer, inner)


def _reduce(reach: Reach) -> Reach:
    """Divide by what step and scale have in common: floor((g*a*y + low) / (g*b)) loses nothing."""
    step, scale, low, high = reach
    g = gcd(step, scale)
    return step // g, scale // g, low // g, high // g


def _field_of(path: tuple[Reach, ...], output: int) -> tuple[int, int]:
    """Return the first and the last input that an output sees."""
    first = last = output
    for step, scale, low, high in reversed(path):
        first, last = (step * first + low) // scale, (step * last + high) // scale
    return first, last


def _widest(path: tuple[Reach, ...]) -> int | None:
    """Return the most inputs that any output sees, or None if the pattern has too long a period."""
    if len(path) == 1:  # step and scale are coprime, so every remainder occurs
        _, scale, low, high = path[0]
        return -(-(high - low) // scale) + 1
    period = prod(scale for _, scale, _, _ in path)
    if period > LONGEST_PERIOD:
        return None
    fields = (_field_of(path, output) for output in range(period))
    return max(last - first + 1 for first, last in fields)


def _measure(path: Path, flat: bool) -> Axis:
    if path is None:
        return Axis()
    first, last = _field_of(path, 0)
    step, scale = prod(reach[0] for reach in path), prod(reach[1] for reach in path)
    stride = None if flat or step == 0 else _ratio(step, scale)
    return Axis(_widest(path), stride, -first, _half(first + last + 1))


def _half(number: int) -> float:
    """Return number / 2, a whole number where it is one or where no float is that large."""
    try:
        return number // 2 if number % 2 == 0 else number / 2
    except OverflowError:
        return number // 2


def _ratio(step: int, scale: int) -> "int | Fraction":
    if step % scale == 0:
        return step // scale
    from fractions import Fraction  # rare, and slow to import

    return Fraction(step, scale)
