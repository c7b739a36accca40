"""Layers that look between the places of an input: where a grid says, or in boxes."""

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
    """An element for each place of a grid, which says where in [-1, 1] it lies on each axis (PyTorch's grid_sample).

    Jaderberg et al. (2015), "Spatial Transformer Networks", section 3.3. The grid is (N, *output, axes), its last axis
    in the order width, height.

    mode : nearest copies, bilinear blends the neighbours on each axis, bicubic four
    beyond : what lies outside: 0, the nearest place, or what is mirrored there
    align_corners : whether -1 and 1 are the centres of the outermost places; otherwise they are their edges

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
                raise ArgumentError(f"{name} {value!r} is not one of {', '.join(known)}")
        self._set(mode=mode, beyond=beyond, align_corners=bool(align_corners))

    def output_shapes(self, *shapes: Shape) -> tuple[Shape, ...]:
        """Return (N, channels, *the places of the grid)."""
        given, grid = shapes
        dims = len(given) - 2
        if dims < 1 or len(grid) != len(given) or grid[-1] != dims or grid[0] != given[0]:
            raise ArgumentError(
                f"the grid {sized(grid)} does not fit the input {sized(given)}: it has as many items and axes, and "
                f"{max(1, dims)} numbers for each place"
            )
        return ((*given[:2], *grid[1:-1]),)

    def work(self, *shapes: Shape) -> Cost:
        """Count the blends of each output; the places are addresses."""
        (made,) = self.output_shapes(*shapes)
        if self.mode == "nearest":
            return Cost()
        blends = interpolations if self.mode == "bilinear" else cubic_interpolations
        return blends(prod(made), len(made) - 2)

    def traces(self, output: int, *shapes: Shape) -> tuple[tuple[Trace, ...], ...]:
        """Return the items and channels; it depends on the grid which places are seen."""
        given, grid = shapes
        seen = tuple(Trace(axis, None) for axis in range(2, len(given)))
        of_grid = (Trace(0), *(Trace(axis + 1) for axis in range(1, len(grid) - 1)), Trace(None, None))
        return (Trace(0), Trace(1), *seen), of_grid


@dataclass(frozen=True, init=False)
class RoiAlign(TensorLayer):
    """Boxes of a feature map, each brought to one size: cells of mean or largest bilinear samples.

    He et al. (2017), "Mask R-CNN", section 3; torchvision's roi_align. Inputs are the map (N, C, H, W), the boxes
    (R, 4) as x1, y1, x2, y2, and which item each is of.

    size : height and width that each box gets
    scale : what the numbers of the boxes are multiplied by
    samples : of a cell along an axis; 0 takes as many as the cell has places, which depends on the boxes
    aligned : whether the boxes are moved by half a place, so that whole numbers are edges
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
            raise ArgumentError(f"kind {kind!r} is not one of avg, max")
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
                f"the map {by_axes(given)}, the boxes {sized(boxes)} and the items {sized(items)} must be "
                "N x C x H x W, R x 4 and R"
            )
        return ((boxes[0], given[1], *self.size),)

    def work(self, *shapes: Shape) -> Cost:
        """Count the samples, those of a box as large as the map where the boxes tell how many, and what they become."""
        (made,) = self.output_shapes(*shapes)
        outputs = prod(made)
        each = self.samples**2 or prod(
            ceil(n / size) for n, size in zip(shapes[0][2:], self.size, strict=True)
        )
        together = averages if self.kind == "avg" else maxima
        return interpolations(outputs * each, 2) + together(outputs * each, outputs)

    def traces(self, output: int, *shapes: Shape) -> tuple[tuple[Trace, ...], ...]:
        """Return the channels; it depends on the boxes which places are seen."""
        of_map = (Trace(None, None), Trace(1), Trace(2, None), Trace(3, None))
        return of_map, (Trace(0), Trace(None, None)), (Trace(0),)
