"""The operator of each layer, and the fields of the layer that it takes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

import numpy as np

from convcli.backend import lookup, tensors
from convcli.backend.adaptive import adaptive_avg_pool, adaptive_max_pool
from convcli.backend.checks import Array
from convcli.backend.convolution import conv
from convcli.backend.crop_and_pad import pad, pad_axes
from convcli.backend.deformable import deform_conv
from convcli.backend.elements import activation, batch_norm, prelu, softmax
from convcli.backend.interpolation import resize
from convcli.backend.linear import dense
from convcli.backend.norms import group_norm, instance_norm, layer_norm, local_response_norm
from convcli.backend.pooling import avg_pool, lp_pool, max_pool
from convcli.backend.rearrange import channel_shuffle, pixel_shuffle, pixel_unshuffle
from convcli.backend.sampled import grid_sample, roi_align
from convcli.backend.sequences import recurrent
from convcli.backend.transposed_conv import conv_transpose
from convcli.backend.unshared_conv import local_conv, tiled_conv
from convcli.layers import (
    LRN,
    Activation,
    AdaptivePool,
    Add,
    AvgPool,
    BatchNorm,
    ChannelShuffle,
    Concat,
    Constant,
    Conv,
    ConvTranspose,
    CumSum,
    DeformConv,
    Dense,
    DependsOnData,
    Dropout,
    Einsum,
    Elementwise,
    Expand,
    Flatten,
    FlattenFrom,
    Gather,
    GatherElements,
    GatherND,
    Gemm,
    GlobalPool,
    GridSample,
    GroupNorm,
    InstanceNorm,
    Join,
    Layer,
    LayerNorm,
    Linear,
    LocalConv,
    LpPool,
    MatMul,
    MaxPool,
    OneHot,
    OnnxRecurrent,
    Pad,
    PadAxes,
    PixelShuffle,
    PixelUnshuffle,
    PReLU,
    Reduce,
    Reshape,
    Resize,
    RoiAlign,
    ScatterElements,
    ScatterND,
    Slice,
    Softmax,
    Split,
    Squeeze,
    Tile,
    TiledConv,
    TopK,
    Transpose,
    Triangle,
    Unsqueeze,
)


def _lp_pool(x: Array, norm_type: float, **options: Any) -> Array:
    return lp_pool(x, norm_type, **options)


def _conv_transpose(x: Array, weight: Array, *, out_size: Sequence[int] | None, **options: Any) -> Array:
    return conv_transpose(x, weight, **{"output_size": out_size, **options})


def _adaptive_pool(x: Array, kind: str, output_size: Sequence[int]) -> Array:
    return (adaptive_max_pool if kind == "max" else adaptive_avg_pool)(x, output_size)


def _global_pool(x: Array, kind: str) -> Array:
    y = _adaptive_pool(x.reshape(*x.shape[:2], prod(x.shape[2:])), kind, (1,))
    return y.reshape(*x.shape[:2], *(1 for _ in x.shape[2:]))


def _flatten(x: Array) -> Array:
    return x.reshape(len(x), prod(x.shape[1:]))


def _add(*inputs: Array) -> Array:
    return tensors.elementwise(*inputs, operator="add")


def _concat(*inputs: Array) -> Array:
    return tensors.join(*inputs, axis=1)


def _itself(x: Array) -> Array:
    return x


_WINDOW = ("stride", "padding", "dilation")
_POOL = ("kernel_size", *_WINDOW, "ceil_mode")

# layer -> (its operator, the fields that are passed to it)
OPERATORS: dict[type[Layer], tuple[Callable[..., Any], tuple[str, ...]]] = {
    Conv: (conv, (*_WINDOW, "groups")),
    ConvTranspose: (_conv_transpose, (*_WINDOW, "output_padding", "groups", "out_size")),
    DeformConv: (deform_conv, (*_WINDOW, "groups", "offset_groups")),
    LocalConv: (local_conv, _WINDOW),
    TiledConv: (tiled_conv, _WINDOW),
    MaxPool: (max_pool, _POOL),
    AvgPool: (avg_pool, (*_POOL, "count_include_pad")),
    LpPool: (_lp_pool, (*_POOL, "norm_type")),
    AdaptivePool: (_adaptive_pool, ("output_size", "kind")),
    GlobalPool: (_global_pool, ("kind",)),
    Dense: (dense, ()),
    Activation: (activation, ("name",)),
    BatchNorm: (batch_norm, ()),
    ChannelShuffle: (channel_shuffle, ("groups",)),
    Resize: (resize, ("scale", "size", "mode", "coordinates", "rounding")),
    Flatten: (_flatten, ()),
    Add: (_add, ()),
    Concat: (_concat, ()),
    PReLU: (prelu, ()),
    Dropout: (_itself, ()),
    LRN: (local_response_norm, ("size",)),
    GroupNorm: (group_norm, ("groups",)),
    InstanceNorm: (instance_norm, ()),
    LayerNorm: (layer_norm, ("shape", "channels")),
    Pad: (pad, ("padding", "channels", "mode", "value")),
    PixelShuffle: (pixel_shuffle, ("factor",)),
    PixelUnshuffle: (pixel_unshuffle, ("factor",)),
    Elementwise: (tensors.elementwise, ("operator", "operand_first")),
    Softmax: (softmax, ("axis", "log")),
    Reduce: (tensors.reduce_axes, ("kind", "axes", "keep")),
    Linear: (tensors.linear, ()),
    MatMul: (tensors.matmul, ("weight_first",)),
    Gemm: (tensors.gemm, ("transposed",)),
    Slice: (tensors.take_slice, ("starts", "ends", "axes", "steps")),
    Split: (tensors.split, ("parts", "sizes", "axis")),
    Join: (tensors.join, ("axis",)),
    Gather: (tensors.gather, ("axis",)),
    Constant: (tensors.constant, ()),
    Reshape: (tensors.reshape, ("shape",)),
    Transpose: (np.transpose, ("axes",)),
    Squeeze: (tensors.squeeze, ("axes",)),
    Unsqueeze: (tensors.unsqueeze, ("axes",)),
    Expand: (tensors.expand, ("shape",)),
    Tile: (tensors.tile, ("repeats",)),
    FlattenFrom: (tensors.flatten_from, ("axis",)),
    PadAxes: (pad_axes, ("pairs", "mode", "value")),
    GatherElements: (lookup.gather_elements, ("axis",)),
    GatherND: (lookup.gather_nd, ("batch",)),
    ScatterElements: (lookup.scatter_elements, ("axis", "reduction")),
    ScatterND: (lookup.scatter_nd, ("reduction",)),
    TopK: (lookup.top_k, ("count", "axis", "largest")),
    OneHot: (lookup.one_hot, ("depth", "axis")),
    CumSum: (lookup.cumulated, ("axis", "exclusive", "reverse")),
    Triangle: (lookup.triangle, ("upper", "diagonal")),
    Einsum: (lookup.einsum, ("equation",)),
    GridSample: (grid_sample, ("mode", "beyond", "align_corners")),
    RoiAlign: (roi_align, ("size", "scale", "samples", "aligned", "kind")),
    OnnxRecurrent: (recurrent, ("kind", "bidirectional")),
    DependsOnData: (lookup.select, ("operator",)),
}
