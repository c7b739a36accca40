"""The formulas with the numbers put in, as lines of text.

A layer's kind is told by its fields, so that explaining a convolution does not load the other layers.
"""

from math import prod

from convcli.layers.axes import Shape, Sizes, axis_names
from convcli.layers.base import Layer, Window
from convcli.layers.conv import Convolution
from convcli.layers.padding import span


def size_lines(layer: Layer, input_shape: Shape) -> list[str]:
    """Show how each axis of the output comes about; nothing for layers without a window.

    >>> from convcli.layers import Conv
    >>> conv = Conv(in_channels=1, out_channels=1, kernel_size=3, stride=2, padding=1, dims=1)
    >>> size_lines(conv, (1, 7))
    ['length: floor((7 + 1 + 1 - 1*(3 - 1) - 1) / 2) + 1 = 4']
    """
    if not isinstance(layer, Window):
        return []
    names = axis_names(layer.dims)
    size = tuple(input_shape[1:])
    return [f"{name}: {_size_formula(layer, size, axis)}" for axis, name in enumerate(names)]


def _size_formula(layer: Window, input_size: Sizes, axis: int) -> str:
    n, k, s, d = input_size[axis], layer.kernel_size[axis], layer.stride[axis], layer.dilation[axis]
    before, after = layer.pads(input_size)[axis]
    result = layer.output_size(input_size)[axis]
    if _is_transposed(layer):
        extra = vars(layer)["output_padding"][axis]
        end = f"- {after}" if after >= 0 else f"+ {-after}"
        return f"{s}*({n} - 1) + {d}*({k} - 1) + 1 + {extra} - {before} {end} = {result}"
    inside = f"({n} + {before} + {after} - {d}*({k} - 1) - 1) / {s}"
    if not layer.ceil_mode:
        return f"floor({inside}) + 1 = {result}"
    rounded = -(-(n + before + after - span(k, d)) // s) + 1
    dropped = f" = {rounded}, less 1 that would start behind the input" if rounded > result else ""
    return f"ceil({inside}) + 1{dropped} = {result}"


def unused_lines(layer: Layer, input_shape: Shape) -> list[str]:
    """Say what a stride leaves over at the end of each axis; nothing where it fits."""
    if not isinstance(layer, Window) or _is_transposed(layer):
        return []
    size = tuple(input_shape[1:])
    lines = []
    outputs = layer.output_size(size)
    for axis, name in enumerate(axis_names(layer.dims)):
        before, after = layer.pads(size)[axis]
        s = layer.stride[axis]
        used = (outputs[axis] - 1) * s + span(layer.kernel_size[axis], layer.dilation[axis])
        left = size[axis] + before + after - used
        if left > 0:
            real = max(0, left - after)
            lines.append(
                f"{name}: {left} of {size[axis] + before + after} padded elements are left over at the end, "
                f"{real} of the input; the stride {s} does not fit"
            )
    return lines


def params_lines(layer: Layer) -> list[str]:
    """Show how the weights and biases are counted.

    >>> from convcli.layers import Conv
    >>> params_lines(Conv(in_channels=64, out_channels=128, kernel_size=3))
    ['128 * 64 / 1 * 3*3 = 73,728 weights, + 128 biases = 73,856']
    """
    weights, biases, params = layer.weights(), layer.biases(), layer.params()
    fields = vars(layer)
    if "in_features" in fields:
        formula = f"{fields['out_features']} * {fields['in_features']} = "
    elif isinstance(layer, Convolution):
        formula = f"{_sets(layer)}{layer.out_channels} * {_terms(layer)} = "
    elif params:
        formula = ""
    else:
        return ["no parameters"]
    return [f"{formula}{weights:,} weights, + {biases:,} biases = {params:,}"]


def _sets(layer: Convolution) -> str:
    fields = vars(layer)
    if "input_size" in fields:
        return f"{_times(layer.output_size(fields['input_size']))} places * "
    return f"{_times(fields['tile'])} tiles * " if "tile" in fields else ""


def _terms(layer: Convolution) -> str:
    return f"{layer.in_channels} / {layer.groups} * {_times(layer.kernel_size)}"


def _is_transposed(layer: Window) -> bool:
    return "output_padding" in vars(layer)


def _times(sizes: Sizes) -> str:
    return "*".join(map(str, sizes))


def macs_lines(layer: Layer, input_shape: Shape) -> list[str]:
    """Show how the multiply-adds are counted.

    >>> from convcli.layers import Conv
    >>> macs_lines(Conv(in_channels=3, out_channels=64, kernel_size=7, stride=2, padding=3), (3, 224, 224))
    ['64*112*112 outputs * 3 / 1 * 7*7 weights each = 118,013,952 macs']
    """
    macs = layer.cost(input_shape).macs
    fields = vars(layer)
    if "in_features" in fields:
        return [f"{fields['out_features']} outputs * {fields['in_features']} weights each = {macs:,} macs"]
    if isinstance(layer, Convolution) and _is_transposed(layer):
        taps = f"{layer.out_channels} / {layer.groups} * {_times(layer.kernel_size)}"
        return [f"{_times(input_shape)} inputs * {taps} weights each = {macs:,} macs"]
    if isinstance(layer, Convolution):
        outputs = _times(layer.output_shape(input_shape))
        return [f"{outputs} outputs * {_terms(layer)} weights each = {macs:,} macs"]
    return ["no multiply-adds of weights"]


def flops_lines(layer: Layer, input_shape: Shape) -> list[str]:
    """Name the three numbers that others call FLOPs; nothing for layers without multiply-adds."""
    cost = layer.cost(input_shape)
    if not cost.macs:
        return []
    biased = prod(layer.output_shape(input_shape)) if layer.biases() else 0
    lines = [f"{cost.macs:,}: multiply-adds of weights (macs here, fvcore's flops)"]
    if biased:
        lines.append(f"{cost.macs + biased:,}: with one more for each bias (torchinfo's mult-adds)")
    lines.append(f"{2 * cost.macs:,}: a multiplication and an addition each (PyTorch's flop counter)")
    return lines
