"""The receptive field of every tensor of a network: the largest over all paths from its first input.

For each axis of the input a tensor has strands: what its places see of it, and along which of its own axes. After an
addition of branches they are merged where their reaches have one stride, and dropped where another strand sees all that
they see; what is left, such as a squeeze-and-excite beside the layer that it scales, is kept side by side.
"""

from collections.abc import Iterable, Sequence
from math import prod
from typing import NamedTuple

from convcli.layers.axes import Shape
from convcli.layers.base import ITSELF, Reach, Taps, Trace
from convcli.layers.receptive import Axis, Path, extend, field_of, measure, widen

MOST_STRANDS = 8  # side by side; beyond, the field is not defined
MOST_LINKS = 64  # of a path that cannot be merged; beyond, the field is not defined
MOST_COMPARED = 64  # outputs after which two patterns must repeat for one to be found in the other


class Strand(NamedTuple):
    """How a tensor sees one axis of the network's input.

    path : what an output sees, from the input on; None if it depends on the data
    axis : the tensor's axis along which the outputs lie; None if none is left
    places : outputs along it, kept when they are flattened
    flat : whether the axis holds others, too
    """

    path: Path
    axis: int | None
    places: int
    flat: bool = False


UNSEEN = Strand(None, None, 1)  # of what depends on the data, or cannot be told
View = tuple[tuple[Strand, ...], ...]  # strands for each axis of the network's input


def view_of_input(shape: Shape, first: int = 2) -> View:
    """Return the view of the input itself: every place of each axis from `first` on sees itself.

    Of (N, channels, *spatial) these are the spatial axes.
    """
    return tuple((Strand((ITSELF,), axis, n),) for axis, n in enumerate(shape) if axis >= first)


def spatial_axes(view: View) -> tuple[int, ...]:
    """Return which of the viewed axes of the input are the spatial ones of a tensor, (N, channels, *spatial)."""
    return tuple(
        place
        for place, strands in enumerate(view)
        if any(not strand.flat and strand.axis is not None and strand.axis > 1 for strand in strands)
    )


def through(view: View, traces: Sequence[Trace], made: Shape) -> View:
    """Return the view after a layer, which makes an output of shape `made` with these traces."""
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
    if path is not None and len(path) > MOST_LINKS:
        path = None
    flat = flat or trace.flat or trace.axis is None
    if not flat and trace.axis is not None:
        places = made[trace.axis]
    return Strand(path, trace.axis, places, flat)


def merge(views: Iterable[View]) -> View:
    """Return the view of a tensor that is made of several: what any of them sees."""
    first, *others = views
    if all(other == first for other in others):
        return first
    return tuple(
        _distinct(strand for strands in axis for strand in strands)
        for axis in zip(first, *others, strict=True)
    )


def _distinct(strands: Iterable[Strand]) -> tuple[Strand, ...]:
    """Return strands of which none sees only what another does."""
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
    if len(kept) > MOST_STRANDS:
        return (kept[0]._replace(path=None),)
    return tuple(kept)


def _joined(one: Strand, two: Strand) -> Strand | None:
    """Return one strand that sees what both do, or None if there is none."""
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
    """Return whether every output of one path sees from the first to the last of what it sees by another.

    Where both move by as much from output to output, one period tells.
    """
    steps = [prod(link.step for link in path) for path in (one, two)]
    scales = [prod(link.scale for link in path) for path in (one, two)]
    if steps[0] * scales[1] != steps[1] * scales[0] or scales[0] * scales[1] > MOST_COMPARED**2:
        return False
    period = max(scales) if max(scales) % min(scales) == 0 else scales[0] * scales[1]
    if period > MOST_COMPARED:
        return False
    for output in range(period):
        outer, inner = field_of(one, output), field_of(two, output)
        if inner is not None and (outer is None or outer[0] > inner[0] or outer[1] < inner[1]):
            return False
    return True


def axes(view: View) -> tuple[Axis, ...]:
    """Return the numbers for each axis of the network's input: those of the strand that sees the most.

    The stride is that of the strands that have one, where they agree.
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
