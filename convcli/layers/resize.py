"""Resizing by any factor with nearest, linear or cubic interpolation, following PyTorch and ONNX."""

from dataclasses import dataclass
from math import floor, inf, prod
from numbers import Integral, Rational
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

from convcli.errors import ArgumentError
from convcli.layers.axes import (
    AnyShape,
    OpenShape,
    PerAxis,
    Shape,
    Sizes,
    by_axes,
    infer_dims,
    input_sizes,
    is_sequence,
    per_axis,
    split_shape,
    whole,
)
from convcli.layers.base import Layer, Reach, Seen
from convcli.layers.counts import Cost, cubic_interpolations, interpolations

if TYPE_CHECKING:
    from fractions import Fraction

Mode = Literal["nearest", "bilinear", "bicubic"]
MODES = get_args(Mode)
Coordinates = Literal[
    "asymmetric",
    "half-pixel",
    "half-pixel-symmetric",
    "pytorch-half-pixel",
    "tf-half-pixel",
    "align-corners",
]
Rounding = Literal["floor", "ceil", "half-down", "half-up"]

Factor: TypeAlias = "float | Fraction"
Scales: TypeAlias = "tuple[Factor, ...]"


def scales(name: str, value: Any, dims: int) -> Scales:
    """Return one factor for each of `dims` axes: integers of at least 1, or floats or fractions above 0."""
    given = tuple(value) if is_sequence(value) else (value,) * dims
    if len(given) != dims:
        raise ArgumentError(f"{name} {by_axes(given)} has {len(given)} axes where {dims} are needed")
    return tuple(_scale(name, each) for each in given)


def _scale(name: str, value: Any) -> Factor:
    fractional: Any = isinstance(value, float | Rational) and not isinstance(value, Integral)
    if not fractional:
        return whole(name, value, 1)
    if not 0 < value < inf:
        raise ArgumentError(f"{name} must be finite and above 0, got {value}")
    factor: Factor = value if value % 1 else int(value)
    return factor


@dataclass(frozen=True, init=False)
class Resize(Layer):
    """Resize by `scale`, to floor(n * scale), or to `size`: nearest copies elements, the other modes interpolate.

    bilinear is linear on each axis and bicubic cubic on each axis, for any number of axes. `coordinates` is the formula
    for the input position x of output position y; o is the output size. The names are ONNX's
    (coordinate_transformation_mode of Resize):

    asymmetric           : x = y / scale; the default of nearest, as in PyTorch
    half-pixel           : x = (y + 1/2) / scale - 1/2; the default of the other modes, PyTorch's align_corners=False
    half-pixel-symmetric : as half-pixel, with the centres of input and output aligned
    pytorch-half-pixel   : as half-pixel, but x = 0 if the output has size 1
    tf-half-pixel        : x = (y + 1/2) / scale; TensorFlow's nearest
    align-corners        : x = y * (n - 1) / (o - 1)

    `rounding` applies to nearest (ONNX's nearest_mode): `floor`, `ceil`, `half-down` (round_prefer_floor) or `half-up`
    (round_prefer_ceil; with half-pixel PyTorch's nearest-exact).

    >>> Resize(scale=2).output_shape((8, 14, 14)), Resize(scale=0.5).output_shape((8, 15, 15))
    ((8, 28, 28), (8, 7, 7))
    """

    scale: "Scales | None"
    size: Sizes | None
    mode: Mode
    coordinates: Coordinates
    rounding: Rounding

    def __init__(
        self,
        *,
        scale: Any = None,
        size: PerAxis | None = None,
        mode: Mode = "nearest",
        coordinates: Coordinates | None = None,
        rounding: Rounding = "floor",
        dims: int | None = None,
    ) -> None:
        if (scale is None) == (size is None):
            raise ArgumentError("resize takes either `scale` or `size`; give exactly one of them")
        if coordinates is None:
            coordinates = "asymmetric" if mode == "nearest" else "half-pixel"
        for name, value, known in (
            ("mode", mode, MODES),
            ("coordinates", coordinates, get_args(Coordinates)),
            ("rounding", rounding, get_args(Rounding)),
        ):
            if value not in known:
                raise ArgumentError(f"{name} must be one of {', '.join(known)}, got {value!r}")
        dims = whole("dims", infer_dims(scale, size) if dims is None else dims, 1)
        self._set(
            scale=None if scale is None else scales("scale", scale, dims),
            size=None if size is None else per_axis("size", size, dims),
            mode=mode,
            coordinates=coordinates,
            rounding=rounding,
        )

    @property
    def usual(self) -> bool:
        """Whether coordinates and rounding are the defaults of the mode in PyTorch, with align_corners=False."""
        return self.rounding == "floor" and self.coordinates == (
            "asymmetric" if self.mode == "nearest" else "half-pixel"
        )

    def output_shape(self, input_shape: AnyShape) -> Shape:
        """Return (channels, *floor(size * scale)) or (channels, *size)."""
        channels, size = split_shape(input_shape)
        return (channels, *self._resized(size))

    def _open_shape(self, input_shape: OpenShape) -> OpenShape:
        return (input_shape[0], *(self.size or (None,) * len(input_shape[1:])))

    def _resized(self, input_size: Sizes) -> Sizes:
        given = self.scale or self.size or ()
        if len(input_size) != len(given):
            raise ArgumentError(
                f"the input size {by_axes(input_size) or '()'} has {len(input_size)} axes but "
                f"the resize {'x'.join(map(str, given))} has {len(given)}"
            )
        if self.size is not None:
            return self.size
        made = tuple(floor(n * times) for n, times in zip(input_size, given, strict=True))
        if 0 in made:
            raise ArgumentError(
                f"the output would be empty: {by_axes(input_size)} times {'x'.join(map(str, given))} is below 1; take "
                "a larger scale"
            )
        return made

    def cost(self, input_shape: AnyShape) -> Cost:
        """Count the interpolation of bilinear and bicubic; nearest only copies."""
        outputs = prod(self.output_shape(input_shape))
        if self.mode == "nearest":
            return Cost()
        return (interpolations if self.mode == "bilinear" else cubic_interpolations)(
            outputs, len(input_shape) - 1
        )

    def sees(self, input_size: AnyShape) -> tuple[Seen, ...]:
        """Return what output y depends on: the position nearest rounds to, or the 2 or 4 neighbours of x."""
        sizes = input_sizes(input_size)
        return tuple(
            self._sees(*axis) for axis in zip(sizes, self._resized(sizes), self._ratios(sizes), strict=True)
        )

    def _ratios(self, sizes: Sizes) -> tuple[tuple[int, int], ...]:
        """Return (input, output) lengths per axis whose ratio is 1 to the scale."""
        if self.scale is None:
            return tuple(zip(sizes, self.size or (), strict=True))
        return tuple(each.as_integer_ratio()[::-1] for each in self.scale)

    def _sees(self, n: int, outputs: int, ratio: tuple[int, int]) -> Seen:
        """Return the reach along one axis; x = (step * y + shift) / over."""
        one, many = ratio
        step, shift, over = one, 0, many
        if self.coordinates == "align-corners":
            step, over = (n - 1, outputs - 1) if outputs > 1 else (0, 1)
        elif self.coordinates == "pytorch-half-pixel" and outputs == 1:
            step, over = 0, 1
        elif self.coordinates == "tf-half-pixel":
            step, shift, over = 2 * one, one, 2 * many
        elif self.coordinates == "half-pixel-symmetric":
            # (y + 1/2) / scale - 1/2, plus the offset n/2 * (1 - o / (n * scale)): (y + 1/2 - o/2) / scale + n/2 - 1/2
            step, shift, over = 2 * one, one * (1 - outputs) + many * (n - 1), 2 * many
        elif self.coordinates != "asymmetric":
            step, shift, over = 2 * one, one - many, 2 * many
        if self.mode == "bilinear":
            return Reach(step, over, shift, shift + over - 1)
        if self.mode == "bicubic":
            return Reach(step, over, shift - over, shift + 2 * over)
        if self.rounding == "floor":
            return Reach(step, over, shift, shift)
        if self.rounding == "ceil":
            return Reach(step, over, shift + over - 1, shift + over - 1)
        half = 2 * shift + over - (self.rounding == "half-down")
        return Reach(2 * step, 2 * over, half, half)
