"""The arrays of a layer: their names as arguments of its operator, and their shapes."""

from convcli.layers import (
    BatchNorm,
    Branch,
    Constant,
    Conv,
    ConvTranspose,
    DeformConv,
    Dense,
    Elementwise,
    Gather,
    Gemm,
    GroupNorm,
    Layer,
    LayerNorm,
    Linear,
    LocalConv,
    MatMul,
    PReLU,
    TiledConv,
)
from convcli.layers.axes import Shape

# The stored array of a layer on whole tensors: its name, and the field with its shape.
_STORED: dict[type[Layer], tuple[str, str]] = {
    MatMul: ("weight", "weight"),
    Gemm: ("addend", "addend"),
    Elementwise: ("operand", "operand"),
    Gather: ("table", "table"),
    Constant: ("value", "shape"),
}


def parameter_shapes(layer: Layer) -> dict[str, Shape]:
    """Return the shape of each array that a layer learns or stores; `bias` is included only if it has one.

    >>> from convcli import Conv, backend
    >>> backend.parameter_shapes(Conv(in_channels=4, out_channels=8, kernel_size=3, groups=2))
    {'weight': (8, 2, 3, 3), 'bias': (8,)}
    """
    if isinstance(layer, Branch):
        return parameter_shapes(layer.inner)
    if isinstance(layer, BatchNorm):
        return dict.fromkeys(("mean", "var", "gamma", "beta"), (layer.channels,))
    if isinstance(layer, GroupNorm | LayerNorm):
        shape = layer.shape if isinstance(layer, LayerNorm) else (layer.channels,)
        learned = {"gamma": layer.weights(), "beta": layer.biases()}
        return {name: shape for name, count in learned.items() if count}
    if type(layer) in _STORED:
        name, field = _STORED[type(layer)]
        shape = getattr(layer, field)
        return {} if shape is None else {name: shape}
    weight, bias = _weight_and_bias(layer)
    if not weight:
        return {}
    return {"weight": weight, "bias": bias} if layer.biases() else {"weight": weight}


def _weight_and_bias(layer: Layer) -> tuple[Shape, Shape]:
    if isinstance(layer, PReLU):
        return (layer.slopes,), ()
    if isinstance(layer, Dense | Linear):
        return (layer.out_features, layer.in_features), (layer.out_features,)
    if isinstance(layer, ConvTranspose):
        each = layer.out_channels // layer.groups
        return (layer.in_channels, each, *layer.kernel_size), (layer.out_channels,)
    if isinstance(layer, LocalConv):
        outputs = (layer.out_channels, *layer.output_size(layer.input_size))
        return (*outputs, layer.in_channels, *layer.kernel_size), outputs
    if isinstance(layer, TiledConv):
        outputs = (*layer.tile, layer.out_channels)
        return (*outputs, layer.in_channels, *layer.kernel_size), outputs
    if isinstance(layer, Conv | DeformConv):
        each = layer.in_channels // layer.groups
        return (layer.out_channels, each, *layer.kernel_size), (layer.out_channels,)
    return (), ()
