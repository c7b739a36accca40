"""Layer operators on NumPy arrays: convolution, pooling, activations and others.

Names, argument order and meaning are PyTorch's, with one function for any number of spatial axes. Arrays are
(N, C, *spatial), or (C, *spatial) for a single item; results are new arrays.

>>> import numpy as np
>>> from convcli import backend
>>> x = np.random.default_rng(0).standard_normal((1, 3, 32, 32))
>>> y = backend.conv(x, np.ones((8, 3, 3, 3)), padding="same")
>>> y.shape, backend.max_pool(y, 2).shape
((1, 8, 32, 32), (1, 8, 16, 16))
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from convcli.backend.adaptive import adaptive_avg_pool, adaptive_max_pool
    from convcli.backend.conv_gradients import conv_input_grad, conv_weight_grad
    from convcli.backend.convolution import conv
    from convcli.backend.crop_and_pad import pad
    from convcli.backend.deformable import deform_conv
    from convcli.backend.elements import activation, batch_norm, prelu, softmax
    from convcli.backend.interpolation import resize
    from convcli.backend.linear import dense
    from convcli.backend.matrix import conv_matrix
    from convcli.backend.norms import group_norm, instance_norm, layer_norm, local_response_norm
    from convcli.backend.parameters import parameter_shapes
    from convcli.backend.pooling import avg_pool, lp_pool, max_pool
    from convcli.backend.rearrange import channel_shuffle, fold, pixel_shuffle, pixel_unshuffle, unfold
    from convcli.backend.run_layers import run_chain, run_layer
    from convcli.backend.transposed_conv import conv_transpose
    from convcli.backend.unshared_conv import local_conv, tiled_conv
    from convcli.filters.filter_image import filter_image

# Public names and the module that defines each, imported on first use, so that a filter does not load pooling. Pictures
# are filtered by `filter_image`, which is defined above the operators.
_HOME = {
    name: module if "." in module else f"{__name__}.{module}"
    for module, names in {
        "convolution": ("conv",),
        "transposed_conv": ("conv_transpose",),
        "conv_gradients": ("conv_weight_grad", "conv_input_grad"),
        "deformable": ("deform_conv",),
        "unshared_conv": ("local_conv", "tiled_conv"),
        "pooling": ("max_pool", "avg_pool", "lp_pool"),
        "adaptive": ("adaptive_avg_pool", "adaptive_max_pool"),
        "rearrange": ("channel_shuffle", "unfold", "fold", "pixel_shuffle", "pixel_unshuffle"),
        "matrix": ("conv_matrix",),
        "convcli.filters.filter_image": ("filter_image",),
        "linear": ("dense",),
        "elements": ("activation", "softmax", "prelu", "batch_norm"),
        "norms": ("group_norm", "instance_norm", "layer_norm", "local_response_norm"),
        "crop_and_pad": ("pad",),
        "interpolation": ("resize",),
        "parameters": ("parameter_shapes",),
        "run_layers": ("run_layer", "run_chain"),
    }.items()
    for name in names
}

__all__ = [
    "conv",
    "conv_transpose",
    "conv_weight_grad",
    "conv_input_grad",
    "deform_conv",
    "local_conv",
    "tiled_conv",
    "max_pool",
    "avg_pool",
    "lp_pool",
    "adaptive_avg_pool",
    "adaptive_max_pool",
    "channel_shuffle",
    "unfold",
    "fold",
    "pixel_shuffle",
    "pixel_unshuffle",
    "pad",
    "conv_matrix",
    "filter_image",
    "dense",
    "activation",
    "softmax",
    "prelu",
    "batch_norm",
    "group_norm",
    "instance_norm",
    "layer_norm",
    "local_response_norm",
    "resize",
    "parameter_shapes",
    "run_layer",
    "run_chain",
]


def __getattr__(name: str) -> object:
    """Load a public name on first use (PEP 562)."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names."""
    return sorted(__all__)
