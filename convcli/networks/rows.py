"""The table of a network: one row per node with shapes, counts, bytes and receptive field, and the totals.

A chain of layers is treated as a network: `rows`, `parameter_rows` and `totals` use the same code for it.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from convcli.errors import ArgumentError
from convcli.layers.axes import AnyShape, Shape, as_shape, by_axes
from convcli.layers.base import Layer, Window
from convcli.layers.counts import Cost, arithmetic_intensity, element_bytes
from convcli.layers.text.format_layer import format_layer, operator_of
from convcli.networks.bind_shapes import bind_shapes
from convcli.networks.fields import UNSEEN, View, axes, merge, spatial_axes, through, view_of_input
from convcli.networks.graph import BATCH, Graph, Node, numbered

Row = dict[str, Any]  # field name -> number, list of numbers, string or None; ready for JSON

SUMMED = (
    "params",
    "weights",
    "biases",
    "buffers",
    "multiplications",
    "additions",
    "macs",
    "flops",
    "comparisons",
    "transcendentals",
    "parameter_bytes",
    "activation_bytes",
)
# Optional fields: of the roofline and of training.
OPTIONAL_SUMS = (
    "least_seconds",
    "backward_flops",
    "training_flops",
    "gradient_bytes",
    "optimizer_bytes",
    "stored_activation_bytes",
    "training_bytes",
)
INPUT = "input"  # the name of a chain's input


class MisfitError(ArgumentError):
    """The inputs of a node do not fit its layer."""


def network_rows(
    network: Graph,
    shapes: Any = None,
    *,
    batch: int = 1,
    dtype: str = "float32",
    variant: str | None = None,
) -> list[Row]:
    """Return one row per node of a network, with the fields in the order of a table.

    shapes : of the inputs, as `bind_shapes` takes them; inputs with declared shapes may be omitted

    Counts and activation_bytes are for the whole batch; params, buffers and parameter_bytes do not depend on it.
    Buffers are stored but not learned: they count in parameter_bytes, not in params. Numbers that an earlier node
    stores too are counted only there, and `shares_with` names that node. The receptive field is the union over all
    paths from the network's first input to the node; it has no axes if there is no such path. Counts and shapes are
    None for a node that cannot be counted, and for nodes whose input shapes are unknown because of it.
    """
    table = _Table(network, bind_shapes(network, shapes, batch), dtype)
    rows = [table.row(node) | {"variant": variant} for node in network.nodes]
    return [row | _view(table.seen(node)) for node, row in zip(network.nodes, rows, strict=True)]


def network_parameter_rows(
    network: Graph, *, variant: str | None = None, dtype: str = "float32"
) -> list[Row]:
    """Return one row per node with its parameters, which do not depend on shapes."""
    stored = _Stored(element_bytes(dtype))
    return [
        {"name": node.name, "layer": format_layer(node.layer), "variant": variant, **stored.once(node)}
        for node in network.nodes
    ]


def totals(rows: Sequence[Row]) -> Row:
    """Return the totals of the rows; the arithmetic intensity is that of the totals.

    Nodes that could not be counted are left out; `uncounted` is their number, if there are any.
    """
    optional = [key for key in OPTIONAL_SUMS if rows and key in rows[0]]
    keys = [key for key in SUMMED if not rows or key in rows[0]]
    sums: Row = {key: sum(row[key] or 0 for row in rows) for key in (*keys, *optional)}
    if "activation_bytes" not in sums:
        return sums
    moved = sums["parameter_bytes"] + sums["activation_bytes"]
    sums["arithmetic_intensity"] = arithmetic_intensity(sums["flops"], moved) if moved else None
    uncounted = sum(row["flops"] is None for row in rows)
    return {**sums, "uncounted": uncounted} if uncounted else sums


def chain(layers: Iterable[Layer], input_shape: AnyShape, names: Sequence[str] = ()) -> Graph:
    """Return a chain of layers as a network; without `names` the layers are numbered by operator."""
    layers = tuple(layers)
    nodes = chain_nodes(layers, INPUT, names or _numbered(layers))
    through = [node for node in nodes if node.layer.inner is node.layer]
    return Graph("", {INPUT: (BATCH, *input_shape)}, nodes, (through[-1].name if through else INPUT,))


def chain_nodes(layers: Sequence[Layer], tensor: str, names: Sequence[str]) -> list[Node]:
    """Return a chain of layers as nodes, starting from `tensor`.

    The output of a branch is a second input of the layer after it; the chain continues with the branch's input.
    """
    branch, nodes = "", []
    for layer, name in zip(layers, names, strict=True):
        joins = bool(branch) and layer.most_inputs != 1
        nodes.append(Node(name, layer, (tensor, branch) if joins else (tensor,), (name,)))
        if layer.inner is layer:
            tensor, branch = name, ""
        else:
            branch = name
    return nodes


def rows(
    layers: Sequence[Layer],
    input_shape: AnyShape,
    *,
    names: Sequence[str] = (),
    variant: str | None = None,
    batch: int = 1,
    dtype: str = "float32",
) -> list[Row]:
    """Return the rows of a chain of layers for an input of `input_shape`, (channels, *sizes); see `network_rows`."""
    network = chain(layers, as_shape(input_shape), names)
    return network_rows(network, batch=batch, dtype=dtype, variant=variant)


def parameter_rows(
    layers: Sequence[Layer], *, variant: str | None = None, dtype: str = "float32"
) -> list[Row]:
    """Return one row per layer of a chain with its parameters, which do not depend on the input size."""
    return network_parameter_rows(chain(layers, ()), variant=variant, dtype=dtype)


def _numbered(layers: Iterable[Layer]) -> list[str]:
    seen: dict[str, int] = {}
    names = []
    for layer in layers:
        operator = operator_of(layer)
        seen[operator] = seen.get(operator, 0) + 1
        names.append(numbered(operator, seen[operator]))
    return names


class _Stored:
    """The numbers that nodes store, each counted once."""

    def __init__(self, bytes_each: int) -> None:
        self.bytes_each = bytes_each
        self._owners: dict[str, str] = {}

    def once(self, node: Node) -> Row:
        """Return what a node stores that no earlier node stores, and the first node that it shares numbers with."""
        layer = node.layer
        counts = {"weights": layer.weights(), "biases": layer.biases(), "buffers": layer.buffers()}
        shares = None
        for kind, names in zip(counts, (node.weights[:1], node.weights[1:2], node.weights[2:]), strict=True):
            owners = [self._owners.setdefault(name, node.name) for name in names]
            if counts[kind] and owners and node.name not in owners:
                counts[kind], shares = 0, shares or owners[0]
        params = counts["weights"] + counts["biases"]
        stored = (params + counts["buffers"]) * self.bytes_each
        return {"params": params, **counts, "parameter_bytes": stored, "shares_with": shares}


class _Table:
    """What is known about the tensors while the nodes are processed in order."""

    def __init__(self, network: Graph, inputs: Mapping[str, Shape], dtype: str) -> None:
        self.network = network
        self.bytes_each = element_bytes(dtype)
        self.stored = _Stored(self.bytes_each)
        self.shapes: dict[str, Shape | None] = dict(inputs)
        self.makers: dict[str, str] = {name: name for name in inputs}
        self.views: dict[str, View] = {}
        # A model may have its channels last: the first layer with a window shows which input axes are spatial.
        self.spatial: tuple[int, ...] | None = None
        self.first = 2 if network.per_item else 1
        for name, shape in inputs.items():
            self.views[name] = view_of_input(shape, self.first)
            break  # receptive fields refer to the first input

    def row(self, node: Node) -> Row:
        """Return a node's row, and remember its outputs."""
        layer = node.layer.inner
        given = [self.shapes[name] for name in node.inputs]
        known = tuple(shape for shape in given if shape is not None)
        counted = len(known) == len(given) and layer.counted
        made = self._made(node, layer, known) if counted else ()
        shapes: tuple[Shape | None, ...] = made or tuple(
            self.network.stated.get(name) for name in node.outputs
        )
        stored = self.stored.once(node)
        shares = stored.pop("shares_with")
        for number, name in enumerate(node.outputs):
            if name:
                self.shapes[name] = shapes[number]
                self.makers[name] = node.name
                self._see(node, layer, number, known if counted else None, name)
        cost = layer.work(*known) if counted else None
        elements = layer.elements(*known) if counted else None
        return {
            "name": node.name,
            "layer": format_layer(node.layer),
            "variant": None,
            "input_shape": self._shown(given[0]) if given else None,
            "output_shape": self._shown(shapes[0]),
            **_geometry(layer, known if counted else ()),
            **self._counts(layer, stored, cost, elements),
            **dict.fromkeys(_view(())),
            "inputs": [self.makers[name] for name in node.inputs],
            "shares_with": shares,
        }

    def seen(self, node: Node) -> View:
        """Return what a node's first output sees along each spatial axis of the input; call it after all rows."""
        view = self.views.get(node.outputs[0], ())
        if self.first > 1 or not view:
            return view
        spatial = range(1, len(view)) if self.spatial is None else self.spatial
        return tuple(view[place] for place in spatial)

    def _made(self, node: Node, layer: Layer, given: tuple[Shape, ...]) -> tuple[Shape, ...]:
        try:
            made = layer.output_shapes(*given)
        except ArgumentError as error:
            if not self.network.name:
                raise
            raise MisfitError(f"{node.description}: {error}; {self._origin(node)}") from None
        if len(made) < len(node.outputs):
            raise MisfitError(
                f"{node.description} makes {len(made)} outputs, but {len(node.outputs)} are named"
            )
        return made

    def _origin(self, node: Node) -> str:
        """Return the shapes of a node's inputs and where they come from, as text."""
        described = []
        for name in node.inputs:
            shape = self.shapes[name]
            size = "a single number" if shape == () else by_axes(self._shown(shape) or ())
            described.append(f"{size} from {self.network.maker(name)}")
        return f"its input{'s are' if len(described) > 1 else ' is'} {', '.join(described)}"

    def _shown(self, shape: Shape | None) -> list[int] | None:
        if shape is None:
            return None
        return list(shape[1:] if self.network.per_item else shape)

    def _see(self, node: Node, layer: Layer, number: int, given: tuple[Shape, ...] | None, name: str) -> None:
        """Store the view of one output, if a path leads to it from the network's first input."""
        seen = [(place, self.views[each]) for place, each in enumerate(node.inputs) if each in self.views]
        made = self.shapes[name]
        if not seen:
            return
        if given is None or made is None:
            self.views[name] = tuple((UNSEEN,) for _ in seen[0][1])
            return
        if self.spatial is None and isinstance(layer, Window):
            self.spatial = spatial_axes(seen[0][1])
        traces = layer.traces(number, *given)
        self.views[name] = merge(
            through(view, traces[place], made) for place, view in seen if place < len(traces)
        )

    def _counts(self, layer: Layer, stored: Row, cost: Cost | None, elements: int | None) -> Row:
        activation_bytes = None if elements is None else elements * self.bytes_each
        counts = dict.fromkeys(vars(Cost())) if cost is None else vars(cost)
        intensity = None
        if cost is not None and activation_bytes is not None:
            moved = (layer.params() + layer.buffers()) * self.bytes_each + activation_bytes
            intensity = arithmetic_intensity(cost.flops, moved) if moved else None
        parameter_bytes = stored.pop("parameter_bytes")
        return {
            **stored,
            **counts,
            "parameter_bytes": parameter_bytes,
            "activation_bytes": activation_bytes,
            "arithmetic_intensity": intensity,
        }


def _geometry(layer: Layer, given: tuple[Shape, ...]) -> Row:
    window = layer if isinstance(layer, Window) else None
    return {
        "padding": [list(pair) for pair in window.pads(given[0][2:])] if window and given else None,
        "kernel_size": list(window.kernel_size) if window else None,
        "stride": list(window.stride) if window else None,
        "dilation": list(window.dilation) if window else None,
        "groups": getattr(layer, "groups", None),
    }


def _view(view: View) -> Row:
    measured = axes(view)
    return {
        "receptive_field": [axis.size for axis in measured],
        "effective_stride": [_plain(axis.stride) for axis in measured],
        "effective_padding": [axis.padding for axis in measured],
        "start": [axis.start for axis in measured],
    }


def _plain(stride: Any) -> int | float | None:
    """Convert a fraction to a float, for JSON."""
    return stride if stride is None or isinstance(stride, int) else float(stride)
