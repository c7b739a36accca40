"""The arrays that belong to a layer: what its operator calls them, and which shapes they have."""

from convcli.layers import (
    BatchNorm,
    Branch,
    Conv,
    ConvTranspose,
    DeformConv,
    Dense,
    Layer,
    LocalConv,
    TiledConv,
)
from convcli.layers.axes import Shape


def parameter_shapes(layer: Layer) -> dict[str, Shape]:
    """Return the shape of each array that a layer learns or stores; `bias` only where it has one.

    >>> from convcli import Conv, backend
    >>> backend.parameter_shapes(Conv(in_channels=4, out_channels=8, kernel_size=3, groups=2))
    {'weight': (8, 2, 3, 3), 'bias': (8,)}
    """
    if isinstance(layer, Branch):
        return parameter_shapes(layer.inner)
    if isinstance(layer, BatchNorm):
        return dict.fromkeys(("mean", "var", "gamma", "beta"), (layer.channels,))
    weight, bias = _weight_and_bias(layer)
    if not weight:
        return {}
    return {"weight": weight, "bias": bias} if layer.biases() else {"weight": weight}


def _weight_and_bias(layer: Layer) -> tuple[Shape, Shape]:
    if isinstance(layer, Dense):
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
