"""Fill formulas into the text of a layer, as in 'conv k1 o{4*o}', when a block is used."""

import ast
import operator
import re
from collections.abc import Callable, Mapping

from convcli.errors import ArgumentError, instead_of

LONGEST = 100  # most characters of a formula
LARGEST = 1 << 62  # largest number in a formula

Value = int | float | str

_BRACES = re.compile(r"\{([^{}]*)\}")
_OPERATORS: Mapping[type[ast.AST], Callable[[int, int], int]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}


def fill(text: str, values: Mapping[str, Value]) -> str:
    """Replace each {formula} by its value.

    A formula is the name of a value, or integers and names with + - * / // % and parentheses; a division / with a
    remainder is an error.

    >>> fill("conv k{k} o{4*o}", {"k": 3, "o": 64}), fill("{act}", {"act": "relu"})
    ('conv k3 o256', 'relu')
    """
    return _BRACES.sub(lambda match: str(_value(match[1].strip(), values)), text)


def argument(text: str, values: Mapping[str, Value]) -> Value:
    """Return the value of a text that is a single formula, as a number if it is one; else fill in its formulas.

    >>> argument("{2*o}", {"o": 64}), argument("conv o{o}", {"o": 64})
    (128, 'conv o64')
    """
    match = _BRACES.fullmatch(text)
    return fill(text, values) if match is None else _value(match[1].strip(), values)


def _value(formula: str, values: Mapping[str, Value]) -> Value:
    if formula in values:
        return values[formula]
    if len(formula) > LONGEST:
        raise ArgumentError(
            f"the formula {formula!r} has more than {LONGEST} characters; write a shorter one"
        )
    try:
        tree = ast.parse(formula, mode="eval")
    except (SyntaxError, ValueError):
        raise ArgumentError(
            f"{{{formula}}} is not a formula; write a name, or whole numbers with + - * / // %"
        ) from None
    return _number(tree.body, formula, values)


def _number(node: ast.expr, formula: str, values: Mapping[str, Value]) -> int:
    if isinstance(node, ast.Constant) and type(node.value) is int:
        found = node.value
    elif isinstance(node, ast.Name):
        if node.id not in values:
            raise ArgumentError(
                f"{{{formula}}}: there is no value {node.id!r}; {instead_of(node.id, values)}"
            )
        value = values[node.id]
        if not isinstance(value, int):
            raise ArgumentError(f"{{{formula}}}: {node.id} is {value!r}, but formulas take whole numbers")
        found = value
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        found = -_number(node.operand, formula, values)
    elif isinstance(node, ast.BinOp):
        found = _combined(node, formula, values)
    else:
        raise ArgumentError(
            f"{{{formula}}} is not a formula; write a name, or whole numbers with + - * / // %"
        )
    if abs(found) > LARGEST:
        raise ArgumentError(f"{{{formula}}} is too large; the limit is {LARGEST:,}")
    return found


def _combined(node: ast.BinOp, formula: str, values: Mapping[str, Value]) -> int:
    left, right = (_number(each, formula, values) for each in (node.left, node.right))
    divides = isinstance(node.op, ast.Div | ast.FloorDiv | ast.Mod)
    if divides and not right:
        raise ArgumentError(f"{{{formula}}} divides by 0; change the divisor")
    if isinstance(node.op, ast.Div):
        if left % right:
            raise ArgumentError(
                f"{{{formula}}} is {left} / {right}, which is not a whole number; use // to round down"
            )
        return left // right
    if type(node.op) not in _OPERATORS:
        raise ArgumentError(
            f"{{{formula}}} is not a formula; write a name, or whole numbers with + - * / // %"
        )
    return _OPERATORS[type(node.op)](left, right)
