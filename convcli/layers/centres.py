"""The centres of a chain's outputs in input coordinates: evenly spaced centres of their receptive fields."""

from typing import NamedTuple

from convcli.layers.base import Reach
from convcli.layers.receptive import Path, ReceptiveField


class Centres(NamedTuple):
    """The centres of the outputs along one axis; the centre of the first input is at 0.5.

    start : centre of the first output
    step : distance from one output to the next
    """

    start: float
    step: float


def centres(field: ReceptiveField) -> tuple[Centres | None, ...]:
    """Return the centres along each axis; None for an axis along which outputs have no position of their own."""
    return tuple(None if field.flat else _along(path) for path in field.paths)


def _along(path: Path) -> Centres | None:
    """Compose the centres of what an output sees through the layers of a path.

    An output of a `Reach` sees floor((step*y + low) / scale) to floor((step*y + high) / scale). The centre is
    (step*y + (low + high) / 2) / scale, less (scale - 1) / 2 / scale, which is what the floors remove on average.
    `Taps` have no floor.
    """
    if path is None:
        return None
    middle, spacing = 0.0, 1.0
    for seen in reversed(path):
        if isinstance(seen, Reach):
            first = (seen.low + seen.high) / 2 - (seen.scale - 1) / 2
        else:
            first = seen.low + seen.gap * (seen.number - 1) / 2
        middle = (seen.step * middle + first) / seen.scale
        spacing *= seen.step / seen.scale
    return Centres(middle + 0.5, spacing) if spacing else None
