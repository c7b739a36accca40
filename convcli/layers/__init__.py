"""Layers described by integers: their options, output shapes, parameter counts and costs."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from convcli.layers.activation import ACTIVATIONS, Activation, PReLU
    from convcli.layers.base import Layer, Window
    from convcli.layers.conv import Conv, Convolution
    from convcli.layers.counts import Cost
    from convcli.layers.deform import Branch, DeformConv
    from convcli.layers.dropout import Dropout
    from convcli.layers.elementwise import Elementwise, Softmax
    from convcli.layers.indexing import GatherElements, GatherND, OneHot, ScatterElements, ScatterND, TopK
    from convcli.layers.normalisation import LRN, GroupNorm, InstanceNorm, LayerNorm
    from convcli.layers.other import Add, BatchNorm, ChannelShuffle, Concat, Dense, Flatten
    from convcli.layers.pad import Pad, PadAxes
    from convcli.layers.pixel_shuffle import PixelShuffle, PixelUnshuffle
    from convcli.layers.pool import AdaptivePool, AvgPool, GlobalPool, LpPool, MaxPool
    from convcli.layers.products import Gemm, Linear, MatMul
    from convcli.layers.recurrent import OnnxRecurrent, Recurrent
    from convcli.layers.reductions import Reduce
    from convcli.layers.reshaping import Expand, FlattenFrom, Reshape, Squeeze, Tile, Transpose, Unsqueeze
    from convcli.layers.resize import Resize
    from convcli.layers.sampling import GridSample, RoiAlign
    from convcli.layers.selection import Constant, Gather, Join, Slice, Split
    from convcli.layers.sums import CumSum, Einsum, Triangle
    from convcli.layers.tensor_layer import DependsOnData, TensorLayer, Unknown
    from convcli.layers.transposed import ConvTranspose
    from convcli.layers.unshared import LocalConv, TiledConv
    from convcli.layers.variant_spec import VariantSpec
    from convcli.layers.variants import VARIANTS

# Public names and the module that defines each. Modules are imported on first use, so that a program that only needs
# convolutions does not wait for the other layers.
_HOME = {
    name: module
    for module, names in {
        "activation": ("ACTIVATIONS", "Activation", "PReLU"),
        "base": ("Layer", "Window"),
        "conv": ("Conv", "Convolution"),
        "counts": ("Cost",),
        "deform": ("Branch", "DeformConv"),
        "dropout": ("Dropout",),
        "elementwise": ("Elementwise", "Softmax"),
        "indexing": ("GatherElements", "GatherND", "OneHot", "ScatterElements", "ScatterND", "TopK"),
        "normalisation": ("LRN", "GroupNorm", "InstanceNorm", "LayerNorm"),
        "other": ("Add", "BatchNorm", "ChannelShuffle", "Concat", "Dense", "Flatten"),
        "pad": ("Pad", "PadAxes"),
        "pixel_shuffle": ("PixelShuffle", "PixelUnshuffle"),
        "pool": ("AdaptivePool", "AvgPool", "GlobalPool", "LpPool", "MaxPool"),
        "products": ("Gemm", "Linear", "MatMul"),
        "recurrent": ("OnnxRecurrent", "Recurrent"),
        "reductions": ("Reduce",),
        "reshaping": ("Expand", "FlattenFrom", "Reshape", "Squeeze", "Tile", "Transpose", "Unsqueeze"),
        "resize": ("Resize",),
        "sampling": ("GridSample", "RoiAlign"),
        "selection": ("Constant", "Gather", "Join", "Slice", "Split"),
        "sums": ("CumSum", "Einsum", "Triangle"),
        "tensor_layer": ("DependsOnData", "TensorLayer", "Unknown"),
        "transposed": ("ConvTranspose",),
        "unshared": ("LocalConv", "TiledConv"),
        "variant_spec": ("VariantSpec",),
        "variants": ("VARIANTS",),
    }.items()
    for name in names
}

__all__ = [
    "ACTIVATIONS",
    "LRN",
    "VARIANTS",
    "Activation",
    "AdaptivePool",
    "Add",
    "AvgPool",
    "BatchNorm",
    "Branch",
    "ChannelShuffle",
    "Concat",
    "Constant",
    "Conv",
    "ConvTranspose",
    "Convolution",
    "Cost",
    "CumSum",
    "DeformConv",
    "Dense",
    "DependsOnData",
    "Dropout",
    "Einsum",
    "Elementwise",
    "Expand",
    "Flatten",
    "FlattenFrom",
    "Gather",
    "GatherElements",
    "GatherND",
    "Gemm",
    "GlobalPool",
    "GridSample",
    "GroupNorm",
    "InstanceNorm",
    "Join",
    "Layer",
    "LayerNorm",
    "Linear",
    "LocalConv",
    "LpPool",
    "MatMul",
    "MaxPool",
    "OneHot",
    "OnnxRecurrent",
    "PReLU",
    "Pad",
    "PadAxes",
    "PixelShuffle",
    "PixelUnshuffle",
    "Recurrent",
    "Reduce",
    "Reshape",
    "Resize",
    "RoiAlign",
    "ScatterElements",
    "ScatterND",
    "Slice",
    "Softmax",
    "Split",
    "Squeeze",
    "TensorLayer",
    "Tile",
    "TiledConv",
    "TopK",
    "Transpose",
    "Triangle",
    "Unknown",
    "Unsqueeze",
    "VariantSpec",
    "Window",
]


def __getattr__(name: str) -> object:
    """Load a public name on first use (PEP 562)."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names."""
    return sorted(__all__)
