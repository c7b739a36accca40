"""Layers that sample an input between its elements: at the points of a grid, or in boxes."""

from dataclasses import dataclass
from math import ceil, prod
from typing import Literal, get_args

from convcli.errors import ArgumentError
from convcli.layers.axes import PerAxis, Shape, Sizes, by_axes, per_axis, whole
from convcli.layers.base import Trace
from convcli.layers.counts import Cost, averages, cubic_interpolations, interpolations, maxima
from convcli.layers.tensor_layer import TensorLayer, sized

Mode = Literal["nearest", "bilinear", "bicubic"]
Beyond = Literal["zeros", "border", "reflection"]


@dataclass(frozen=True, init=False)
class GridSample(TensorLayer):
    """Sample one element per grid point, whose coordinates are in [-1, 1] on each axis (PyTorch's grid_sample).

    Jaderberg et al. (2015), "Spatial Transformer Networks", section 3.3. The grid is (N, *output, axes); the order of
    its last axis is width, height.

    mode : nearest copies an element, bilinear interpolates linearly on each axis, bicubic cubically
    beyond : values outside the input: zeros, the nearest element, or the input mirrored
    align_corners : whether -1 and 1 are the centres of the outermost elements; otherwise they are their outer edges

    >>> GridSample().output_shapes((8, 64, 32, 32), (8, 16, 12, 2))
    ((8, 64, 16, 12),)
    """

    mode: Mode
    beyond: Beyond
    align_corners: bool
    fewest_inputs = most_inputs = 2

    def __init__(
        self, mode: Mode = "bilinear", *, beyond: Beyond = "zeros", align_corners: bool = False
    ) -> None:
        for name, value, known in (("mode", mode, get_args(Mode)), ("beyond", beyond, get_args(Beyond))):
            if value not in known:
                raise ArgumentError(f"{name} must be one of {', '.join(known)}, got {value!r}")
        self._set(mode=mode, beyond=beyond, align_corners=bool(align_corners))

    def output_shapes(self, *shapes: Shape) -> tuple[Shape, ...]:
        """Return (N, channels, *the grid's spatial sizes)."""
        given, grid = shapes
        dims = len(given) - 2
        if dims < 1 or len(grid) != len(given) or grid[-1] != dims or grid[0] != given[0]:
            raise ArgumentError(
                f"the grid {sized(grid)} does not fit the input {sized(given)}: it must have the same batch size and "
                f"number of axes, and {max(1, dims)} coordinates per point"
            )
        return ((*given[:2], *grid[1:-1]),)

    def work(self, *shapes: Shape) -> Cost:
        """Count the interpolation per output; computing coordinates is addressing and not counted."""
        (made,) = self.output_shapes(*shapes)
        if self.mode == "nearest":
            return Cost()
        blends = interpolations if self.mode == "bilinear" else cubic_interpolations
        return blends(prod(made), len(made) - 2)

    def traces(self, output: int, *shapes: Shape) -> tuple[tuple[Trace, ...], ...]:
        """Return the batch and channel axes; which positions are seen depends on the grid."""
        given, grid = shapes
        seen = tuple(Trace(axis, None) for axis in range(2, len(given)))
        of_grid = (Trace(0), *(Trace(axis + 1) for axis in range(1, len(grid) - 1)), Trace(None, None))
        return (Trace(0), Trace(1), *seen), of_grid


@dataclass(frozen=True, init=False)
class RoiAlign(TensorLayer):
    """Resample boxes of a feature map to a fixed size: each cell is the mean or maximum of bilinear samples.

    He et al. (2017), "Mask R-CNN", section 3; torchvision's roi_align. Inputs are the feature map (N, C, H, W), the
    boxes (R, 4) as x1, y1, x2, y2, and the batch index (R,) of each box.

    size : output height and width of each box
    scale : factor for the coordinates of the boxes
    samples : samples per cell along each axis; 0 takes one per element that the cell covers, which depends on the boxes
    aligned : whether the boxes are shifted by half an element, so that integer coordinates are edges
    kind : avg or max of the samples

    >>> RoiAlign(7, samples=2).output_shapes((1, 256, 50, 68), (1000, 4), (1000,))
    ((1000, 256, 7, 7),)
    """

    size: Sizes
    scale: float
    samples: int
    aligned: bool
    kind: str
    fewest_inputs = most_inputs = 3

    def __init__(
        self,
        size: PerAxis = 1,
        *,
        scale: float = 1.0,
        samples: int = 0,
        aligned: bool = True,
        kind: str = "avg",
    ) -> None:
        if kind not in ("avg", "max"):
            raise ArgumentError(f"there is no kind {kind!r}; choose avg or max")
        self._set(
            size=per_axis("size", size, 2),
            scale=float(scale),
            samples=whole("samples", samples, 0),
            aligned=bool(aligned),
            kind=kind,
        )

    def output_shapes(self, *shapes: Shape) -> tuple[Shape, ...]:
        """Return (boxes, channels, *size)."""
        given, boxes, items = shapes
        if len(given) != 4 or boxes != (*boxes[:1], 4) or items != boxes[:1]:
            raise ArgumentError(
                f"the map {by_axes(given)}, the boxes {sized(boxes)} and the batch indices {sized(items)} must be "
                "N x C x H x W, R x 4 and R"
            )
        return ((boxes[0], given[1], *self.size),)

    def work(self, *shapes: Shape) -> Cost:
        """Count the samples and their mean or maximum; with samples=0, those of a box as large as the feature map."""
        (made,) = self.output_shapes(*shapes)
        outputs = prod(made)
        each = self.samples**2 or prod(
            ceil(n / size) for n, size in zip(shapes[0][2:], self.size, strict=True)
        )
        together = averages if self.kind == "avg" else maxima
        return interpolations(outputs * each, 2) + together(outputs * each, outputs)

    def traces(self, output: int, *shapes: Shape) -> tuple[tuple[Trace, ...], ...]:
        """Return the channel axis; which positions are seen depends on the boxes."""
        of_map = (Trace(None, None), Trace(1), Trace(2, None), Trace(3, None))
        return of_map, (Trace(0), Trace(None, None)), (Trace(0),)
