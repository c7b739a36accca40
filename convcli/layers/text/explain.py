"""Formulas of layers with the numbers filled in, as lines of text.

The kind of a layer is recognised by its fields, so that explaining a convolution does not import the other layers.
"""

from math import prod
from typing import TYPE_CHECKING, cast

from convcli.layers.axes import Shape, Sizes, axis_names
from convcli.layers.base import Layer, Window
from convcli.layers.conv import Convolution
from convcli.layers.padding import span

if TYPE_CHECKING:
    from convcli.layers.transposed import ConvTranspose

MAX_AXES = 3  # largest number of spatial axes in PyTorch's layers


def size_lines(layer: Layer, input_shape: Shape) -> list[str]:
    """Return the formula of the output size on each axis; nothing for layers without a window.

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
        extra = cast("ConvTranspose", layer).extra(input_size)[axis]
        end = f"- {after}" if after >= 0 else f"+ {-after}"
        return f"{s}*({n} - 1) + {d}*({k} - 1) + 1 + {extra} - {before} {end} = {result}"
    inside = f"({n} + {before} + {after} - {d}*({k} - 1) - 1) / {s}"
    if not layer.ceil_mode:
        return f"floor({inside}) + 1 = {result}"
    rounded = -(-(n + before + after - span(k, d)) // s) + 1
    dropped = f" = {rounded}, less 1 that would start beyond the input" if rounded > result else ""
    return f"ceil({inside}) + 1{dropped} = {result}"


def unused_lines(layer: Layer, input_shape: Shape) -> list[str]:
    """Return how many elements at the end of each axis no window covers; nothing if the stride fits."""
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
                f"{name}: {left} of {size[axis] + before + after} padded elements at the end are not used, "
                f"{real} of them of the input; the stride {s} does not fit"
            )
    return lines


def params_lines(layer: Layer) -> list[str]:
    """Return the formula of the number of weights and biases.

    >>> from convcli.layers import Conv
    >>> params_lines(Conv(in_channels=64, out_channels=128, kernel_size=3))
    ['128 * 64 / 1 * 3*3 = 73,728 weights, + 128 biases = 73,856']
    """
    weights, biases, params = layer.weights(), layer.biases(), layer.params()
    buffers = f"; {layer.buffers():,} buffers, stored but not learned" if layer.buffers() else ""
    fields = vars(layer)
    if _is_dense(layer):
        formula = f"{fields['out_features']} * {fields['in_features']} = "
    elif isinstance(layer, Convolution):
        formula = f"{_sets(layer)}{layer.out_channels} * {_terms(layer)} = "
    elif params:
        formula = ""
    else:
        return ["no parameters"]
    return [f"{formula}{weights:,} weights, + {biases:,} biases = {params:,}{buffers}"]


def _sets(layer: Convolution) -> str:
    fields = vars(layer)
    if "input_size" in fields:
        return f"{_times(layer.output_size(fields['input_size']))} positions * "
    return f"{_times(fields['tile'])} tiles * " if "tile" in fields else ""


def _terms(layer: Convolution) -> str:
    return f"{layer.in_channels} / {layer.groups} * {_times(layer.kernel_size)}"


def _is_dense(layer: Layer) -> bool:
    return {"in_features", "out_features"} <= vars(layer).keys()


def _is_transposed(layer: Layer) -> bool:
    return "output_padding" in vars(layer)


def _times(sizes: Sizes) -> str:
    return "*".join(map(str, sizes))


def macs_lines(layer: Layer, input_shape: Shape, batch: int = 1) -> list[str]:
    """Return the formula of the number of multiply-adds (MACs) of a batch.

    >>> from convcli.layers import Conv
    >>> macs_lines(Conv(in_channels=3, out_channels=64, kernel_size=7, stride=2, padding=3), (3, 224, 224))
    ['64*112*112 outputs * 3 / 1 * 7*7 weights each = 118,013,952 macs']
    """
    macs = layer.cost(input_shape).macs * batch
    fields = vars(layer)
    of_batch = f"batch of {batch:,} * " if batch > 1 else ""
    if _is_dense(layer):
        outputs = f"{_times(layer.output_shape(input_shape))} outputs"
        return [f"{of_batch}{outputs} * {fields['in_features']} weights each = {macs:,} macs"]
    if isinstance(layer, Convolution) and _is_transposed(layer):
        taps = f"{layer.out_channels} / {layer.groups} * {_times(layer.kernel_size)}"
        return [f"{of_batch}{_times(input_shape)} inputs * {taps} weights each = {macs:,} macs"]
    if isinstance(layer, Convolution):
        outputs = _times(layer.output_shape(input_shape))
        return [f"{of_batch}{outputs} outputs * {_terms(layer)} weights each = {macs:,} macs"]
    if macs:
        return [f"{of_batch}{macs // batch:,} = {macs:,} macs" if of_batch else f"{macs:,} macs"]
    return ["no multiply-adds of weights"]


def flops_lines(layer: Layer, input_shape: Shape, batch: int = 1) -> list[str]:
    """Return the different counts of a batch that are called FLOPs; nothing for layers without multiply-adds.

    fvcore counts multiply-adds, PyTorch's flop counter twice as many, and torchinfo each weight and bias once
    per output position. A counter is omitted for a layer that it does not count, or that PyTorch does not have.
    """
    macs = layer.cost(input_shape).macs * batch
    if not macs:
        return []
    by_place = layer.params() * prod(layer.output_shape(input_shape)[1:]) * batch  # torchinfo's count
    known = _known_to(layer, input_shape)
    same = ["macs here", *(f"{name}'s flops" for name in known if name == "fvcore")]
    more = []
    if "torchinfo" in known and by_place == macs:
        same.append("torchinfo's mult-adds")
    elif "torchinfo" in known:
        what = (
            "every parameter once per output position" if _is_transposed(layer) else "with one more per bias"
        )
        more.append(f"{by_place:,}: {what} (torchinfo's mult-adds)")
    if "PyTorch" in known:
        more.append(f"{2 * macs:,}: a multiplication and an addition each (PyTorch's flop counter)")
    return [f"{macs:,}: multiply-adds of weights ({', '.join(same)})", *more]


def _known_to(layer: Layer, input_shape: Shape) -> tuple[str, ...]:
    """Return the counters that count the layer correctly.

    PyTorch has no locally connected and no tiled layers, none with more than 3 axes, and no transposed ones with
    unequal padding; no counter supports the deformable ones. fvcore counts nothing if the padding is PyTorch's `same`.
    """
    if not isinstance(layer, Convolution):
        if layer.of_tensors:
            # torchinfo counts a dense layer once, regardless of its input; no counter supports the recurrent ones
            return () if "hidden" in vars(layer) else ("fvcore", "PyTorch")
        return ("fvcore", "torchinfo", "PyTorch")
    foreign = {"offset_groups", "input_size", "tile"} & vars(layer).keys()
    uneven = _is_transposed(layer) and any(before != after for before, after in layer.pads(input_shape[1:]))
    if layer.dims > MAX_AXES or foreign or uneven:
        return ()
    named = layer.padding == "same" and set(layer.stride) == {1} and not _is_transposed(layer)
    return ("torchinfo", "PyTorch") if named else ("fvcore", "torchinfo", "PyTorch")
