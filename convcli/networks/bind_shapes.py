"""Determine the shapes of a network's inputs from the shapes that the caller gives."""

from collections.abc import Mapping, Sequence
from typing import Any

from convcli.errors import ArgumentError, instead_of
from convcli.layers.axes import Shape, as_shape, by_axes, is_sequence, whole
from convcli.networks.graph import Graph, NamedShape

COUNTS = (1, 3, 4)  # channels of pictures


def bind_shapes(network: Graph, shapes: Any = None, batch: int = 1) -> dict[str, Shape]:
    """Return the whole shape of every input of a network.

    shapes : name -> shape, or one shape if the network has one input; with or without the batch axis. Inputs that are
             not named keep their declared shape
    batch : the batch size, used if the declared one is a name or 1
    """
    whole("batch", batch, 1)
    given = _by_name(network, shapes)
    return {name: _bound(name, declared, given.get(name), batch) for name, declared in network.inputs.items()}


def _by_name(network: Graph, shapes: Any) -> Mapping[str, Any]:
    if shapes is None:
        return {}
    if isinstance(shapes, Mapping):
        for name in shapes:
            if name not in network.inputs:
                raise ArgumentError(
                    f"the network has no input {name!r}; {instead_of(str(name), network.inputs)}"
                )
        return shapes
    if len(network.inputs) != 1:
        raise ArgumentError(
            f"the network has the inputs {', '.join(network.inputs)}; give the shape {_shape_text(shapes)} by name"
        )
    return dict.fromkeys(network.inputs, shapes)


def _bound(name: str, declared: NamedShape, given: Any, batch: int) -> Shape:
    if given is None:
        shape = declared
    elif not is_sequence(given):
        raise ArgumentError(f"the shape of the input {name!r} must be one number per axis, got {given!r}")
    elif len(given) == len(declared):
        shape = tuple(given)
    elif len(given) == len(declared) - 1:
        shape = (declared[0], *given)
    else:
        usual = [size if isinstance(size, int) else 3 for size in declared[1:]]
        raise ArgumentError(
            f"the input {name!r} is {_shape_text(declared)}, but the shape {_shape_text(given)} has {len(given)} "
            f"{'axis' if len(given) == 1 else 'axes'}; give {len(declared)}, or {len(declared) - 1} without the batch "
            f"axis{_with_channels(tuple(given), usual)}"
        )
    if shape and (isinstance(shape[0], str) or (shape[0] == 1 and len(shape) > 1)):
        shape = (batch, *shape[1:])
    elif batch > 1 and len(shape) > 1 and shape[0] != batch:
        raise ArgumentError(
            f"the input {name!r} has {shape[0]} items but `batch` is {batch}; give one of them"
        )
    unknown = [size for size in shape if isinstance(size, str)]
    if unknown:
        raise ArgumentError(
            f"the input {name!r} is {_shape_text(declared)}, of which {' and '.join(unknown)} are unknown; give its "
            f"shape, such as `inputs={_example(declared)}`"
        )
    return as_shape(shape) if shape else ()  # type: ignore[arg-type]  # all sizes are known here


def _with_channels(shape: Shape, usual: Sequence[int]) -> str:
    """Return the question for a missing number: the usual channels, or the second size of a square picture; or "".

    >>> _with_channels((224, 112), (3, 224, 224)), _with_channels((3, 320), (3, 224, 224))
    ('; did you mean 3x224x112?', '; did you mean 3x320x320?')
    """
    if len(usual) == 3 and len(shape) == 2 and shape[0] in COUNTS and shape[1] > max(COUNTS):
        return f"; did you mean {by_axes((*shape, shape[1]))}?"
    sizes = shape * (len(usual) - 1) if len(shape) == 1 else shape
    return f"; did you mean {by_axes((usual[0], *sizes))}?" if len(sizes) == len(usual) - 1 > 0 else ""


def as_item(name: str, given: Sequence[int], usual: Sequence[int]) -> Shape:
    """Return the shape of one item, (channels, *sizes); a batch axis of size 1 is dropped.

    usual : the declared shape of the input, which gives the number of axes

    >>> as_item("input", (1, 3, 320, 320), (3, 224, 224))
    (3, 320, 320)
    """
    shape = as_shape(given)
    if len(shape) == len(usual) + 1 and shape[0] == 1:
        shape = shape[1:]
    if len(shape) != len(usual):
        raise ArgumentError(
            f"the input {name!r} is channels x sizes such as {by_axes(usual)}, but {by_axes(shape)} has {len(shape)} "
            f"{'axis' if len(shape) == 1 else 'axes'} instead of {len(usual)}{_with_channels(shape, usual)}"
        )
    if len(shape) == 3 and usual[0] in COUNTS and shape[0] not in COUNTS and shape[2] in COUNTS:
        word, suggested = "channel" if shape[2] == 1 else "channels", (shape[2], *shape[:2])
        raise ArgumentError(
            f"the input {name!r} is channels x height x width such as {by_axes(usual)}, but {by_axes(shape)} has its "
            f"{shape[2]} {word} last; did you mean {by_axes(suggested)}?"
        )
    return shape


def _example(declared: NamedShape) -> tuple[int, ...]:
    """Return a shape without the batch axis, with numbers for the unknown sizes.

    >>> _example(("N", 3, "H", "W"))
    (3, 320, 320)
    """
    return tuple(320 if isinstance(size, str) else size for size in declared[1:])


def _shape_text(shape: Any) -> str:
    return by_axes(shape) if is_sequence(shape) else repr(shape)
