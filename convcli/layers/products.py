"""Matrix products, with learned weights or of two tensors."""

from dataclasses import dataclass
from math import prod
from typing import Any

from convcli.errors import ArgumentError
from convcli.layers.axes import OpenShape, Shape, whole
from convcli.layers.base import ITSELF, Trace
from convcli.layers.counts import Cost, plain, weighted_sums
from convcli.layers.tensor_layer import TensorLayer, broadcast, broadcast_traces, integers, sized


@dataclass(frozen=True, init=False)
class Linear(TensorLayer):
    """A dense layer applied along the last axis of a tensor with any number of axes, PyTorch's Linear.

    >>> Linear(768, 3072).output_shapes((1, 197, 768)), Linear(768, 3072).params()
    (((1, 197, 3072),), 2362368)
    """

    in_features: int
    out_features: int
    bias: bool

    def __init__(self, in_features: int, out_features: int, *, bias: bool = True) -> None:
        self._set(
            in_features=whole("in_features", in_features, 1),
            out_features=whole("out_features", out_features, 1),
            bias=bool(bias),
        )

    def output_shapes(self, *shapes: Shape) -> tuple[Shape, ...]:
        """Return the shape with out_features along the last axis."""
        (given,) = shapes
        if not given or given[-1] != self.in_features:
            raise ArgumentError(
                f"the last axis of the input {sized(given)} must be the layer's {self.in_features} features"
            )
        return ((*given[:-1], self.out_features),)

    def _open_shape(self, input_shape: OpenShape) -> OpenShape:
        return (*input_shape[:-1], self.out_features)

    def work(self, *shapes: Shape) -> Cost:
        """Count the work: each output is a sum of in_features products."""
        return weighted_sums(prod(self.output_shapes(*shapes)[0]), self.in_features, self.bias)

    def weights(self) -> int:
        """Count the weights: out_features * in_features."""
        return self.out_features * self.in_features

    def biases(self) -> int:
        """Count the biases: one per output feature."""
        return self.out_features if self.bias else 0

    def traces(self, output: int, *shapes: Shape) -> tuple[tuple[Trace, ...], ...]:
        """Return every axis unchanged; each output sees the whole last axis."""
        last = len(shapes[0]) - 1
        return (tuple(Trace(axis, "whole" if axis == last else ITSELF) for axis in range(last + 1)),)


@dataclass(frozen=True, init=False)
class MatMul(TensorLayer):
    """The matrix product over the last two axes, with the axes before them broadcast (NumPy's and ONNX's matmul).

    weight : the shape of a stored matrix that takes the place of the second input, or of the first if `weight_first`
    learned : whether the stored matrix is a parameter; otherwise it is a constant, counted as a buffer

    The multiply-adds of two inputs, as in attention, count as macs too, as in fvcore.

    >>> MatMul().output_shapes((1, 12, 197, 64), (1, 12, 64, 197))
    ((1, 12, 197, 197),)
    """

    weight: Shape | None
    weight_first: bool
    learned: bool

    def __init__(self, weight: Any = None, *, weight_first: bool = False, learned: bool = True) -> None:
        self._set(
            weight=None if weight is None else integers("weight", weight, 1),
            weight_first=bool(weight_first),
            learned=bool(learned),
        )

    @property
    def fewest_inputs(self) -> int:
        """2, or 1 if a matrix is stored."""
        return 2 if self.weight is None else 1

    @property
    def most_inputs(self) -> int:
        """The same as fewest_inputs."""
        return self.fewest_inputs

    def _both(self, shapes: tuple[Shape, ...]) -> tuple[Shape, Shape]:
        if self.weight is None:
            return shapes[0], shapes[1]
        return (self.weight, shapes[0]) if self.weight_first else (shapes[0], self.weight)

    def output_shapes(self, *shapes: Shape) -> tuple[Shape, ...]:
        """Return (..., rows of the first, columns of the second); a vector adds no axis of its own."""
        left, right = self._both(shapes)
        if not left or not right:
            raise ArgumentError("matmul takes vectors or matrices, one input is a single number; use mul")
        across = right[-2] if len(right) > 1 else right[0]
        if left[-1] != across:
            raise ArgumentError(
                f"the matrices {sized(left)} and {sized(right)} cannot be multiplied: the first has "
                f"{left[-1]} columns, the second {across} rows"
            )
        behind = (*left[-2:-1], *(right[-1:] if len(right) > 1 else ()))
        return ((*broadcast(left[:-2], right[:-2]), *behind),)

    def work(self, *shapes: Shape) -> Cost:
        """Count the work: each output is a sum of one product per column of the first matrix."""
        terms = self._both(shapes)[0][-1]
        return weighted_sums(prod(self.output_shapes(*shapes)[0]), terms, bias=False)

    def weights(self) -> int:
        """Count the stored matrix if it is learned."""
        return prod(self.weight) if self.weight is not None and self.learned else 0

    def buffers(self) -> int:
        """Count the stored matrix if it is a constant."""
        return prod(self.weight) if self.weight is not None and not self.learned else 0

    def traces(self, output: int, *shapes: Shape) -> tuple[tuple[Trace, ...], ...]:
        """Return the rows of the first and the columns of the second; each output sees the whole summed axis."""
        (made,), (left, right) = self.output_shapes(*shapes), self._both(shapes)
        rows, columns = int(len(left) > 1), int(len(right) > 1)
        outer = made[: len(made) - rows - columns]
        summed = Trace(None, "whole")
        of_rows, of_columns = Trace(len(outer)), Trace(len(made) - 1)
        of_left = (*broadcast_traces(left[:-2], outer), *[of_rows] * rows, summed)
        of_right = (*broadcast_traces(right[:-2], outer), summed, *[of_columns] * columns)
        if self.weight is None:
            return of_left, of_right
        return (of_right if self.weight_first else of_left,)


@dataclass(frozen=True, init=False)
class Gemm(TensorLayer):
    """alpha * A' B' + beta * C for matrices (ONNX's Gemm); with a learned B and one row of A per item it is a Dense.

    transposed : whether A and B are transposed first
    addend : the shape of C if it is stored; None if there is no C or it is the third input
    """

    transposed: tuple[bool, bool]
    scaled: bool
    addend: Shape | None

    fewest_inputs = 2
    most_inputs = 3

    def __init__(
        self,
        *,
        transposed: tuple[bool, bool] = (False, False),
        scaled: bool = False,
        addend: Any = None,
    ) -> None:
        self._set(
            transposed=(bool(transposed[0]), bool(transposed[1])),
            scaled=bool(scaled),
            addend=None if addend is None else integers("addend", addend, 1),
        )

    def _sizes(self, shapes: tuple[Shape, ...]) -> tuple[int, int, int]:
        """Return the number of rows, of columns, and of terms in each sum."""
        for shape in shapes[:2]:
            if len(shape) != 2:
                raise ArgumentError(
                    f"gemm takes matrices, the input {sized(shape)} has {len(shape)} axes; use matmul"
                )
        left, right = (
            shape[::-1] if is_transposed else shape
            for shape, is_transposed in zip(shapes, self.transposed, strict=False)
        )
        if left[1] != right[0]:
            raise ArgumentError(
                f"the matrices {sized(left)} and {sized(right)} cannot be multiplied: the first has {left[1]} columns, "
                f"the second {right[0]} rows"
            )
        return left[0], right[1], left[1]

    def output_shapes(self, *shapes: Shape) -> tuple[Shape, ...]:
        """Return (rows of the first, columns of the second)."""
        rows, columns, _ = self._sizes(shapes)
        for shape in (*shapes[2:], *([] if self.addend is None else [self.addend])):
            if broadcast((rows, columns), shape) != (rows, columns):
                raise ArgumentError(
                    f"the addend {sized(shape)} does not broadcast to the product {rows}x{columns}"
                )
        return ((rows, columns),)

    def work(self, *shapes: Shape) -> Cost:
        """Count the sums of products and, per output, the addition and the scaling."""
        rows, columns, terms = self._sizes(shapes)
        added = len(shapes) > 2 or self.addend is not None
        scaling = plain(multiplications=rows * columns) if self.scaled else Cost()
        return weighted_sums(rows * columns, terms, added) + scaling

    def biases(self) -> int:
        """Count the addend if it is stored."""
        return 0 if self.addend is None else prod(self.addend)

    def traces(self, output: int, *shapes: Shape) -> tuple[tuple[Trace, ...], ...]:
        """Return the rows of the first and the columns of the second; each output sees the whole summed axis."""
        summed = Trace(None, "whole")
        left, right = [Trace(0), summed], [summed, Trace(1)]
        first, second = (
            each[::-1] if is_transposed else each
            for each, is_transposed in zip((left, right), self.transposed, strict=True)
        )
        return (
            tuple(first),
            tuple(second),
            *(broadcast_traces(shape, self.output_shapes(*shapes)[0]) for shape in shapes[2:]),
        )
