"""A node of a model before it becomes a layer, with the known shapes and constants of its inputs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from convcli.errors import ArgumentError
from convcli.layers.base import Layer
from convcli.networks.onnx.constants import Constant

Shape = tuple[int, ...]


class NotCountedError(Exception):
    """Raised for an operator, or a use of it, for which there is no layer."""


class DependsOnDataError(NotCountedError):
    """Raised for an operator whose shapes depend on what the network computes."""


@dataclass
class Site:
    """A node of the model, before it becomes a layer.

    opset : the version of the operators that the model uses
    inputs : names of tensors; "" for an omitted one
    known : shapes of tensors, None if unknown
    constants : tensors with known elements
    """

    operation: str
    inputs: list[str]
    outputs: list[str]
    attributes: dict[str, Any]
    opset: int
    known: Mapping[str, Shape | None]
    constants: Mapping[str, Constant]

    def has(self, place: int) -> bool:
        """Return whether the input at a position is given."""
        return place < len(self.inputs) and bool(self.inputs[place])

    def constant(self, place: int) -> Constant | None:
        """Return an input if it is a constant, else None."""
        return self.constants.get(self.inputs[place]) if self.has(place) else None

    def shape(self, place: int = 0) -> Shape | None:
        """Return the shape of an input, or None if it is unknown."""
        if not self.has(place):
            return None
        constant = self.constants.get(self.inputs[place])
        return self.known.get(self.inputs[place]) if constant is None else constant.shape

    def rank(self, place: int = 0) -> int:
        """Return the number of axes of an input; raise DependsOnDataError if its shape is unknown."""
        return len(self.known_shape(place))

    def known_shape(self, place: int = 0) -> Shape:
        """Return the shape of an input; raise DependsOnDataError if it is unknown."""
        shape = self.shape(place)
        if shape is None:
            raise DependsOnDataError("the shape of its input is unknown")
        return shape

    def stored(self, place: int, what: str) -> Constant:
        """Return an input that must be a constant, such as a weight; raise NotCountedError if it is not."""
        found = self.constant(place)
        if found is None:
            raise NotCountedError(f"its {what} is computed by the network")
        return found

    def numbers(self, place: int, what: str) -> list[Any]:
        """Return the elements of an input that determines a shape; raise an error if they are unknown."""
        found = self.constant(place)
        if found is None:
            raise DependsOnDataError(f"its {what} depends on the data")
        if found.elements is None:
            raise NotCountedError(f"its {what} has too many elements")
        return found.elements

    def listed(self, name: str, place: int) -> list[Any] | None:
        """Return numbers from an input or, in earlier versions, an attribute; None if there are none."""
        if self.has(place):
            return self.numbers(place, name)
        found: list[Any] | None = self.attributes.get(name)
        return found

    def get(self, name: str, default: Any = None) -> Any:
        """Return an attribute, or a default."""
        return self.attributes.get(name, default)


@dataclass
class Made:
    """A layer made from a node, or one of several.

    inputs : names of its input tensors; None for all non-constant inputs of the node
    arguments : arguments of its operator besides the layer's fields: constants and numbers
    weights : names of its stored numbers, as in `Node`
    outputs : names of its output tensors; None for those of the node
    """

    layer: Layer
    inputs: list[str] | None = None
    arguments: dict[str, Any] = field(default_factory=dict)
    weights: tuple[str, ...] = ()
    outputs: list[str] | None = None


Translator = Callable[[Site], Made | list[Made]]


def refuse(reason: str) -> Any:
    """Raise NotCountedError, which leaves the node uncounted."""
    raise NotCountedError(reason)


def counted(make: Callable[[], Made | list[Made]]) -> Made | list[Made]:
    """Return the result of a translator; raise NotCountedError if its layer rejects the numbers of the node.

    The same applies if they are inconsistent, such as three pads for two axes.
    """
    try:
        return make()
    except ArgumentError as error:
        raise NotCountedError(str(error)) from None
    except (LookupError, TypeError, ValueError, ArithmeticError) as error:
        raise NotCountedError(f"its attributes and constants are inconsistent: {error}") from error
