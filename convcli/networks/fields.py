"""The receptive field of every tensor of a network: the union over all paths from its first input.

For each axis of the input a tensor has strands, which describe what its positions see along that axis, and along which
axis of the tensor they vary. When branches are added, strands are merged if their reaches have the same stride, and
dropped if another strand sees everything that they see. Other strands are kept side by side, for example a
squeeze-and-excite branch and the layer that it scales.
"""

from collections.abc import Iterable, Sequence
from math import prod
from typing import NamedTuple

from convcli.layers.axes import Shape
from convcli.layers.base import ITSELF, Reach, Taps, Trace
from convcli.layers.receptive import Axis, Path, extend, field_of, measure, widen

MAX_STRANDS = 8  # with more strands the field is undefined
MAX_LINKS = 64  # of a path that cannot be merged; with more the field is undefined
MAX_COMPARED = 64  # largest period, in outputs, up to which two patterns are compared


class Strand(NamedTuple):
    """How a tensor sees one axis of the network's input.

    path : what an output sees, from the input on; None if it depends on the data
    axis : the tensor's axis along which the outputs lie; None if it was removed
    places : number of outputs along it, kept when they are flattened
    flat : whether the axis also holds other axes
    """

    path: Path
    axis: int | None
    places: int
    flat: bool = False


UNSEEN = Strand(None, None, 1)  # depends on the data, or is unknown
View = tuple[tuple[Strand, ...], ...]  # the strands for each axis of the network's input


def view_of_input(shape: Shape, first: int = 2) -> View:
    """Return the view of the input itself: each position of each axis from `first` on sees itself.

    For (N, channels, *spatial) the default selects the spatial axes.
    """
    return tuple((Strand((ITSELF,), axis, n),) for axis, n in enumerate(shape) if axis >= first)


def spatial_axes(view: View) -> tuple[int, ...]:
    """Return the viewed axes of the input that are spatial axes of a tensor (N, channels, *spatial)."""
    return tuple(
        place
        for place, strands in enumerate(view)
        if any(not strand.flat and strand.axis is not None and strand.axis > 1 for strand in strands)
    )


def through(view: View, traces: Sequence[Trace], made: Shape) -> View:
    """Return the view after a layer with these traces, whose output has the shape `made`."""
    return tuple(_distinct(_follow(strand, traces, made) for strand in strands) for strands in view)


def _follow(strand: Strand, traces: Sequence[Trace], made: Shape) -> Strand:
    path, axis, places, flat = strand
    if axis is None:
        return strand
    trace = traces[axis]
    if trace.seen == "whole":
        path, places = extend(path, Reach(0, 1, 0, places - 1)), 1
    elif trace.seen is None:
        path = None
    elif not flat and trace.seen != ITSELF:
        path = extend(path, trace.seen)
    if path is not None and len(path) > MAX_LINKS:
        path = None
    flat = flat or trace.flat or trace.axis is None
    if not flat and trace.axis is not None:
        places = made[trace.axis]
    return Strand(path, trace.axis, places, flat)


def merge(views: Iterable[View]) -> View:
    """Return the view of a tensor that is computed from several: the union of what they see."""
    first, *others = views
    if all(other == first for other in others):
        return first
    return tuple(
        _distinct(strand for strands in axis for strand in strands)
        for axis in zip(first, *others, strict=True)
    )


def _distinct(strands: Iterable[Strand]) -> tuple[Strand, ...]:
    """Return the strands without those that see only what another strand sees."""
    kept: list[Strand] = []
    for strand in strands:
        if strand.path is None:
            return (strand,)
        for place, other in enumerate(kept):
            joined = _joined(other, strand)
            if joined is not None:
                kept[place] = joined
                break
        else:
            kept.append(strand)
    if len(kept) > MAX_STRANDS:
        return (kept[0]._replace(path=None),)
    return tuple(kept)


def _joined(one: Strand, two: Strand) -> Strand | None:
    """Return one strand that sees the union of two, or None if there is none."""
    if one.path == two.path and one.path is not None:
        return one if one.axis is not None else two
    if one.axis != two.axis or one.path is None or two.path is None:
        return None
    wide = widen(one.path, two.path)
    if wide is not None:
        return one._replace(path=wide)
    if _contains(one.path, two.path):
        return one
    return two if _contains(two.path, one.path) else None


def _contains(one: tuple[Reach | Taps, ...], two: tuple[Reach | Taps, ...]) -> bool:
    """Return whether each output of one path sees at least the range that it sees by another path.

    If both move by the same distance per output, comparing one period is enough.
    """
    steps = [prod(link.step for link in path) for path in (one, two)]
    scales = [prod(link.scale for link in path) for path in (one, two)]
    if steps[0] * scales[1] != steps[1] * scales[0] or scales[0] * scales[1] > MAX_COMPARED**2:
        return False
    period = max(scales) if max(scales) % min(scales) == 0 else scales[0] * scales[1]
    if period > MAX_COMPARED:
        return False
    for output in range(period):
        outer, inner = field_of(one, output), field_of(two, output)
        if inner is not None and (outer is None or outer[0] > inner[0] or outer[1] < inner[1]):
            return False
    return True


def axes(view: View) -> tuple[Axis, ...]:
    """Return the receptive field along each axis of the network's input: that of the strand that sees the most.

    The stride is the common stride of the strands that have one, or None if they differ.
    """
    return tuple(_axis(strands) for strands in view)


def _axis(strands: Sequence[Strand]) -> Axis:
    measured = [measure(strand.path, strand.flat) for strand in strands]
    if len(measured) == 1:
        return measured[0]
    strides = {axis.stride for axis in measured} - {None}
    stride = strides.pop() if len(strides) == 1 else None
    if any(axis.size is None for axis in measured):
        return Axis(stride=stride)
    return max(measured, key=lambda axis: axis.size or 0)._replace(stride=stride)
