"""The shapes of a network's tensors."""

from collections.abc import Callable, Iterable, Iterator, Mapping

from convcli.errors import ArgumentError
from convcli.layers.axes import Shape, by_axes
from convcli.networks.graph import NamedShape, Node


def tensor_shapes(
    nodes: Iterable[Node], inputs: Mapping[str, Shape], stated: Mapping[str, Shape] | None = None
) -> dict[str, Shape]:
    """Return the whole shape of every tensor that is known.

    inputs : of the network
    stated : of the outputs of layers that cannot be counted

    Raises
    ------
    ArgumentError
        With the node whose inputs do not fit.

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
            told = " and ".join(by_axes(shape) or "one number" for shape in given)
            raise ArgumentError(f"{node.told} on {told or 'nothing'}: {error}") from None
        shapes |= {name: shape for name, shape in zip(node.outputs, made, strict=False) if name}
    return shapes


class OutputShapes(Mapping[str, NamedShape]):
    """The outputs of a network in order, and their shapes, which are computed when they are asked for."""

    def __init__(self, names: Iterable[str], find: Callable[[], Mapping[str, NamedShape]]) -> None:
        self._names = tuple(names)
        self._find = find
        self._found: Mapping[str, NamedShape] | None = None

    def __getitem__(self, name: str) -> NamedShape:
        """Return the whole shape of an output; sizes that are not known are names."""
        if name not in self._names:
            raise KeyError(name)
        if self._found is None:
            self._found = self._find()
        return self._found[name]

    def __iter__(self) -> Iterator[str]:
        """Go through the names."""
        return iter(self._names)

    def __len__(self) -> int:
        """Count the outputs."""
        return len(self._names)

    def __repr__(self) -> str:
        """Show them as a dict."""
        return repr(dict(self))
