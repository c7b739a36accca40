"""Pooling layers: windows without weights, with PyTorch's options and defaults."""

from dataclasses import dataclass
from math import inf, prod
from typing import Literal, cast

from convcli.errors import ArgumentError
from convcli.layers.axes import (
    AnyShape,
    OpenShape,
    PerAxis,
    Shape,
    Sizes,
    as_shape,
    axis_names,
    by_axes,
    infer_dims,
    input_sizes,
    per_axis,
    split_shape,
    whole,
)
from convcli.layers.base import Layer, Reach, Seen, Window
from convcli.layers.counts import Cost, adaptive_elements, averages, maxima, norms
from convcli.layers.padding import AnyPadding, Padding, span

Kind = Literal["avg", "max"]
KINDS = ("avg", "max")
MAX_NORM = 1e6  # largest finite p of a p-norm; a larger p gives the maximum to the last digit


def check_norm(p: float) -> float:
    """Return the p of a p-norm, or raise ArgumentError if it is out of range."""
    if not p > 0:
        raise ArgumentError(f"the p of a p-norm must be above 0, got {p}")
    if MAX_NORM < p < inf:
        raise ArgumentError(
            f"the p of a p-norm must be at most {MAX_NORM:g}, or inf for the maximum, got {p}"
        )
    return p


class Pool(Window):
    """The base of pooling layers with a window, which pool each channel separately."""

    lies_side_by_side = True

    def _set_pool(
        self,
        kernel_size: PerAxis,
        stride: PerAxis | None,
        padding: AnyPadding,
        dilation: PerAxis,
        ceil_mode: bool,
        dims: int | None,
    ) -> None:
        """Set the fields; the padding must be less than the kernel's span, so that no window sees only padding.

        This is ONNX's rule; PyTorch rejects padding of more than half the kernel.
        """
        self._set_window(kernel_size, stride, padding, dilation, dims)
        self._set(ceil_mode=bool(ceil_mode))
        if isinstance(self.padding, str):
            return  # `same` never pads that much
        for axis, (pair, k, d) in enumerate(zip(self.padding, self.kernel_size, self.dilation, strict=True)):
            if max(pair) >= span(k, d):
                raise ArgumentError(
                    f"padding {max(pair)} along the {axis_names(self.dims)[axis]} would put whole windows into the "
                    f"padding: the kernel spans {span(k, d)}; pad by at most {span(k, d) - 1}, or take a larger kernel"
                )

    def output_shape(self, input_shape: AnyShape) -> Shape:
        """Return (channels, *output size)."""
        channels, size = split_shape(input_shape)
        return (channels, *self.output_size(size))

    def _open_shape(self, input_shape: OpenShape) -> OpenShape:
        return (input_shape[0], *(None,) * self.dims)

    def _windows(self, input_shape: AnyShape) -> tuple[int, int]:
        """Return the numbers of window elements and windows; padded elements count as real ones."""
        windows = prod(self.output_shape(input_shape))
        return windows * prod(self.kernel_size), windows


@dataclass(frozen=True, init=False)
class MaxPool(Pool):
    """Max pooling: the largest element of each window.

    >>> MaxPool(kernel_size=3, stride=2, padding=1).output_shape((64, 112, 112))
    (64, 56, 56)
    """

    kernel_size: Sizes
    stride: Sizes
    padding: Padding
    dilation: Sizes
    ceil_mode: bool

    def __init__(
        self,
        kernel_size: PerAxis,
        *,
        stride: PerAxis | None = None,
        padding: AnyPadding = 0,
        dilation: PerAxis = 1,
        ceil_mode: bool = False,
        dims: int | None = None,
    ) -> None:
        self._set_pool(kernel_size, stride, padding, dilation, ceil_mode, dims)

    def cost(self, input_shape: AnyShape) -> Cost:
        """Count prod(k) - 1 comparisons per output."""
        return maxima(*self._windows(input_shape))


@dataclass(frozen=True, init=False)
class AvgPool(Pool):
    """Average pooling: the mean of each window, over its real elements only if not count_include_pad."""

    kernel_size: Sizes
    stride: Sizes
    padding: Padding
    dilation: Sizes
    ceil_mode: bool
    count_include_pad: bool

    def __init__(
        self,
        kernel_size: PerAxis,
        *,
        stride: PerAxis | None = None,
        padding: AnyPadding = 0,
        dilation: PerAxis = 1,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        dims: int | None = None,
    ) -> None:
        self._set_pool(kernel_size, stride, padding, dilation, ceil_mode, dims)
        self._set(count_include_pad=bool(count_include_pad))

    def cost(self, input_shape: AnyShape) -> Cost:
        """Count prod(k) - 1 additions and one division per output."""
        return averages(*self._windows(input_shape))


@dataclass(frozen=True, init=False)
class LpPool(Pool):
    """Lp pooling: the p-norm of each window, (sum |x|^p)^(1/p) with p = norm_type; the largest |x| if p is infinite."""

    norm_type: float
    kernel_size: Sizes
    stride: Sizes
    padding: Padding
    dilation: Sizes
    ceil_mode: bool

    def __init__(
        self,
        norm_type: float,
        kernel_size: PerAxis,
        *,
        stride: PerAxis | None = None,
        padding: AnyPadding = 0,
        dilation: PerAxis = 1,
        ceil_mode: bool = False,
        dims: int | None = None,
    ) -> None:
        self._set(norm_type=check_norm(norm_type))
        self._set_pool(kernel_size, stride, padding, dilation, ceil_mode, dims)

    def cost(self, input_shape: AnyShape) -> Cost:
        """Count the powers, the sum and the root per output; an infinite p only compares."""
        if self.norm_type == inf:
            return maxima(*self._windows(input_shape))
        return norms(*self._windows(input_shape), self.norm_type)


def _pooled(kind: Kind, elements: int, outputs: int) -> Cost:
    return maxima(elements, outputs) if kind == "max" else averages(elements, outputs)


def _kind(kind: str) -> Kind:
    if kind not in KINDS:
        raise ArgumentError(f"there is no kind {kind!r} of pooling; choose one of {', '.join(KINDS)}")
    return cast(Kind, kind)


@dataclass(frozen=True, init=False)
class AdaptivePool(Layer):
    """Pooling to a fixed output size: window i of o is [floor(i*n/o), ceil((i+1)*n/o))."""

    output_size: Sizes
    kind: Kind

    def __init__(self, output_size: PerAxis, *, kind: Kind = "avg", dims: int | None = None) -> None:
        dims = whole("dims", infer_dims(output_size) if dims is None else dims, 1)
        self._set(output_size=per_axis("output_size", output_size, dims), kind=_kind(kind))

    def output_shape(self, input_shape: AnyShape) -> Shape:
        """Return (channels, *output_size)."""
        channels, size = split_shape(input_shape)
        if len(size) != len(self.output_size):
            raise ArgumentError(
                f"the input size {by_axes(size) or '()'} has {len(size)} axes but "
                f"the output size {by_axes(self.output_size)} has {len(self.output_size)}"
            )
        return (channels, *self.output_size)

    def _open_shape(self, input_shape: OpenShape) -> OpenShape:
        return (input_shape[0], *self.output_size)

    def cost(self, input_shape: AnyShape) -> Cost:
        """Count the maximum or mean of each window; windows overlap if the output size does not divide the input's."""
        outputs = prod(self.output_shape(input_shape))
        channels, size = split_shape(input_shape)
        return _pooled(self.kind, channels * adaptive_elements(size, self.output_size), outputs)

    def sees(self, input_size: AnyShape) -> tuple[Seen, ...]:
        """Return the windows of each axis; if there is only one, its step is 0."""
        return tuple(
            Reach(n, o, 0, n - 1) if o > 1 else Reach(0, 1, 0, n - 1)
            for n, o in zip(input_sizes(input_size), self.output_size, strict=True)
        )


@dataclass(frozen=True, init=False)
class GlobalPool(Layer):
    """Global pooling: the mean or the maximum of each channel over all positions."""

    kind: Kind

    def __init__(self, kind: Kind = "avg") -> None:
        self._set(kind=_kind(kind))

    def output_shape(self, input_shape: AnyShape) -> Shape:
        """Return (channels, 1, ..., 1)."""
        channels, size = split_shape(input_shape)
        return (channels, *(1 for _ in size))

    def _open_shape(self, input_shape: OpenShape) -> OpenShape:
        return (input_shape[0], *(1 for _ in input_shape[1:]))

    def cost(self, input_shape: AnyShape) -> Cost:
        """Count the maximum or the mean of each channel."""
        return _pooled(self.kind, prod(as_shape(input_shape)), prod(self.output_shape(input_shape)))

    def sees(self, input_size: AnyShape) -> tuple[Seen, ...]:
        """Return the whole input; a single output has the step 0."""
        return tuple(Reach(0, 1, 0, n - 1) for n in input_sizes(input_size))
