"""Recurrent layers over sequences, computed step by step, with the semantics of ONNX."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

import numpy as np

from convcli.backend.activation_formulas import in_place
from convcli.backend.checks import Array, check_shape
from convcli.errors import ArgumentError

Function = Callable[[Array], None]  # in place


def recurrent(
    x: Array,
    *states: Array,
    kind: str,
    bidirectional: bool,
    weight: Array,
    recurrence: Array,
    bias: Array | None = None,
    peepholes: Array | None = None,
    functions: Sequence[tuple[str, dict[str, float]]] = (),
    clip: float | None = None,
    reverse: bool = False,
    reset_after: bool = False,
    given: Sequence[str] = (),
) -> tuple[Array, ...]:
    """Run an RNN, LSTM or GRU over x, (time, N, features); return the outputs and the last states.

    The formulas of ONNX's RNN, GRU and LSTM: Hochreiter & Schmidhuber (1997), Gers et al. (2000), Cho et al. (2014).

    weight, recurrence : (directions, gates * hidden, features) and (directions, gates * hidden, hidden); the gates of
                         an LSTM in the order input, output, forget, cell; those of a GRU update, reset, hidden
    bias : (directions, 2 * gates * hidden), for the input and for the state
    peepholes : (directions, 3 * hidden), for the input, output and forget gate of an LSTM
    functions : for each kind of gate and direction: a name for `backend.activation` and its parameters
    clip : bound of the absolute value of the input of a function
    reset_after : whether a GRU's reset gate scales R h + b (True) or the state h (False)
    given : what the inputs after x are, in order: lengths, hidden, cell

    Returns
    -------
    outputs (time, directions, N, hidden), last hidden state (directions, N, hidden), and for an LSTM the last cell

    """
    time, items, _ = x.shape
    hidden = recurrence.shape[2]
    inputs = dict(zip(given, states, strict=True))
    for name, state in inputs.items():
        check_shape(
            name,
            state,
            (items,) if name == "lengths" else (1 + bidirectional, items, hidden),
            why=f"x {x.shape}",
        )
    lengths = inputs.get("lengths", np.full(items, time)).astype(np.intp)
    if lengths.size and not 0 <= lengths.min() <= lengths.max() <= time:
        raise ArgumentError(
            f"a sequence has {int(lengths.max())} steps, but the input has {time}; a length must be from 0 to {time}"
        )
    directions = 1 + bidirectional
    start = np.zeros((directions, items, hidden), np.float32)
    h, c = (np.array(inputs.get(name, start), np.float32) for name in ("hidden", "cell"))
    y = np.zeros((time, directions, items, hidden), np.float32)
    each = len(functions) // directions
    for direction in range(directions):
        ends = functions[direction * each : (direction + 1) * each]
        cell = CELLS[kind](
            recurrence[direction],
            None if bias is None else bias[direction],
            None if peepholes is None else peepholes[direction],
            [in_place(name, **numbers) for name, numbers in ends],
            np.inf if clip is None else clip,
            reset_after,
        )
        sums = np.matmul(x, weight[direction].T)
        if bias is not None:
            sums += bias[direction, : sums.shape[2]]
        backwards = reverse or direction == 1
        for step in range(time):
            # In the backward direction, a shorter sequence begins at its own end.
            place = lengths - 1 - step if backwards else np.full(items, step)
            there = np.flatnonzero(step < lengths)
            if not there.size:
                break
            here = place[there]
            new_h, new_c = cell(sums[here, there], h[direction, there], c[direction, there])
            y[here, direction, there] = new_h
            h[direction, there], c[direction, there] = new_h, new_c
    return (y, h, c) if kind == "lstm" else (y, h)


class _Cell(ABC):
    """One step of one direction: computes the next state from the sums of the input, the state and the cell."""

    def __init__(
        self,
        recurrence: Array,
        bias: Array | None,
        peepholes: Array | None,
        functions: Sequence[Function],
        clip: float,
        reset_after: bool,
    ) -> None:
        self.matrix = np.ascontiguousarray(recurrence.T)
        self.hidden = recurrence.shape[1]
        self.bias = np.zeros(len(recurrence), np.float32) if bias is None else bias[len(recurrence) :]
        self.peepholes = None if peepholes is None else np.split(peepholes, 3)
        self.functions, self.clip, self.reset_after = functions, clip, reset_after

    def ended(self, sums: Array, function: int) -> Array:
        """Return the gate's function of the clipped sums, in place."""
        if self.clip < np.inf:
            np.clip(sums, -self.clip, self.clip, out=sums)
        self.functions[function](sums)
        return sums

    @abstractmethod
    def __call__(self, sums: Array, h: Array, c: Array) -> tuple[Array, Array]:
        """Return the next hidden state and cell, from the sums of the gates and the previous states."""


class _Simple(_Cell):
    def __call__(self, sums: Array, h: Array, c: Array) -> tuple[Array, Array]:
        """Return f(W x + R h + b)."""
        return self.ended(sums + h @ self.matrix + self.bias, 0), c


class _Gru(_Cell):
    def __call__(self, sums: Array, h: Array, c: Array) -> tuple[Array, Array]:
        """Return (1 - z) * n + z * h, where the new state n uses h scaled by the reset gate r."""
        size = self.hidden
        gates = sums[:, : 2 * size] + h @ self.matrix[:, : 2 * size] + self.bias[: 2 * size]
        z, r = np.split(self.ended(gates, 0), 2, axis=1)
        matrix, bias = self.matrix[:, 2 * size :], self.bias[2 * size :]
        seen = r * (h @ matrix + bias) if self.reset_after else (r * h) @ matrix + bias
        n = self.ended(sums[:, 2 * size :] + seen, 1)
        return (1 - z) * n + z * h, c


class _Lstm(_Cell):
    def __call__(self, sums: Array, h: Array, c: Array) -> tuple[Array, Array]:
        """Return o * h(c'), c' = f * c + i * g."""
        i, o, f, g = np.split(sums + h @ self.matrix + self.bias, 4, axis=1)
        if self.peepholes is not None:
            i, f = i + self.peepholes[0] * c, f + self.peepholes[2] * c
        i, f, g = self.ended(i, 0), self.ended(f, 0), self.ended(g, 1)
        made = f * c + i * g
        if self.peepholes is not None:
            o = o + self.peepholes[1] * made
        seen = made.copy()
        self.functions[2](seen)  # not clipped, as in ONNX Runtime
        return self.ended(o, 0) * seen, made


CELLS: dict[str, Callable[..., _Cell]] = {"rnn": _Simple, "gru": _Gru, "lstm": _Lstm}
