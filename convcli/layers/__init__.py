"""Layers as integers: what a layer is, what it makes of a shape, and what that costs."""

from convcli.layers.base import Layer
from convcli.layers.conv import Conv
from convcli.layers.counts import Cost
from convcli.layers.variants import VARIANTS

__all__ = ["VARIANTS", "Conv", "Cost", "Layer"]
