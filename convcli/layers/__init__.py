"""Layers as integers: what a layer is, what it makes of a shape, and what that costs."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from convcli.layers.activation import ACTIVATIONS, Activation
    from convcli.layers.base import Layer, Window
    from convcli.layers.conv import Conv, Convolution
    from convcli.layers.counts import Cost
    from convcli.layers.deform import Branch, DeformConv
    from convcli.layers.other import Add, BatchNorm, ChannelShuffle, Concat, Dense, Flatten, Resize
    from convcli.layers.pool import AdaptivePool, AvgPool, GlobalPool, LpPool, MaxPool
    from convcli.layers.transposed import ConvTranspose
    from convcli.layers.unshared import LocalConv, TiledConv
    from convcli.layers.variant_spec import VariantSpec
    from convcli.layers.variants import VARIANTS

# Public names and the module that each lives in, loaded on first use: a convolution waits for no other layer.
_HOME = {
    name: module
    for module, names in {
        "activation": ("ACTIVATIONS", "Activation"),
        "base": ("Layer", "Window"),
        "conv": ("Conv", "Convolution"),
        "counts": ("Cost",),
        "deform": ("Branch", "DeformConv"),
        "other": ("Add", "BatchNorm", "ChannelShuffle", "Concat", "Dense", "Flatten", "Resize"),
        "pool": ("AdaptivePool", "AvgPool", "GlobalPool", "LpPool", "MaxPool"),
        "transposed": ("ConvTranspose",),
        "unshared": ("LocalConv", "TiledConv"),
        "variant_spec": ("VariantSpec",),
        "variants": ("VARIANTS",),
    }.items()
    for name in names
}

__all__ = [
    "ACTIVATIONS",
    "VARIANTS",
    "Activation",
    "AdaptivePool",
    "Add",
    "AvgPool",
    "BatchNorm",
    "Branch",
    "ChannelShuffle",
    "Concat",
    "Conv",
    "ConvTranspose",
    "Convolution",
    "Cost",
    "DeformConv",
    "Dense",
    "Flatten",
    "GlobalPool",
    "Layer",
    "LocalConv",
    "LpPool",
    "MaxPool",
    "Resize",
    "TiledConv",
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
