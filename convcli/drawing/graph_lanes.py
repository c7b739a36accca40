"""Where the nodes and edges of a graph are drawn that has a node a line: in lanes, side by side."""

from collections.abc import Sequence
from typing import NamedTuple


class Edge(NamedTuple):
    """An edge from one line to a later one, and the lane in which it goes down between them."""

    start: int
    end: int
    lane: int


class Lanes(NamedTuple):
    """The lane of each node, 0 for the longest path, and of each edge; no two things of a line share one."""

    nodes: tuple[int, ...]
    edges: tuple[Edge, ...]

    @property
    def width(self) -> int:
        """How many lanes there are."""
        return 1 + max((*self.nodes, *(edge.lane for edge in self.edges)), default=0)


def lanes(inputs: Sequence[Sequence[int]]) -> Lanes:
    """Lay out a graph whose node `n` takes from the nodes `inputs[n]`, all of them before it.

    A node stays in the lane of the first node that has it as its first user; others, which begin a branch, take a lane
    that is free from the branching on. An edge that passes by other nodes goes down in a lane that is free beside them.

    >>> block = lanes([(), (0,), (1,), (0, 2)])  # a residual block
    >>> block.nodes, [(edge.start, edge.end, edge.lane) for edge in block.edges]
    ((0, 0, 0, 0), [(0, 1, 0), (1, 2, 0), (0, 3, 1), (2, 3, 0)])
    """
    first_user: dict[int, int] = {}
    for number, sources in enumerate(inputs):
        for source in sources:
            first_user.setdefault(source, number)
    taken: list[int] = []  # the line until which each lane is taken
    places: list[int] = []
    edges: list[Edge] = []

    def free(start: int, end: int) -> int:
        """Take the first lane that is free from a line on, until another."""
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
