"""Compute the shapes of a network's tensors."""

from collections.abc import Callable, Iterable, Iterator, Mapping

from convcli.errors import ArgumentError
from convcli.layers.axes import Shape, by_axes
from convcli.networks.graph import NamedShape, Node


def tensor_shapes(
    nodes: Iterable[Node], inputs: Mapping[str, Shape], stated: Mapping[str, Shape] | None = None
) -> dict[str, Shape]:
    """Return the whole shape of every tensor whose shape is known.

    inputs : shapes of the network's inputs
    stated : shapes of the outputs of layers that cannot be counted

    Raises
    ------
    ArgumentError
        If the inputs of a node do not fit; the message names the node.

    """
    shapes = dict(inputs)
    for node in nodes:
        given = [shapes[name] for name in node.inputs if name in shapes]
        if not node.layer.counted or len(given) < len(node.inputs):
            shapes |= {name: (stated or {})[name] for name in node.outputs if name in (stated or {})}
            continue
        try:
            made = node.layer.output_shapes(*given)
        except ArgumentError as error:
            described = " and ".join(by_axes(shape) or "a single number" for shape in given)
            raise ArgumentError(f"{node.description} on {described or 'no input'}: {error}") from None
        shapes |= {name: shape for name, shape in zip(node.outputs, made, strict=False) if name}
    return shapes


class OutputShapes(Mapping[str, NamedShape]):
    """The outputs of a network in order, with their shapes, which are computed on first access."""

    def __init__(self, names: Iterable[str], find: Callable[[], Mapping[str, NamedShape]]) -> None:
        self._names = tuple(names)
        self._find = find
        self._found: Mapping[str, NamedShape] | None = None

    def __getitem__(self, name: str) -> NamedShape:
        """Return the whole shape of an output; unknown sizes are names."""
        if name not in self._names:
            raise KeyError(name)
        if self._found is None:
            self._found = self._find()
        return self._found[name]

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names."""
        return iter(self._names)

    def __len__(self) -> int:
        """Return the number of outputs."""
        return len(self._names)

    def __repr__(self) -> str:
        """Format the outputs as a dict."""
        return repr(dict(self))
