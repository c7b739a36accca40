"""A network that can be asked for its table, its sums and its parameters."""

from typing import Any

from convcli.layers.axes import Shape
from convcli.networks.bind_shapes import bind_shapes
from convcli.networks.graph import Graph
from convcli.networks.rows import Row, network_parameter_rows, network_rows, totals


class Network(Graph):
    """A graph of layers, and what it makes of its inputs.

    >>> from convcli.layers import Activation, Add, Conv
    >>> from convcli.networks.graph import Node
    >>> network = Network(
    ...     "residual",
    ...     {"x": ("N", 8, 32, 32)},
    ...     [
    ...         Node("conv1", Conv(8, 8, 3, padding=1), ("x",), ("a",)),
    ...         Node("add1", Add(), ("a", "x"), ("b",)),
    ...         Node("relu1", Activation("relu"), ("b",), ("c",)),
    ...     ],
    ...     ("c",),
    ... )
    >>> network.totals()["macs"], network.totals((8, 64, 64))["macs"]
    (589824, 2359296)
    >>> network.rows()[-1]["output_shape"], network.rows()[-1]["receptive_field"]
    ([8, 32, 32], [3, 3])
    """

    def shapes(self, shapes: Any = None, *, batch: int = 1) -> dict[str, Shape]:
        """Return the whole shape of every input, where the caller gives some of them (see `bind_shapes`)."""
        return bind_shapes(self, shapes, batch)

    def rows(self, shapes: Any = None, *, batch: int = 1, dtype: str = "float32") -> list[Row]:
        """Return one row for each node: shapes, counts, bytes and receptive field (see `network_rows`).

        shapes : of the inputs, with or without the batch axis: one for the only input, or name -> shape
        """
        return network_rows(self, shapes, batch=batch, dtype=dtype)

    def parameter_rows(self, *, dtype: str = "float32") -> list[Row]:
        """Return one row for each node with its parameters, which no shape changes."""
        return network_parameter_rows(self, dtype=dtype)

    def totals(self, shapes: Any = None, *, batch: int = 1, dtype: str = "float32") -> Row:
        """Return the sums of the counts over all nodes."""
        return totals(self.rows(shapes, batch=batch, dtype=dtype))

    def params(self) -> int:
        """Count the learned parameters, those that nodes share once."""
        return int(sum(row["params"] for row in self.parameter_rows()))
