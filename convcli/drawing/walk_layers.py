"""Compute the steps of layers in plain loops: the window of each output, and the sums of its products."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import product
from math import ceil, floor, inf, prod
from typing import NamedTuple

from convcli.drawing.example_numbers import OFFSETS, chosen, example_values
from convcli.drawing.functions import FUNCTIONS
from convcli.drawing.layer_weights import Weights, kernels_of_layers
from convcli.drawing.steps import Border, Canvas, Line, Operation, Stage, Step, Term, Values
from convcli.errors import ArgumentError
from convcli.layers.activation import Activation
from convcli.layers.axes import Shape, as_shape, by_axes
from convcli.layers.base import ITSELF, Layer, Reach, Seen, Window
from convcli.layers.conv import Convolution
from convcli.layers.deform import DeformConv
from convcli.layers.other import ChannelShuffle
from convcli.layers.pool import AdaptivePool, AvgPool, GlobalPool, LpPool, MaxPool
from convcli.layers.resize import Resize
from convcli.layers.text.format_layer import format_layer
from convcli.layers.transposed import ConvTranspose

MAX_CELLS = 32  # largest size that is drawn; numbers in smaller cells would be unreadable
MAX_CHANNELS = 16
MAX_PRODUCTS = 250_000  # total number of products of all steps

Place = tuple[int, int, int]  # channel, row, column
Cell = tuple[int, int, Fraction | int, Fraction | int]  # the tap of a window and its position


class Numbers(NamedTuple):
    """The numbers in a drawing; those that are not given are chosen by `seed`.

    values : the channels of the input
    kernels : one for all channels, one per output channel, or all kernels of a layer
    offsets : the offsets of a deformable layer, down and to the right: one row per tap
    flip : whether kernels are rotated by 180 degrees first
    border : what fills the padding of convolutions
    """

    values: tuple[Values, ...] | None = None
    kernels: tuple[Values, ...] = ()
    offsets: Values | None = None
    flip: bool = False
    seed: int = 0
    border: Border = Border()


def walk_layers(layers: Iterable[Layer], input_shape: Sequence[int], numbers: Numbers) -> list[Stage]:
    """Return the steps of each layer of a chain on an input (channels, *spatial) with 1 or 2 spatial axes."""
    chain = [layer for layer in layers if layer.inner is layer]  # side branches are not drawn
    shape = as_shape(input_shape)
    if not 2 <= len(shape) <= 3:
        raise ArgumentError(f"an input of {len(shape) - 1} axes cannot be drawn; use `dims=1` or `dims=2`")
    _check_given(chain, numbers)
    _check_size("the input", shape)
    channels, rows, columns = _as_2d(shape)
    values = numbers.values or example_values(channels, rows, columns, numbers.seed)
    kernels = kernels_of_layers(chain, numbers.kernels)
    stages = []
    for place, layer in enumerate(chain):
        stage = _walk(
            layer, values, shape, numbers._replace(kernels=kernels[place], seed=numbers.seed + place)
        )
        values, shape = stage.outputs(), layer.output_shape(shape)
        stages.append(stage)
    return stages


def _check_given(chain: Sequence[Layer], numbers: Numbers) -> None:
    """Raise ArgumentError for numbers that no layer uses."""
    if numbers.flip and not any(isinstance(layer, Convolution) for layer in chain):
        raise ArgumentError("`flip=True` rotates kernels, but no layer here has one; leave it out")
    if numbers.border != Border() and not any(map(_takes_border, chain)):
        raise ArgumentError(
            "`padding_mode` fills the padding of a convolution, but no layer here has such padding; leave it out"
        )
    if numbers.offsets is not None and not any(isinstance(layer, DeformConv) for layer in chain):
        raise ArgumentError("`offsets` belong to `variant='deformable'`; leave them out")


def _takes_border(layer: Layer) -> bool:
    """Return whether a layer pads its input with numbers: transposed layers crop instead, and pools ignore padding."""
    return isinstance(layer, Convolution) and not isinstance(layer, ConvTranspose | DeformConv)


def pads_with_numbers(layer: Layer) -> bool:
    """Return whether a layer has padding that a padding mode fills."""
    return (
        isinstance(layer, Convolution)
        and _takes_border(layer)
        and (isinstance(layer.padding, str) or any(map(any, layer.padding)))
    )


def _check_size(what: str, shape: Shape, whose: str = "") -> None:
    if max(shape[1:], default=1) > MAX_CELLS:
        raise ArgumentError(
            f"{what}{whose} would be {by_axes(shape[1:])} cells, but at most {MAX_CELLS} on a side are drawn; draw "
            "the same layer on a smaller input"
        )
    if shape[0] > MAX_CHANNELS:
        raise ArgumentError(
            f"{what}{whose} would have {shape[0]} channels, but at most {MAX_CHANNELS} are drawn; use fewer channels"
        )


def _as_2d(shape: Shape) -> tuple[int, int, int]:
    """Return (channels, rows, columns); a 1-D shape has a single row."""
    channels, *sizes = shape
    rows, columns = (1, *sizes)[-2:]
    return channels, rows, columns


class _Axis(NamedTuple):
    """One axis of a walk: its line of cells, and the (tap, cell) pairs of each output."""

    line: Line
    seen: list[list[tuple[int, int]]]


def _axis(seen: Seen, inputs: int, outputs: int, pads: tuple[int, int], reach: int) -> _Axis:
    """Lay out one axis from what the outputs see; `reach` is the largest offset of a tap."""
    assert seen is not None
    if isinstance(seen, Reach):
        step, scale, low, high = seen

        def places(output: int) -> range:
            return range((step * output + low) // scale, (step * output + high) // scale + 1)

        factor = 1
    else:
        step, factor, low, gap, number = seen

        def places(output: int) -> range:
            start = step * output + low
            return range(start, start + gap * number, gap)

    first = min(-pads[0], places(0)[0] - reach, 0)
    last = max(factor * (inputs - 1) + 1 + pads[1] - 1, places(outputs - 1)[-1] + reach)
    _check_size("the input with its padding", (1, last - first + 1))
    line = Line(first, last - first + 1, factor, inputs)
    return _Axis(line, [list(enumerate(place - first for place in places(y))) for y in range(outputs)])


def _axes(layer: Layer, shape: Shape, output_shape: Shape, reach: int = 0) -> tuple[_Axis, _Axis]:
    sizes = shape[1:]
    # What a deformable layer sees depends on its offsets; without offsets its taps are those of the window.
    seen = Window.sees(layer, sizes) if isinstance(layer, DeformConv) else layer.sees(sizes)
    pads: Sequence[tuple[int, int]] = ((0, 0),) * len(sizes)
    if isinstance(layer, Window) and not isinstance(
        layer, ConvTranspose
    ):  # its padding crops the output instead
        pads = layer.pads(sizes)
    axes = [_axis(*each, reach) for each in zip(seen, sizes, output_shape[1:], pads, strict=True)]
    if len(axes) == 1:
        axes.insert(0, _axis(ITSELF, 1, 1, (0, 0), 0))
    return axes[0], axes[1]


def _walk(layer: Layer, values: tuple[Values, ...], shape: Shape, numbers: Numbers) -> Stage:
    """Return the steps of one layer."""
    output_shape = layer.output_shape(shape)
    if len(output_shape) != len(shape):
        raise ArgumentError(
            f"{format_layer(layer)!r} has no window that can be drawn; leave it out of the chain"
        )
    _check_size("the output", output_shape, f" of {format_layer(layer)!r}")
    walked = _as_2d(output_shape)
    offsets = _offsets(layer, walked, numbers)
    reach = max((ceil(abs(each)) for pair in offsets.values() for each in pair), default=0)
    rows, columns = _axes(layer, shape, output_shape, reach)
    canvas = Canvas(rows.line, columns.line)
    window = (len(rows.seen[0]), len(columns.seen[0]))
    operation, detail = _operation(layer)
    sources = _sources(layer, shape[0])
    count = prod(walked) * len(sources(0)) * prod(window)
    if count > MAX_PRODUCTS:
        raise ArgumentError(
            f"{format_layer(layer)!r} makes {count:,} products, but at most {MAX_PRODUCTS:,} are drawn; use a smaller "
            "input, or fewer channels"
        )
    weights = (
        Weights(layer, walked[1:], numbers.kernels, flip=numbers.flip, seed=numbers.seed)
        if isinstance(layer, Convolution)
        else None
    )
    stage = Stage(
        name=format_layer(layer),
        operation=operation,
        detail=detail,
        kernel_size=window if isinstance(layer, Window) else None,
        canvas=canvas,
        inputs=values,
        output_shape=walked,
        steps=(),
        rotated=weights is not None and weights.rotated,
        border=numbers.border if _takes_border(layer) else Border(),
    )
    steps = []
    for place in product(range(walked[0]), range(walked[1]), range(walked[2])):
        o, y, x = place
        cells = [(i, j, row, column) for i, row in rows.seen[y] for j, column in columns.seen[x]]
        terms = _terms(stage, layer, place, cells, sources(o), weights, offsets)
        steps.append(Step(place, terms, _result(stage, layer, place, terms)))
    return replace(stage, steps=tuple(steps))


def _sources(layer: Layer, channels: int) -> Callable[[int], Sequence[int]]:
    """Return a function from an output channel to the input channels that it depends on."""
    if isinstance(layer, Convolution):
        sources, outputs = layer.in_channels // layer.groups, layer.out_channels // layer.groups
        return lambda o: range(o // outputs * sources, (o // outputs + 1) * sources)
    if isinstance(layer, ChannelShuffle):
        groups = layer.groups
        return lambda o: (o % groups * (channels // groups) + o // groups,)
    return lambda o: (o,)


def _terms(
    stage: Stage,
    layer: Layer,
    place: Place,
    cells: Sequence[tuple[int, int, int, int]],
    sources: Sequence[int],
    weights: Weights | None,
    offsets: dict[tuple[int, int, int, int], tuple[Fraction, Fraction]],
) -> tuple[Term, ...]:
    o, y, x = place
    terms = []
    for number, channel in enumerate(sources):
        for i, j, row, column in cells:
            if weights is None:
                value = stage.value(channel, row, column)
                if value is not None or _counts_padding(layer, stage, row, column):
                    terms.append(Term(channel, row, column, value or Fraction(0), None))
                continue
            weight = weights.at(o, y, x, number, (i, j))
            if offsets:
                down, right = offsets[y, x, i, j]
                value = _between(stage, channel, row + down, column + right)
                terms.append(Term(channel, row + down, column + right, value, weight))
            else:
                terms.append(Term(channel, row, column, stage.found(channel, row, column), weight))
    if not terms:
        raise ArgumentError(
            f"output row {y}, column {x} of {format_layer(layer)!r} sees only padding; use less padding or dilation"
        )
    return tuple(terms)


def _counts_padding(layer: Layer, stage: Stage, row: int, column: int) -> bool:
    """Return whether a cell of the padding counts in a mean or a norm; rows that `ceil_mode` adds do not."""
    if isinstance(layer, LpPool):
        return True  # zeros do not change the sum
    if not (isinstance(layer, AvgPool) and layer.count_include_pad):
        return False
    _, *sizes = stage.input_shape
    pads = ((0, 0), *layer.pads(tuple(sizes[-layer.dims :])))[-2:]
    lines = (stage.canvas.rows, stage.canvas.columns)
    return all(
        -before <= cell + line.first < line.inputs + after
        for cell, line, (before, after) in zip((row, column), lines, pads, strict=True)
    )


def _operation(layer: Layer) -> tuple[Operation, str]:
    """Return how the terms of the layer become its outputs."""
    if isinstance(layer, Convolution):
        return "sum", ""
    if isinstance(layer, MaxPool):
        return "max", ""
    if isinstance(layer, AvgPool):
        return "mean", ""
    if isinstance(layer, LpPool):
        return ("max", "abs") if layer.norm_type == inf else ("norm", f"{layer.norm_type:g}")
    if isinstance(layer, AdaptivePool | GlobalPool):
        return ("max" if layer.kind == "max" else "mean"), ""
    if isinstance(layer, ChannelShuffle) or (isinstance(layer, Resize) and layer.mode == "nearest"):
        return "copy", ""
    if isinstance(layer, Activation) and layer.name in FUNCTIONS:
        return "function", layer.name
    raise ArgumentError(
        f"{format_layer(layer)!r} cannot be drawn; give convolutions, pools, resize, shuffle or activations"
    )


def _result(stage: Stage, layer: Layer, place: Place, terms: Sequence[Term]) -> Fraction:
    values = [term.value for term in terms]
    if stage.operation == "sum":
        return sum((term.value * (term.weight or 0) for term in terms), Fraction(0))
    if stage.operation == "max":
        return max(map(abs, values) if stage.detail else values)
    if stage.operation == "mean":
        return sum(values, Fraction(0)) / len(values)
    if stage.operation == "norm":
        power = float(stage.detail)
        try:
            return Fraction(sum(float(abs(value)) ** power for value in values) ** (1 / power))
        except OverflowError:
            raise ArgumentError(
                f"the norm at output {place[1:]} is too large for a float; give smaller values"
            ) from None
    if stage.operation == "function":
        return FUNCTIONS[stage.detail](values[0])
    return values[0]


# Deformable layers


def _offsets(
    layer: Layer, output_shape: Place, numbers: Numbers
) -> dict[tuple[int, int, int, int], tuple[Fraction, Fraction]]:
    """Return the offset of each tap of a deformable layer at each output position."""
    if not isinstance(layer, DeformConv):
        return {}
    _, height, width = output_shape
    *_, rows, columns = 1, *layer.kernel_size
    given = numbers.offsets
    if given is not None and (len(given), len(given[0])) != (rows * columns, 2):
        raise ArgumentError(
            f"`offsets` are {len(given)}x{len(given[0])} numbers; a kernel of {rows}x{columns} needs {rows * columns} "
            "rows of 2, the offset of each tap down and to the right"
        )
    found = {}
    for y, x, i, j in product(range(height), range(width), range(rows), range(columns)):
        if given is not None:
            down, right = given[i * columns + j]
        else:
            down, right = (
                Fraction(OFFSETS[chosen(len(OFFSETS), numbers.seed, 3, y, x, i, j, axis)]) for axis in (0, 1)
            )
        found[y, x, i, j] = (down if layer.dims > 1 else Fraction(0), right)
    return found


def _between(stage: Stage, channel: int, row: Fraction, column: Fraction) -> Fraction:
    """Return the value at a point between cells by linear interpolation on both axes; the input is 0 outside."""
    top, left = floor(row), floor(column)
    total = Fraction(0)
    for y, x in product((top, top + 1), (left, left + 1)):
        share = (1 - abs(row - y)) * (1 - abs(column - x))
        if share:
            total += share * (stage.value(channel, y, x) or 0)
    return total
