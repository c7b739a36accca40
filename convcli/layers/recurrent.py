"""Recurrent layers: RNN, LSTM and GRU. All are counted; those read from ONNX models can also be run."""

from dataclasses import dataclass
from math import prod
from typing import Literal, get_args

from convcli.errors import ArgumentError, instead_of
from convcli.layers.axes import Shape, whole
from convcli.layers.base import Trace
from convcli.layers.counts import Cost, plain, weighted_sums
from convcli.layers.tensor_layer import TensorLayer, sized

Layout = Literal["batch", "time", "onnx"]

# The number of gates of each kind, and the work of one unit per step besides the weighted sums of its gates.
KINDS: dict[str, tuple[int, Cost]] = {
    # h = tanh(s)
    "rnn": (1, plain(transcendentals=1)),
    # i, f, o = sigmoid(s); g = tanh(s); c = f * c + i * g; h = o * tanh(c): Gers et al. (2000)
    "lstm": (4, plain(multiplications=3 + 3, additions=1 + 3, transcendentals=3 + 2)),
    # r, z = sigmoid(s); n = tanh(a + r * b); h = (1 - z) * n + z * h: Cho et al. (2014), as PyTorch's and cuDNN's
    "gru": (3, plain(multiplications=3 + 2, additions=2 + 2, transcendentals=2 + 1)),
}


@dataclass(frozen=True, init=False)
class Recurrent(TensorLayer):
    """An RNN, LSTM or GRU over sequences of features.

    Per layer and direction it has gates * hidden * (inputs + hidden) weights and, as in PyTorch and ONNX, two biases
    per gate: one for the sum over the inputs and one for the sum over the hidden state. A bidirectional layer passes
    the outputs of both directions to the next one.

    layout : `batch` maps (N, time, features) to (N, time, directions * hidden), as PyTorch's batch_first;
             `time` has the time axis before N, PyTorch's default; `onnx` outputs (time, directions, N, hidden), the
             last hidden state and, for an LSTM, the last cell state

    >>> Recurrent("lstm", 128, 256).params()
    395264
    """

    kind: str
    in_features: int
    hidden: int
    layers: int
    bidirectional: bool
    bias: bool
    layout: Layout

    most_inputs = None  # further inputs are initial states and lengths, which change no count

    def __init__(
        self,
        kind: str,
        in_features: int,
        hidden: int,
        *,
        layers: int = 1,
        bidirectional: bool = False,
        bias: bool = True,
        layout: Layout = "batch",
    ) -> None:
        if kind not in KINDS:
            raise ArgumentError(f"there is no recurrent layer {kind!r}; {instead_of(kind, KINDS)}")
        if layout not in get_args(Layout):
            raise ArgumentError(f"there is no layout {layout!r}; choose one of {', '.join(get_args(Layout))}")
        self._set(
            kind=kind,
            in_features=whole("in_features", in_features, 1),
            hidden=whole("hidden", hidden, 1),
            layers=whole("layers", layers, 1),
            bidirectional=bool(bidirectional),
            bias=bool(bias),
            layout=layout,
        )

    @property
    def directions(self) -> int:
        """2 if the layer is bidirectional, else 1."""
        return 1 + self.bidirectional

    def _inputs(self) -> list[int]:
        """Return the number of input features of each layer."""
        return [self.in_features, *[self.directions * self.hidden] * (self.layers - 1)]

    def output_shapes(self, *shapes: Shape) -> tuple[Shape, ...]:
        """Return the shape of the outputs at all times and, in ONNX's layout, of the last states."""
        given = shapes[0]
        if len(given) != 3 or given[2] != self.in_features:
            raise ArgumentError(
                f"the input {sized(given)} must be a sequence of {self.in_features} features: "
                f"each item time x {self.in_features}"
            )
        first, second, _ = given
        if self.layout != "onnx":
            return ((first, second, self.directions * self.hidden),)
        last = (self.directions, second, self.hidden)
        return ((first, self.directions, second, self.hidden), *[last] * (2 if self.kind == "lstm" else 1))

    def work(self, *shapes: Shape) -> Cost:
        """Count all time steps of all layers and directions."""
        self.output_shapes(*shapes)
        gates, unit = KINDS[self.kind]
        steps = prod(shapes[0][:2]) * self.directions
        total = Cost()
        for inputs in self._inputs():
            sums = gates * self.hidden
            of_both = weighted_sums(sums, inputs, self.bias) + weighted_sums(sums, self.hidden, self.bias)
            joined = plain(
                additions=sums
            )  # the sum of both; for a GRU's third gate it comes after a product, which `unit` counts
            total += of_both + joined + unit * self.hidden
        return total * steps

    def weights(self) -> int:
        """Count the weights of all gates, layers and directions."""
        gates = KINDS[self.kind][0]
        return (
            sum(gates * self.hidden * (inputs + self.hidden) for inputs in self._inputs()) * self.directions
        )

    def biases(self) -> int:
        """Count two biases per gate of each unit."""
        return 2 * KINDS[self.kind][0] * self.hidden * self.layers * self.directions if self.bias else 0

    def traces(self, output: int, *shapes: Shape) -> tuple[tuple[Trace, ...], ...]:
        """Return the axes; an output sees at most the whole time axis."""
        of_axes: dict[str, tuple[Trace, ...]] = {
            "batch": (Trace(0), Trace(1, "whole"), Trace(2, "whole")),
            "time": (Trace(0, "whole"), Trace(1), Trace(2, "whole")),
            "onnx": (Trace(0, "whole"), Trace(2), Trace(3, "whole"))
            if output == 0
            else (Trace(None, "whole"), Trace(1), Trace(2, "whole")),
        }
        others = tuple(tuple(Trace(None) for _ in shape) for shape in shapes[1:])
        return (of_axes[self.layout], *others)


@dataclass(frozen=True, init=False)
class OnnxRecurrent(Recurrent):
    """A recurrent layer with the arrays and outputs of ONNX's RNN, GRU and LSTM, which can be run."""

    def __init__(
        self, kind: str, in_features: int, hidden: int, *, bidirectional: bool = False, bias: bool = True
    ) -> None:
        super().__init__(kind, in_features, hidden, bidirectional=bidirectional, bias=bias, layout="onnx")
