"""Chains: layers one after the other, as rows of numbers and their totals."""

from collections.abc import Iterable, Sequence
from typing import Any

from convcli.layers.axes import AnyShape, Shape, as_shape, whole
from convcli.layers.base import Layer, Window
from convcli.layers.counts import Cost, arithmetic_intensity, element_bytes
from convcli.layers.receptive import ReceptiveField
from convcli.layers.text.spelling import operator_of, spell

Row = dict[str, Any]  # field name -> number, list of numbers, text or None; ready for JSON

SUMMED = (
    "params",
    "weights",
    "biases",
    "buffers",
    "multiplications",
    "additions",
    "macs",
    "flops",
    "comparisons",
    "transcendentals",
    "parameter_bytes",
    "activation_bytes",
)


def shapes(layers: Iterable[Layer], input_shape: AnyShape) -> list[Shape]:
    """Return the shape after each layer."""
    found = []
    for layer in layers:
        input_shape = layer.output_shape(input_shape)
        found.append(input_shape)
    return found


def total_cost(layers: Iterable[Layer], input_shape: AnyShape) -> Cost:
    """Sum the work of a chain."""
    total = Cost()
    for layer in layers:
        total += layer.cost(input_shape)
        input_shape = layer.output_shape(input_shape)
    return total


def rows(
    layers: Sequence[Layer],
    input_shape: AnyShape,
    *,
    names: Sequence[str] = (),
    variant: str | None = None,
    batch: int = 1,
    dtype: str = "float32",
) -> list[Row]:
    """Return one row for each layer, the fields in the order of a table.

    Counts and activation_bytes are for the whole batch; params, buffers and parameter_bytes do not depend on it.
    Buffers are stored but not learned: they count in parameter_bytes, not in params. The receptive field is that
    of the chain up to this layer. Without `names` the layers are numbered by operator: conv1, relu1, conv2.
    """
    whole("batch", batch, 1)
    made = []
    input_shape = as_shape(input_shape)
    field = ReceptiveField.of_input(input_shape)
    for layer, name in zip(layers, names or _numbered(layers), strict=True):
        inner = layer.inner
        output_shape = inner.output_shape(input_shape)
        seen = field.through(inner, input_shape, output_shape)
        row = {"name": name, "layer": spell(layer), "variant": variant}
        row |= _geometry(inner, input_shape, output_shape)
        row |= _counts(inner, input_shape, batch, dtype)
        row |= _view(seen)
        made.append(row)
        if inner is layer:  # a branch goes on beside the chain
            input_shape, field = output_shape, seen
    return made


def parameter_rows(
    layers: Sequence[Layer], *, variant: str | None = None, dtype: str = "float32"
) -> list[Row]:
    """Return one row for each layer with what no input size changes: its parameters."""
    return [
        {
            "name": name,
            "layer": spell(layer),
            "variant": variant,
            **_parameters(layer.inner),
            "parameter_bytes": _parameter_bytes(layer.inner, dtype),
        }
        for layer, name in zip(layers, _numbered(layers), strict=True)
    ]


def totals(rows: Sequence[Row]) -> Row:
    """Sum the fields that can be summed; the intensity is that of the sums."""
    sums: Row = {key: sum(row[key] for row in rows) for key in SUMMED if not rows or key in rows[0]}
    if "activation_bytes" not in sums:
        return sums
    moved = sums["parameter_bytes"] + sums["activation_bytes"]
    return sums | {"arithmetic_intensity": arithmetic_intensity(sums["flops"], moved) if moved else None}


def _numbered(layers: Iterable[Layer]) -> list[str]:
    seen: dict[str, int] = {}
    names = []
    for layer in layers:
        operator = operator_of(layer)
        seen[operator] = seen.get(operator, 0) + 1
        names.append(f"{operator}{seen[operator]}")
    return names


def _geometry(layer: Layer, input_shape: Shape, output_shape: Shape) -> Row:
    window = layer if isinstance(layer, Window) else None
    size = tuple(input_shape[1:])
    return {
        "input_shape": list(input_shape),
        "output_shape": list(output_shape),
        "padding": [list(pair) for pair in window.pads(size)] if window else None,
        "kernel_size": list(window.kernel_size) if window else None,
        "stride": list(window.stride) if window else None,
        "dilation": list(window.dilation) if window else None,
        "groups": getattr(layer, "groups", None),
    }


def _parameters(layer: Layer) -> Row:
    return {
        "params": layer.params(),
        "weights": layer.weights(),
        "biases": layer.biases(),
        "buffers": layer.buffers(),
    }


def _parameter_bytes(layer: Layer, dtype: str) -> int:
    """Count the bytes of what is stored, learned or not."""
    return (layer.params() + layer.buffers()) * element_bytes(dtype)


def _counts(layer: Layer, input_shape: Shape, batch: int, dtype: str) -> Row:
    cost = layer.cost(input_shape) * batch
    parameter_bytes = _parameter_bytes(layer, dtype)
    activation_bytes = layer.activations(input_shape) * batch * element_bytes(dtype)
    return {
        **_parameters(layer),
        **vars(cost),
        "parameter_bytes": parameter_bytes,
        "activation_bytes": activation_bytes,
        "arithmetic_intensity": arithmetic_intensity(cost.flops, parameter_bytes + activation_bytes),
    }


def _view(field: ReceptiveField) -> Row:
    axes = field.axes()
    return {
        "receptive_field": [axis.size for axis in axes],
        "effective_stride": [_plain(axis.stride) for axis in axes],
        "effective_padding": [axis.padding for axis in axes],
        "start": [axis.start for axis in axes],
    }


def _plain(stride: Any) -> int | float | None:
    """Turn a fraction into a float, which JSON has."""
    return stride if stride is None or isinstance(stride, int) else float(stride)
