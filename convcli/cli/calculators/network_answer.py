"""The answer for a whole network: a row for each node, the totals, and lines that explain them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from convcli import __version__
from convcli.cli.options.layer_options import LayerOptions
from convcli.cli.options.network_options import NetworkOptions
from convcli.errors import cut
from convcli.networks.rows import Row, totals
from convcli.render import Answer, with_prefix

if TYPE_CHECKING:
    from convcli.cli.options.cost_options import CostOptions
    from convcli.drawing.scene import Scene
    from convcli.networks.graph import Graph
    from convcli.networks.network import Network

OF_ONE_LAYER = (  # fields that are None in the row of a whole network
    "name",
    "padding",
    "kernel_size",
    "stride",
    "dilation",
    "groups",
    "inputs",
    "shares_with",
    "bound",
)

MAX_NAMED = 10  # nodes or operators that a line names


def network_answer(
    command: str,
    options: NetworkOptions,
    layer: LayerOptions,
    columns: Sequence[str],
    value: str,
    *,
    shapeless: bool = False,
    more: "CostOptions | None" = None,
) -> Answer:
    """Return the table of a network, for the batch and the dtype of the layer options.

    shapeless : whether the answer does not need the size of the input
    more : options for additional fields of the cost
    """
    batch, dtype = layer.batch, layer.dtype
    network = options.load()
    rows = network_rows(network, batch, dtype, shapeless=shapeless)
    if more is not None:
        rows = more.extended(rows, network.at(batch=batch), network.shapes(batch=batch), dtype)
    whole = network_result(network, rows)
    stored = any(row["buffers"] for row in rows)
    return Answer(
        command=command,
        version=__version__,
        rows=rows,
        results=[whole],
        totals=totals(rows),
        columns=[name for name in columns if name != "buffers" or stored],
        value=(value,),
        remarks=[*remarks(network, rows, whole, batch, dtype), *(more.lines(rows) if more else ())],
        draw=lambda: picture(command, network, rows, network.name),
    )


def picture(command: str, network: "Graph", rows: Sequence[Row], title: str) -> "Scene":
    """Return the drawing of the rows of a network."""
    from convcli.drawing.network_drawing import network_scene

    return network_scene(command, network, rows, totals(rows), title)


def network_rows(network: "Network", batch: int, dtype: str, *, shapeless: bool = False) -> list[Row]:
    """Return a row for each node, with the same fields as the rows of a layer."""
    if shapeless and any(isinstance(n, str) for shape in network.inputs.values() for n in shape[1:]):
        return [row | {"batch": batch, "dtype": dtype} for row in network.parameter_rows(dtype=dtype)]
    made = network.rows(batch=batch, dtype=dtype)
    first = 0 if network.per_item else 1
    return [row | _sizes(row, first) | {"batch": batch, "dtype": dtype} for row in made]


def _sizes(row: Row, first: int) -> Row:
    before, after = ((row[name] or [])[first:] for name in ("input_shape", "output_shape"))
    return {
        "in_channels": before[0] if before else None,
        "input_size": before[1:] or before or None,
        "output_size": after[1:] or after or None,
    }


def network_result(network: "Network", rows: Sequence[Row]) -> Row:
    """Return the answer for a network in one row: its input, its output and the totals; `layer` is its name."""
    if not rows:
        return {"name": None, "layer": network.name, **totals(rows)}
    makers = {tensor: number for number, node in enumerate(network.nodes) for tensor in node.outputs}
    last = rows[makers.get(next(iter(network.outputs)), len(rows) - 1)]
    return whole_row(rows, last, network.name)


def whole_row(rows: Sequence[Row], last: Row, name: str) -> Row:
    """Combine the rows of several layers in one: the input of the first, the output of the last, and the totals.

    Fields that describe a single layer are None.
    """
    entry: Row = {key: rows[0][key] for key in ("in_channels", "input_size", "input_shape") if key in rows[0]}
    single: Row = {key: None for key in OF_ONE_LAYER if key in rows[0]}
    return {**last, **single, **entry, **totals(rows), "layer": name}


def remarks(network: "Network", rows: Sequence[Row], whole: Row, batch: int, dtype: str) -> list[str]:
    """Return lines about the network, its total cost, and what is not counted."""
    lines = [f"{network.name}: {network.source}"] if network.source else [network.name]
    if "macs" in whole:
        shape = ", ".join(f"{name} {_times(shape)}" for name, shape in network.shapes(batch=batch).items())
        lines.append(
            f"{shape}: {with_prefix(whole['macs'])}MACs, {with_prefix(whole['flops'])}FLOPs; also "
            f"{whole['comparisons']:,} comparisons, {whole['transcendentals']:,} transcendental functions"
        )
        lines.append(
            f"memory, {dtype}: {whole['parameter_bytes']:,} bytes of parameters and buffers, "
            f"{whole['activation_bytes']:,} of activations that the layers read and write"
        )
    lines += network.remarks
    shared = [f"{row['name']} ({row['shares_with']})" for row in rows if row["shares_with"]]
    if shared:
        lines.append(f"parameters counted in an earlier node: {_named(shared)}")
    return lines + uncounted(network, rows)


def uncounted(network: "Network", rows: Sequence[Row]) -> list[str]:
    """Return lines about the operators that cannot be counted, and the nodes after them with unknown shapes."""
    unknown: dict[str, int] = {}
    for node in network.nodes:
        if not node.layer.counted:
            operator = str(vars(node.layer)["operator"])
            unknown[operator] = unknown.get(operator, 0) + 1
    if not unknown:
        return []
    nodes, count = len(rows), sum(unknown.values())
    listed = _named([f"{operator} ({number})" for operator, number in unknown.items()])
    lacking = "the totals do not include them"
    if "macs" not in rows[0]:
        lacking = "the totals do not include their parameters"
    lines = [f"not counted: {listed}: {count:,} of {nodes:,} nodes, {count / nodes:.1%}; {lacking}"]
    later = sum(row.get("macs", 0) is None for row in rows) - count
    if later > 0:
        lines.append(f"not counted either: {later:,} nodes after them, whose shapes are unknown")
    return lines


def _named(names: Sequence[str]) -> str:
    more = len(names) - MAX_NAMED
    listed = ", ".join(cut(name, 80) for name in names[:MAX_NAMED])
    return f"{listed} and {more:,} more" if more > 0 else listed


def _times(shape: Sequence[int]) -> str:
    return "x".join(map(str, shape)) or "one number"
