"""Where the outputs of a chain lie among its inputs: the middles of what they see, evenly spaced."""

from typing import NamedTuple

from convcli.layers.base import Reach
from convcli.layers.receptive import Path, ReceptiveField


class Centres(NamedTuple):
    """The centres of outputs along one axis, where the first input is centred at 0.5.

    start : of the first output
    step : from one output to the next
    """

    start: float
    step: float


def centres(field: ReceptiveField) -> tuple[Centres | None, ...]:
    """Return where outputs lie along each axis; None where they have no places of their own."""
    return tuple(None if field.flat else _along(path) for path in field.paths)


def _along(path: Path) -> Centres | None:
    """Compose what each layer of a path makes of the middle of what an output sees.

    Between floor((step*y + low) / scale) and floor((step*y + high) / scale) it is (step*y + (low + high) / 2) / scale,
    less what floor takes off: (scale - 1) / 2 of a scale-th, on average over as many outputs. Taps have no floor.
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
