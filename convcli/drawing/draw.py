"""Draw a layer step by step, or its matrix, receptive field, checkerboard or connections."""

from __future__ import annotations  # help() shows the annotations by name

from collections.abc import Sequence
from fractions import Fraction
from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from convcli.drawing.example_numbers import exact, read_values, weights_of
from convcli.drawing.forms import Drawing
from convcli.drawing.steps import Border, Values
from convcli.drawing.walk_layers import Numbers, pads_with_numbers
from convcli.errors import ArgumentError
from convcli.kernels.kernel import Kernel, is_finite
from convcli.layers.axes import SizeOrShape, by_axes, for_all, is_sequence
from convcli.layers.base import Layer, Window
from convcli.layers.conv import Convolution
from convcli.layers.padding import mode_of
from convcli.networks.graph import Graph

if TYPE_CHECKING:
    from convcli.networks.network import Network

    AnyLayers = Layer | Sequence[Layer] | Network | str | PathLike[str]

CHAIN_OF = "a chain such as 'conv k3 p1, relu', layers, or a network"


class Kind(NamedTuple):
    """What is drawn instead of the steps.

    at : the output position whose receptive field is drawn
    layer : in a network, the layer that the output belongs to
    """

    matrix: bool = False
    receptive: bool = False
    checkerboard: bool = False
    connections: bool = False
    at: tuple[int, ...] | None = None
    layer: str | None = None

    @property
    def wanted(self) -> str | None:
        """The kind of drawing; None for the steps."""
        names = [
            name for name in ("matrix", "receptive", "checkerboard", "connections") if getattr(self, name)
        ]
        if len(names) > 1:
            raise ArgumentError(
                f"`{names[0]}=True` and `{names[1]}=True` are different drawings; give one of them"
            )
        if names != ["receptive"]:
            for name in ("at", "layer"):
                if getattr(self, name) is not None:
                    raise ArgumentError(f"`{name}` needs `receptive=True`; add that, or leave `{name}` out")
        return names[0] if names else None


def draw(
    layers: AnyLayers,
    input_shape: SizeOrShape | None = None,
    *,
    values: Any = None,
    kernel: Any = (),
    offsets: Any = None,
    flip: bool = False,
    padding_mode: str = "zeros",
    padding_value: float | None = None,
    seed: int = 0,
    matrix: bool = False,
    receptive: bool = False,
    checkerboard: bool = False,
    connections: bool = False,
    at: Sequence[int] | None = None,
    layer: str | None = None,
) -> Drawing:
    """Draw the arithmetic of a layer step by step: the window on the padded input, each product, the sum, the output.

    Parameters
    ----------
    layers : Layer, list of Layer, str, Path or Network
        A layer; a sequence of layers; a chain in the grammar of `parse_chain`; or, for `receptive`, a network, its file
        or its name.
    input_shape : int or (channels, *sizes), optional
        The input size for all axes, or the input shape. By default that of `values`; a network has its own.
    values : array_like, str or Path, optional
        The input: (W,), (H, W) or (C, H, W), or a string as for `--values`: '0 1; 2 3' or a file. By default small
        integers that depend on `seed`.
    kernel : str, Kernel, array_like or a list of them, optional
        The weights: one kernel for all channels, one per output channel, or one per pair of channels.
    offsets : array_like or str, optional
        For a deformable layer: offsets (taps, 2), down and to the right.
    flip : bool
        Rotate the kernel by 180 degrees first, for convolution in the mathematical sense.
    padding_mode, padding_value : str, float
        What extends the input of a convolution: `zeros`, `reflect`, `symmetric`, `replicate`, `circular`, or
        `constant` with the given value.
    matrix : bool
        Instead of steps, draw the convolution as a sparse matrix, together with its transpose.
    receptive : bool
        Draw the receptive field of the output at position `at`, by default the middle, in each earlier tensor. In a
        network `layer` names the layer of the output, by default the last layer with several positions.
    checkerboard : bool
        Draw how many products are summed in each output of a transposed convolution, compared with resize-conv.
    connections : bool
        Draw which inputs are connected to which outputs, compared with unshared and full connections.

    Returns
    -------
    Drawing
        `print(drawing)` shows it as text; `drawing.save("conv.gif")` writes it as .gif, .apng, .png, .svg, .html, .txt
        or .json; `drawing.encode("svg")` returns the bytes. Notebooks show it as SVG.

    Raises
    ------
    ArgumentError
        If an argument is invalid or the drawing would be too large; the message names the argument.

    Examples
    --------
    >>> import convcli
    >>> drawing = convcli.draw(convcli.Conv(1, 1, 2), values=[[0, 1, 2], [3, 4, 5], [6, 7, 8]], kernel=[[0, 1], [2, 3]])
    >>> drawing.steps
    4
    >>> drawing.record()[0]["steps"][0]["arithmetic"]
    ['0*0 + 1*1 + 3*2 + 4*3 = 19']
    >>> field = convcli.draw("conv k3 s2, maxpool k2", (1, 9, 9), receptive=True, at=(0, 0))
    >>> str(field).splitlines()[-1]
    'receptive field 5, effective stride 4, padding 0'
    """
    kind = Kind(matrix, receptive, checkerboard, connections, None if at is None else tuple(at), layer)
    given = None if values is None else values_of(values)
    found, shape = _layers_and_shape(layers, input_shape, given)
    return drawing_of(
        found,
        shape,
        Numbers(
            values=given,
            kernels=_kernels(kernel, max(1, len(shape) - 1)),
            offsets=None if offsets is None else one_grid(values_of(offsets, "offsets")),
            flip=flip,
            seed=seed,
            border=border_of(padding_mode, padding_value),
        ),
        kind,
    )


def drawing_of(
    layers: Sequence[Layer] | Graph, input_shape: Sequence[int], numbers: Numbers, kind: Kind
) -> Drawing:
    """Return the drawing of layers on an input shape, or of a network, which has its own shape."""
    wanted = kind.wanted
    if wanted and numbers.border != Border():
        raise ArgumentError(
            f"`padding_mode` applies to the drawing of steps, not to `{wanted}=True`; leave it out"
        )
    usable = numbers._replace(values=None) if kind.matrix else Numbers()
    if wanted and numbers != usable:
        of_input = "input values" if kind.matrix else "input values, kernels or offsets"
        raise ArgumentError(f"`{wanted}=True` does not use {of_input}; give only sizes")
    if isinstance(layers, Graph):
        return _of_network(layers, kind)
    if kind.layer is not None:
        raise ArgumentError("`layer` names a layer of a network; in a chain, leave out the layers after it")
    if kind.matrix:
        from convcli.drawing.matrix_drawing import matrix_drawing

        if len(layers) > 1:
            raise ArgumentError("`matrix=True` draws one layer; leave the others out")
        return matrix_drawing(layers[0], input_shape, numbers)
    if kind.receptive:
        from convcli.drawing.receptive_drawing import field_in_chain, receptive_drawing

        return receptive_drawing(field_in_chain(layers, input_shape, kind.at))
    if kind.checkerboard:
        from convcli.drawing.overlap_drawing import overlap_drawing

        return overlap_drawing(layers, input_shape)
    if kind.connections:
        from convcli.drawing.connections_drawing import connections_drawing

        return connections_drawing(layers, input_shape)
    from convcli.drawing.layer_drawing import layer_drawing

    if numbers.border != Border() and not any(map(pads_with_numbers, layers)):
        raise ArgumentError(
            "`padding_mode` fills the padding of a convolution, but there is none; give `padding`"
        )
    return layer_drawing(layers, input_shape, numbers)


def _of_network(network: Graph, kind: Kind) -> Drawing:
    from convcli.drawing.receptive_drawing import field_in_network, receptive_drawing
    from convcli.networks.program import tensors_of

    if not kind.receptive:
        raise ArgumentError("a network can be drawn with `receptive=True` only")
    tensor = None if kind.layer is None else tensors_of(network, [kind.layer])[kind.layer]
    return receptive_drawing(field_in_network(network, tensor, kind.at))


# Conversion of arguments


def border_of(mode: str, value: float | None) -> Border:
    """Return the padding mode and value as a record; raise ArgumentError if they are invalid."""
    mode = mode_of(mode)
    if mode != "constant" and value is not None:
        raise ArgumentError("`padding_value` belongs to `padding_mode='constant'`; leave it out")
    return Border(mode, exact(value or 0))


def values_of(given: Any, what: str = "values") -> tuple[Values, ...]:
    """Return input values of shape (W,), (H, W) or (C, H, W) as exact fractions."""
    if isinstance(given, str | PathLike):
        return read_values(str(fspath(given)), what)
    nested = given.tolist() if hasattr(given, "tolist") else given
    shape, inner = [], nested
    while is_sequence(inner):
        shape.append(len(inner))
        inner = inner[0] if len(inner) else None
    if not 1 <= len(shape) <= 3 or inner is None:
        raise ArgumentError(
            f"`{what}` must have the shape (W,), (H, W) or (C, H, W), not {by_axes(shape) or 'that of a single number'}"
        )
    for _ in range(3 - len(shape)):
        nested = [nested]
    return tuple(_rows(channel, (1, 1, *shape)[-2:], what) for channel in nested)


def _rows(channel: Any, size: tuple[int, ...], what: str) -> Values:
    height, width = size
    if (
        not is_sequence(channel)
        or len(channel) != height
        or any(not is_sequence(row) or len(row) != width for row in channel)
    ):
        raise ArgumentError(
            f"`{what}` are ragged; give {width} numbers in each row and {height} rows per channel"
        )
    return tuple(tuple(_fraction(value, what) for value in row) for row in channel)


def _fraction(value: Any, what: str) -> Fraction:
    value = value.item() if hasattr(value, "item") else value
    if isinstance(value, Fraction):
        return value
    if not isinstance(value, int | float) or not is_finite(value):
        raise ArgumentError(f"`{what}` must be finite numbers, got {value!r}")
    return exact(value)


def one_grid(channels: Sequence[Values]) -> Values:
    """Return the only channel of offsets, or raise ArgumentError if there are several."""
    if len(channels) > 1:
        raise ArgumentError("`offsets` must be rows of 2 numbers, without |")
    return channels[0]


def _kernels(given: Any, dims: int) -> tuple[Values, ...]:
    """Return the weights of the given kernels."""
    from convcli.filters.kernel_pictures import grey_rows
    from convcli.filters.read_arguments import read_kernels
    from convcli.kernels import parse_kernel

    if is_sequence(given) and not len(given):
        return ()
    found = []
    for each in read_kernels(given):
        kernel = each if isinstance(each, Kernel) else parse_kernel(each, dims=dims, read_picture=grey_rows)
        found.append(weights_of(kernel))
    return tuple(found)


def _layers_and_shape(
    given: Any, input_shape: SizeOrShape | None, values: tuple[Values, ...] | None
) -> tuple[Sequence[Layer] | Graph, Sequence[int]]:
    """Return the layers or the network, and the shape of the input."""
    from convcli.networks.load_network import is_network, load_network

    if isinstance(given, PathLike) or (isinstance(given, str) and is_network(given)):
        if is_sequence(input_shape) or input_shape is None:
            return load_network(Path(given) if isinstance(given, PathLike) else given, input_shape), ()
        raise ArgumentError(
            f"the input shape of a network must be (channels, *sizes), got `input_shape={input_shape!r}`"
        )
    if isinstance(given, Graph):
        if input_shape is not None:
            raise ArgumentError(
                "the network already has an input shape; leave out `input_shape`, or load the network with another one"
            )
        return given, ()
    layers = (given,) if isinstance(given, Layer) else given
    first = layers[0] if is_sequence(layers) and len(layers) else None
    if not isinstance(layers, str) and not isinstance(first, Layer):
        raise ArgumentError(f"`layers` must be {CHAIN_OF}, got {given!r}")
    dims = first.dims if isinstance(first, Window) else 2
    if input_shape is None:
        if values is None:
            raise ArgumentError("the input is missing; give `input_shape` or `values`")
        shape: Sequence[int] = (len(values), len(values[0]), len(values[0][0]))
        if dims == 1:
            shape = (shape[0], *shape[2:]) if shape[1] == 1 else shape
    else:
        channels = first.in_channels if isinstance(first, Convolution) else 1
        shape = for_all(input_shape, dims, channels)
        _check_values(values, shape)
    if isinstance(layers, str):
        from convcli.layers.text.chain_grammar import parse_chain

        return parse_chain(layers, shape), shape
    return tuple(layers), shape


def _check_values(values: tuple[Values, ...] | None, shape: Sequence[int]) -> None:
    if values is None:
        return
    channels, *sizes = shape
    size = (1, *sizes)[-2:]
    if (len(values), len(values[0]), len(values[0][0])) != (channels, *size):
        raise ArgumentError(
            f"`input_shape` {by_axes(shape)} does not match the `values`, which are "
            f"{by_axes((len(values), len(values[0]), len(values[0][0])))}; leave it out"
        )
