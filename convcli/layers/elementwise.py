"""Elementwise arithmetic with broadcasting, and softmax along an axis."""

from dataclasses import dataclass
from math import prod
from typing import Any

from convcli.errors import ArgumentError, instead_of
from convcli.layers.axes import OpenShape, Shape
from convcli.layers.base import ITSELF, Trace
from convcli.layers.counts import Cost, plain
from convcli.layers.tensor_layer import TensorLayer, axis_of, broadcast, integers

_MULTIPLY, _ADD = plain(multiplications=1), plain(additions=1)
_COMPARE, _FUNCTION = plain(comparisons=1), plain(transcendentals=1)
_MOVE = plain()

# Operators of two inputs, or of one input and a stored operand, with the work per output element. Those in ANY_NUMBER
# take two or more inputs; the work is then per input after the first.
BINARY: dict[str, Cost] = {
    "add": _ADD,
    "sub": _ADD,
    "mul": _MULTIPLY,
    "div": _MULTIPLY,
    "pow": _FUNCTION,
    "max": _COMPARE,
    "min": _COMPARE,
    "mean": _ADD,  # plus one division per element
    "mod": _MULTIPLY,
    "slope": plain(
        comparisons=1, multiplications=1
    ),  # x if x > 0 else slope * x; the slope is the second operand
    "equal": _COMPARE,
    "greater": _COMPARE,
    "greater-equal": _COMPARE,
    "less": _COMPARE,
    "less-equal": _COMPARE,
    "and": _MOVE,
    "or": _MOVE,
    "xor": _MOVE,
}
ANY_NUMBER = ("add", "max", "min", "mean")

# Operators of one input.
UNARY: dict[str, Cost] = {
    "neg": _MOVE,  # flips the sign bit
    "sign": _COMPARE,
    "reciprocal": _MULTIPLY,
    "square": _MULTIPLY,
    "sqrt": _FUNCTION,
    "exp": _FUNCTION,
    "log": _FUNCTION,
    "erf": _FUNCTION,
    **dict.fromkeys(("sin", "cos", "tan", "asin", "acos", "atan"), _FUNCTION),
    **dict.fromkeys(("sinh", "cosh", "asinh", "acosh", "atanh"), _FUNCTION),
    # scale * (x if x > 0 else alpha * (exp(x) - 1)): Klambauer et al. (2017)
    "selu": plain(comparisons=1, multiplications=2, additions=1, transcendentals=1),
    # max(x, 0) + min(alpha * (exp(x / alpha) - 1), 0): Barron (2017)
    "celu": plain(comparisons=2, multiplications=2, additions=2, transcendentals=1),
    "softsign": plain(multiplications=1, additions=1),  # x / (1 + |x|)
    # 0.5 * x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x^3))): Hendrycks & Gimpel (2016), section 2
    "gelu-tanh": plain(multiplications=6, additions=2, transcendentals=1),
    "threshold": _COMPARE,  # x if x > alpha else 0
    "shrink": plain(comparisons=2, additions=1),  # towards 0 by bias where |x| > lambda, else 0
    "is-nan": _COMPARE,
    "is-inf": _COMPARE,
    "floor": _COMPARE,
    "ceil": _COMPARE,
    "round": _COMPARE,
    "clip": plain(comparisons=2),  # min(max(x, low), high)
    "not": _MOVE,
    "cast": _MOVE,
}
WHERE = "where"  # inputs: the condition, the elements to take if it holds, the elements to take if not
OPERATORS = (*BINARY, *UNARY, WHERE)


@dataclass(frozen=True, init=False)
class Elementwise(TensorLayer):
    """A function of the elements of one, two or more tensors; axes of size 1 are broadcast.

    operator : a name of BINARY or UNARY, or `where`
    operand : the shape of a stored operand that is not an input; it is broadcast against the whole tensor with its
              batch axis, so (64, 1, 1) is one number per channel. None if all operands are inputs
    learned : whether the stored operand is a parameter; otherwise it is a constant, counted as a buffer
    operand_first : whether the stored operand is the left one, for example the dividend

    >>> Elementwise("add").output_shapes((1, 64, 56, 56), (64, 1, 1))
    ((1, 64, 56, 56),)
    """

    operator: str
    operand: Shape | None
    learned: bool
    operand_first: bool

    def __init__(
        self,
        operator: str,
        *,
        operand: Any = None,
        learned: bool = False,
        operand_first: bool = False,
    ) -> None:
        if operator not in OPERATORS:
            raise ArgumentError(f"there is no operator {operator!r}; {instead_of(operator, OPERATORS)}")
        if operand is not None and operator in UNARY:
            raise ArgumentError(f"{operator} takes one input and no operand; leave `operand` out")
        self._set(
            operator=operator,
            operand=None if operand is None else integers("operand", operand, 0),
            learned=bool(learned),
            operand_first=bool(operand_first),
        )

    @property
    def fewest_inputs(self) -> int:
        """1 for unary operators, 2 for the others and 3 for `where`, less 1 if there is a stored operand."""
        number = 1 if self.operator in UNARY else 3 if self.operator == WHERE else 2
        return number - (self.operand is not None)

    @property
    def most_inputs(self) -> int | None:
        """The same as fewest_inputs, or None if the operator takes any number."""
        return None if self.operator in ANY_NUMBER and self.operand is None else self.fewest_inputs

    def _operands(self, shapes: tuple[Shape, ...]) -> tuple[Shape, ...]:
        return shapes if self.operand is None else (*shapes, self.operand)

    def output_shapes(self, *shapes: Shape) -> tuple[Shape, ...]:
        """Return the shape that all operands are broadcast to."""
        return (broadcast(*self._operands(shapes)),)

    def work(self, *shapes: Shape) -> Cost:
        """Count the operator once per output element and operand after the first."""
        outputs = prod(self.output_shapes(*shapes)[0])
        if self.operator in UNARY:
            return UNARY[self.operator] * outputs
        if self.operator == WHERE:
            return Cost()
        each = BINARY[self.operator] * (outputs * (len(self._operands(shapes)) - 1))
        return each + _MULTIPLY * outputs if self.operator == "mean" else each

    def _open_shape(self, input_shape: OpenShape) -> OpenShape:
        if self.operand is None or (prod(self.operand) == 1 and len(self.operand) <= len(input_shape)):
            return input_shape
        return super()._open_shape(input_shape)

    def weights(self) -> int:
        """Count the stored operand if it is learned."""
        return prod(self.operand) if self.operand is not None and self.learned else 0

    def buffers(self) -> int:
        """Count the stored operand if it is a constant; a single number is part of the formula and not counted."""
        if self.operand is None or self.learned or prod(self.operand) == 1:
            return 0
        return prod(self.operand)


@dataclass(frozen=True, init=False)
class Softmax(TensorLayer):
    """Softmax: exp(x) / sum(exp(x)) along one axis, the last by default; with `log` its logarithm."""

    axis: int
    log: bool

    def __init__(self, axis: int = -1, *, log: bool = False) -> None:
        self._set(axis=integers("axis", axis)[0], log=bool(log))

    def _open_shape(self, input_shape: OpenShape) -> OpenShape:
        return input_shape

    def output_shapes(self, *shapes: Shape) -> tuple[Shape, ...]:
        """Return the input shape."""
        axis_of(self.axis, len(shapes[0]))
        return shapes

    def work(self, *shapes: Shape) -> Cost:
        """Count the work of each softmax over the c elements of the axis.

        c - 1 comparisons to find the maximum, c subtractions of it, c exponentials, c - 1 additions and c divisions.
        The logarithm takes one more transcendental per sum, and c subtractions instead of the divisions.
        """
        count = shapes[0][axis_of(self.axis, len(shapes[0]))]
        each = plain(
            multiplications=0 if self.log else count,
            additions=2 * count - 1 + (count if self.log else 0),
            comparisons=count - 1,
            transcendentals=count + self.log,
        )
        return each * (prod(shapes[0]) // max(1, count))

    def traces(self, output: int, *shapes: Shape) -> tuple[tuple[Trace, ...], ...]:
        """Return every axis unchanged; each output sees the whole softmax axis."""
        along = axis_of(self.axis, len(shapes[0]))
        return (tuple(Trace(axis, "whole" if axis == along else ITSELF) for axis in range(len(shapes[0]))),)
