"""Layers as rows of fields: what every command, format and script sees."""

from collections.abc import Sequence
from typing import Any

from convcli.layers.axes import Shape
from convcli.layers.base import Layer, Window

COUNTED = ("params", "weights", "biases", "multiplications", "additions", "macs", "flops")


def layer_rows(layers: Sequence[Layer], input_shape: Shape) -> list[dict[str, Any]]:
    """Run a shape through a chain of layers: one row a layer."""
    rows = []
    for layer in layers:
        output_shape, cost = layer.output_shape(input_shape), layer.cost(input_shape)
        rows.append(
            {
                "layer": str(layer),
                "input_shape": list(input_shape),
                "output_shape": list(output_shape),
                "padding": [list(p) for p in layer.pads(input_shape[1:])]
                if isinstance(layer, Window)
                else None,
                **parameters(layer),
                "multiplications": cost.multiplications,
                "additions": cost.additions,
                "macs": cost.macs,
                "flops": cost.flops,
            }
        )
        input_shape = output_shape
    return rows


def parameters(layer: Layer) -> dict[str, int]:
    """Return the parameter counts of one layer, which no input size changes."""
    return {"params": layer.params(), "weights": layer.weights(), "biases": layer.biases()}


def totals(rows: Sequence[dict[str, Any]]) -> dict[str, int]:
    """Sum the counted fields."""
    return {name: sum(row[name] for row in rows) for name in COUNTED if name in rows[0]}
