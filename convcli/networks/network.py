"""The class `Network`: a graph with its table of layers, totals and parameters, which can be run."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convcli.layers.axes import Shape
from convcli.networks.bind_shapes import bind_shapes
from convcli.networks.graph import BATCH, Graph, NamedShape, Node
from convcli.networks.rows import Row, network_parameter_rows, network_rows, totals
from convcli.networks.tensor_shapes import OutputShapes, tensor_shapes

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    from convcli.networks.fusion import Arguments


class Network(Graph):
    """A graph of layers that computes shapes, counts and outputs.

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
    >>> network.inputs, network.outputs
    ({'x': ('N', 8, 32, 32)}, {'c': ('N', 8, 32, 32)})
    """

    outputs: OutputShapes  # type: ignore[assignment]  # a Graph has names only

    def __post_init__(self) -> None:
        """Check the graph, and prepare to compute the shapes of its outputs on demand."""
        super().__post_init__()
        object.__setattr__(self, "outputs", OutputShapes(self.outputs, self._output_shapes))

    def _output_shapes(self) -> Mapping[str, NamedShape]:
        named = all(shape[:1] == (BATCH,) for shape in self.inputs.values())
        shapes = tensor_shapes(self.nodes, bind_shapes(self), self.stated)
        return {
            name: (BATCH, *shapes[name][1:]) if named and shapes[name][:1] == (1,) else shapes[name]
            for name in self.outputs
        }

    def shapes(self, shapes: Any = None, *, batch: int = 1) -> dict[str, Shape]:
        """Return the whole shape of every input; `shapes` replaces declared ones (see `bind_shapes`)."""
        return bind_shapes(self, shapes, batch)

    def rows(self, shapes: Any = None, *, batch: int = 1, dtype: str = "float32") -> list[Row]:
        """Return one row per node: shapes, counts, bytes and receptive field (see `network_rows`).

        shapes : of the inputs, with or without the batch axis: one shape for a single input, or name -> shape
        """
        return network_rows(self.at(shapes, batch=batch), shapes, batch=batch, dtype=dtype)

    def at(self, shapes: Any = None, *, batch: int = 1) -> "Network":
        """Return the network for inputs of these shapes; the same network if its layers do not depend on them."""
        return self

    def rest(self, wanted: Iterable[str]) -> Any:
        """Return the part that can be planned only after the part before it has run; None if there is no such part."""
        return None

    def after(self, rest: Any, arrays: Mapping[str, Any]) -> "Network":
        """Return the remaining network after a run that made these arrays."""
        raise NotImplementedError

    def run(
        self,
        inputs: "Mapping[str, ArrayLike]",
        layers: Iterable[str] = (),
        *,
        weights: Mapping[str, Any] | str | Path | None = None,
        seed: int | None = None,
        outputs: bool = True,
    ) -> "dict[str, NDArray[np.generic]]":
        """Run the network on arrays, in float32.

        Tensors are freed after their last use. What is prepared for the shapes of the inputs is kept for the next run.

        Parameters
        ----------
        inputs : {name: array}
            One for each input of the network, with the batch axis.
        layers : of str
            Names of layers or tensors whose outputs are returned too.
        weights : {name: array or name of a kernel}, or the path of a .npz, optional
            The arrays of a network without weights of its own: `conv1.weight`, `bn1.gamma` (see `given_weights.py`).
        seed : int, optional
            Seed of the random arrays in place of those that `weights` does not have.
        outputs : bool
            If False, the outputs of the network are not returned, and only what the layers need is computed.

        Returns
        -------
        {name: ndarray}
            The outputs of the network and of the layers, by name.

        Raises
        ------
        ArgumentError
            If inputs or weights do not fit, or a layer has no operator.

        Examples
        --------
        >>> import numpy as np
        >>> from convcli import networks
        >>> net = networks.load("resnet-18", (3, 64, 64))
        >>> made = net.run({"input": np.zeros((1, 3, 64, 64))}, layers=("conv1",), seed=0)
        >>> {name: array.shape for name, array in made.items()}
        {'dense1': (1, 1000), 'conv1': (1, 64, 32, 32)}

        """
        from convcli.networks.runner import Runner

        key = (id(weights), seed)
        kept: tuple[Any, Any, Runner] | None = self.__dict__.get("_kept")
        if kept is None or kept[0] != key or isinstance(weights, str | Path):
            arguments = self._arguments(weights, seed)
            kept = (key, weights, Runner(lambda shapes: (self.at(shapes), arguments)))
            object.__setattr__(self, "_kept", kept)
        return kept[2](inputs, self, layers, outputs)

    def release(self) -> None:
        """Free what was prepared for the last run; the next run prepares it again."""
        self.__dict__.pop("_kept", None)

    def _arguments(
        self, weights: Mapping[str, Any] | str | Path | None, seed: int | None
    ) -> "Callable[[Graph, Node], Arguments]":
        """Return a function that gets the arrays of each node."""
        from convcli.networks.given_weights import drawn, from_arrays, from_file

        others = None if seed is None else drawn(self, seed)
        if isinstance(weights, str | Path):
            weights = from_file(weights)
        given = {**self.kernels, **(weights or {})}
        found = others if others is not None and not given else from_arrays(self, given, others)
        return lambda network, node: found(node)

    def weight_of(
        self,
        node: Node,
        weights: Mapping[str, Any] | str | Path | None = None,
        seed: int | None = None,
    ) -> "NDArray[Any]":
        """Return the weight of a convolution as a run has it; `weights` and `seed` are those of `run`."""
        from convcli.networks.program import array_of

        found: NDArray[Any] = array_of(self._arguments(weights, seed)(self, node)["weight"])
        return found

    def parameter_rows(self, *, dtype: str = "float32") -> list[Row]:
        """Return one row per node with its parameters, which do not depend on shapes."""
        return network_parameter_rows(self, dtype=dtype)

    def totals(self, shapes: Any = None, *, batch: int = 1, dtype: str = "float32") -> Row:
        """Return the totals of the counts over all nodes."""
        return totals(self.rows(shapes, batch=batch, dtype=dtype))

    def params(self) -> int:
        """Return the number of learned parameters; those that nodes share count once."""
        return int(sum(row["params"] for row in self.parameter_rows()))
