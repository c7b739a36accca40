"""Build networks layer by layer in Python, as the zoo and the file readers do.

>>> from convcli.networks.builder import Builder
>>> g = Builder("tiny", (3, 32, 32), source="an example")
>>> x = g("conv k3 p1 o16 nobias, bn, relu")   # one or more layers, applied to the last tensor: here the input
>>> y = g("conv k3 p1 nobias, bn", x)          # applied to x
>>> x = g("add", y, x)                         # several inputs
>>> with g.scope("head"):                      # the names are head.globalavgpool1, head.flatten1, head.dense1
...     x = g("globalavgpool, flatten, dense o10")
>>> net = g.build()                            # the last tensor is the output by default
>>> net.totals()["params"], [node.name for node in net.nodes][-3:]
(2970, ['head.globalavgpool1', 'head.flatten1', 'head.dense1'])
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from convcli.errors import ArgumentError, instead_of
from convcli.layers.axes import Shape, as_shape, by_axes
from convcli.layers.base import Layer
from convcli.layers.conv import Convolution
from convcli.layers.text.format_layer import format_layer, operator_of
from convcli.networks.graph import BATCH, Node, numbered
from convcli.networks.network import Network

INPUT = "input"


class Builder:
    """A network under construction. Call it with a layer and its inputs; it returns the name of the output tensor.

    name : the name of the network
    input : (channels, *sizes) of its input; add more inputs with `add_input`
    source : the publication that describes the network
    """

    def __init__(self, name: str, input: Sequence[int] | None = None, *, source: str = "") -> None:
        self.name = name
        self.source = source
        self.last = ""
        self._nodes: list[Node] = []
        self._inputs: dict[str, Shape] = {}
        self._shapes: dict[str, Shape] = {}  # whole shapes of one item, (1, channels, *sizes)
        self._makers: dict[str, Node] = {}
        self._counts: dict[str, int] = {}
        self._prefix = ""
        self._kernels: dict[str, str] = {}
        if input is not None:
            self.add_input(INPUT, input)

    def add_input(self, name: str, shape: Sequence[int]) -> str:
        """Add an input of the network, (channels, *sizes), and return its tensor, which becomes the last one."""
        self._inputs[name] = as_shape(shape)
        self._shapes[name] = (1, *self._inputs[name])
        self.last = name
        return name

    @property
    def tensors(self) -> Mapping[str, Shape]:
        """The tensors added so far, with their whole shapes for one item."""
        return self._shapes

    def shape(self, tensor: str | None = None) -> Shape:
        """Return (channels, *sizes) of a tensor, by default the last one."""
        return self._shapes[self.last if tensor is None else tensor][1:]

    def channels(self, tensor: str | None = None) -> int:
        """Return the number of channels of a tensor, by default the last one."""
        return self.shape(tensor)[0]

    @contextmanager
    def scope(self, name: str) -> Iterator[None]:
        """Prefix the names of the layers that are added inside with `name.`; scopes may be nested."""
        before = self._prefix
        self._prefix = f"{before}{name}."
        try:
            yield
        finally:
            self._prefix = before

    def __call__(
        self, layer: str | Layer, *inputs: str, name: str | None = None, weights: str | Sequence[str] = ()
    ) -> str:
        """Add one or more layers, separated by commas, and return the output tensor of the last one.

        layer : text in the grammar of `--layers`, or a record of `convcli.layers`
        inputs : tensors; by default the last one that was added
        name : the name of the node; of several layers, that of the last. By default nodes are numbered by operator
        weights : a name shared by all nodes with the same weights, or separate names of weights, biases and buffers
        """
        made = self._add_all(layer, inputs, name, weights)
        if len(made) != 1:
            raise ArgumentError(f"{layer!r} has {len(made)} outputs; call `outputs` instead")
        return made[0]

    def outputs(
        self, layer: str | Layer, *inputs: str, name: str | None = None, weights: str | Sequence[str] = ()
    ) -> tuple[str, ...]:
        """Add a layer with several outputs, such as split, and return all of them."""
        return self._add_all(layer, inputs, name, weights)

    def kernel(self, text: str) -> None:
        """Use a named kernel as the weight of the last layer, which must be a convolution, when the network runs."""
        node = self._nodes[-1]
        if not isinstance(node.layer, Convolution):
            raise ArgumentError(f"{node.description} takes no kernel {text!r}; only convolutions do")
        self._kernels[f"{node.owner}.weight"] = text

    def build(self, *outputs: str, remarks: Sequence[str] = ()) -> Network:
        """Return the network; its outputs are the given tensors, by default the last one that was added."""
        return Network(
            self.name,
            {name: (BATCH, *shape) for name, shape in self._inputs.items()},
            self._nodes,
            outputs or (self.last,),
            source=self.source,
            remarks=tuple(remarks),
            kernels=self._kernels,
        )

    def _add_all(
        self, layer: str | Layer, inputs: tuple[str, ...], name: str | None, weights: str | Sequence[str]
    ) -> tuple[str, ...]:
        if not isinstance(layer, str):
            return self._add(layer, inputs, name, weights)
        from convcli.layers.text.chain_grammar import split_chain

        *items, last = split_chain(layer)
        for item in items:
            made = self._add_text(item, inputs, None, ())
            inputs = made[:1]
        return self._add_text(last, inputs, name, weights)

    def _add_text(
        self, text: str, inputs: tuple[str, ...], name: str | None, weights: str | Sequence[str]
    ) -> tuple[str, ...]:
        from convcli.layers.deform import Branch, DeformConv
        from convcli.layers.text.chain_grammar import parse_layer

        inputs = self._known(inputs)
        try:
            layer = parse_layer(text, self._shapes[inputs[0]][1:] if inputs else (1,))
        except ArgumentError as error:
            described = f"'{' '.join(text.split())}'"
            raise ArgumentError(f"{described}: {error}; {self._origins(inputs)}") from None
        if isinstance(layer, DeformConv) and len(inputs) == 1:  # the branch that predicts its offsets
            inputs += self._add(Branch(layer=layer.predictor()), inputs, None, ())
        return self._add(layer, inputs, name, weights)

    def _known(self, inputs: tuple[str, ...]) -> tuple[str, ...]:
        """Return the inputs, or the last tensor if there are none; raise ArgumentError if one does not exist."""
        for tensor in inputs:
            if tensor not in self._shapes:
                raise ArgumentError(f"there is no tensor {tensor!r}; {instead_of(tensor, self._shapes)}")
        return inputs or ((self.last,) if self.last else ())

    def _add(
        self, layer: Layer, inputs: tuple[str, ...], name: str | None, weights: str | Sequence[str]
    ) -> tuple[str, ...]:
        inputs = () if layer.most_inputs == 0 else self._known(inputs)
        if len(inputs) < layer.fewest_inputs:
            raise ArgumentError(
                f"'{format_layer(layer)}' takes {layer.fewest_inputs} or more inputs, but has {len(inputs)}; "
                f"{self._origins(inputs)}"
            )
        name = self._prefix + name if name else self._numbered(layer)
        try:
            shapes = layer.inner.output_shapes(*(self._shapes[tensor] for tensor in inputs))
        except ArgumentError as error:
            raise ArgumentError(f"{name} ({format_layer(layer)}): {error}; {self._origins(inputs)}") from None
        tensors = (name,) if len(shapes) == 1 else tuple(f"{name}:{place}" for place in range(len(shapes)))
        node = Node(name, layer, inputs, tensors, _names(weights))
        self._nodes.append(node)
        for tensor, shape in zip(tensors, shapes, strict=True):
            if tensor in self._shapes:
                raise ArgumentError(f"two nodes are called {name!r}; give each a unique name")
            self._shapes[tensor] = shape
            self._makers[tensor] = node
        if layer.inner is layer:  # the output of a branch does not become the last tensor
            self.last = tensors[0]
        return tensors

    def _numbered(self, layer: Layer) -> str:
        operator = self._prefix + operator_of(layer)
        self._counts[operator] = self._counts.get(operator, 0) + 1
        return numbered(operator, self._counts[operator])

    def _origins(self, inputs: Sequence[str]) -> str:
        """Return the shapes of the inputs and the nodes that they come from, as text."""
        described = []
        for tensor in inputs:
            node = self._makers.get(tensor)
            made = f"from {node.name} ({format_layer(node.layer)})" if node else f"from the input {tensor!r}"
            described.append(f"{by_axes(self._shapes[tensor][1:])} {made}")
        return f"its input is {' and '.join(described)}" if described else "it has no input"


def _names(weights: str | Sequence[str]) -> tuple[str, ...]:
    """Return the names of weights, biases and buffers, derived from a single name if only one is given."""
    if isinstance(weights, str):
        return (f"{weights}.weights", f"{weights}.biases", f"{weights}.buffers")
    return tuple(weights)
