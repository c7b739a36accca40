"""One node of a model: what its operator is asked, with the shapes and constants that are known of its inputs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from convcli.errors import ArgumentError
from convcli.layers.base import Layer
from convcli.networks.onnx.constants import Constant

Shape = tuple[int, ...]


class NotCountedError(Exception):
    """An operator, or a use of it, that no layer stands for."""


class DependsOnDataError(NotCountedError):
    """An operator whose shapes follow from what the network computes."""


@dataclass
class Site:
    """A node of the model, before it becomes a layer.

    opset : the version of the operators that the model was written for
    inputs : names of tensors; "" for one that is left out
    known : shapes of tensors, as far as they are known
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
        """Whether there is an input at a place."""
        return place < len(self.inputs) and bool(self.inputs[place])

    def constant(self, place: int) -> Constant | None:
        """Return an input that is constant."""
        return self.constants.get(self.inputs[place]) if self.has(place) else None

    def shape(self, place: int = 0) -> Shape | None:
        """Return the shape of an input."""
        if not self.has(place):
            return None
        constant = self.constants.get(self.inputs[place])
        return self.known.get(self.inputs[place]) if constant is None else constant.shape

    def rank(self, place: int = 0) -> int:
        """Return how many axes an input has; it must be known."""
        return len(self.known_shape(place))

    def known_shape(self, place: int = 0) -> Shape:
        """Return the shape of an input; it must be known."""
        shape = self.shape(place)
        if shape is None:
            raise DependsOnDataError("the shape of its input is not known")
        return shape

    def stored(self, place: int, what: str) -> Constant:
        """Return an input that must be constant: a weight."""
        found = self.constant(place)
        if found is None:
            raise NotCountedError(f"its {what} is computed by the network")
        return found

    def numbers(self, place: int, what: str) -> list[Any]:
        """Return the elements of an input that a shape follows from."""
        found = self.constant(place)
        if found is None:
            raise DependsOnDataError(f"its {what} depends on the data")
        if found.elements is None:
            raise NotCountedError(f"its {what} has more elements than are looked at")
        return found.elements

    def listed(self, name: str, place: int) -> list[Any] | None:
        """Return numbers that are an attribute, or since a later version an input; None if there are none."""
        if self.has(place):
            return self.numbers(place, name)
        found: list[Any] | None = self.attributes.get(name)
        return found

    def get(self, name: str, default: Any = None) -> Any:
        """Return an attribute."""
        return self.attributes.get(name, default)


@dataclass
class Made:
    """A layer that stands for a node, or a step of it.

    inputs : names of the tensors that go into it; None for those of the node that are not constant
    arguments : what its operator takes beside the layer's fields, by name: constants, and numbers
    weights : the names of what it stores, as a `Node` has them
    outputs : names; None for those of the node
    """

    layer: Layer
    inputs: list[str] | None = None
    arguments: dict[str, Any] = field(default_factory=dict)
    weights: tuple[str, ...] = ()
    outputs: list[str] | None = None


Translator = Callable[[Site], Made | list[Made]]


def refuse(reason: str) -> Any:
    """Leave a node uncounted."""
    raise NotCountedError(reason)


def counted(make: Callable[[], Made | list[Made]]) -> Made | list[Made]:
    """Return what a translator makes; numbers that no layer takes leave the node uncounted.

    So do those that do not fit each other, such as three pads for two axes.
    """
    try:
        return make()
    except ArgumentError as error:
        raise NotCountedError(str(error)) from None
    except (LookupError, TypeError, ValueError, ArithmeticError) as error:
        raise NotCountedError(f"its attributes and constants do not fit each other: {error}") from error
