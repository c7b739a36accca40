"""Lay out a graph that is drawn with one node per line: the lanes of nodes and edges, side by side."""

from collections.abc import Sequence
from typing import NamedTuple


class Edge(NamedTuple):
    """An edge from one line to a later one, and the lane in which it runs between them."""

    start: int
    end: int
    lane: int


class Lanes(NamedTuple):
    """The lanes of nodes, 0 for the longest path, and of edges; no two objects on a line share a lane."""

    nodes: tuple[int, ...]
    edges: tuple[Edge, ...]

    @property
    def width(self) -> int:
        """The number of lanes."""
        return 1 + max((*self.nodes, *(edge.lane for edge in self.edges)), default=0)


def lanes(inputs: Sequence[Sequence[int]]) -> Lanes:
    """Lay out a graph whose node `n` takes the outputs of the nodes `inputs[n]`, all of which come before it.

    A node stays in the lane of its first input that no earlier node uses. Other nodes, which start a branch, take a
    lane that is free from the branching point on. An edge that passes other nodes runs in a lane that is free next to
    them.

    >>> block = lanes([(), (0,), (1,), (0, 2)])  # a residual block
    >>> block.nodes, [(edge.start, edge.end, edge.lane) for edge in block.edges]
    ((0, 0, 0, 0), [(0, 1, 0), (1, 2, 0), (0, 3, 1), (2, 3, 0)])
    """
    first_user: dict[int, int] = {}
    for number, sources in enumerate(inputs):
        for source in sources:
            first_user.setdefault(source, number)
    taken: list[int] = []  # the line up to which each lane is occupied
    places: list[int] = []
    edges: list[Edge] = []

    def free(start: int, end: int) -> int:
        """Return the first lane that is free from line `start` on, and occupy it until line `end`."""
        lane = next((lane for lane, until in enumerate(taken) if until <= start), len(taken))
        if lane == len(taken):
            taken.append(0)
        taken[lane] = end
        return lane

    for number, sources in enumerate(inputs):
        led = [source for source in sources if first_user[source] == number]
        until = first_user.get(number, number)
        if led:
            place = min(places[source] for source in led)
            taken[place] = max(taken[place], until)
        else:
            place = free(min(sources, default=number - 1), max(until, number))
        places.append(place)
        for source in sources:
            if source in led:
                lane = places[source]
            elif not led and source == min(sources):
                lane = place
            else:
                lane = free(source, number)
            edges.append(Edge(source, number, lane))
    return Lanes(tuple(places), tuple(edges))
