"""The operators of a chain: the options of each, and the layer that it makes for an input shape."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

from convcli import layers
from convcli.errors import ArgumentError
from convcli.layers.axes import OpenShape, Shape, needs_size
from convcli.layers.base import Layer
from convcli.layers.elementwise import BINARY, UNARY, WHERE
from convcli.layers.padding import MODES
from convcli.layers.reductions import KINDS as REDUCTIONS

Options = dict[str, Any]


class Operator(NamedTuple):
    """The options of an operator, and how its layer is made.

    options : letters and words, followed by `!` if required, by `=field` if a letter sets another field than in other
              layers, or by `=field=value` for a word that sets a field to a value
    make    : make the layer for an input shape and the given options
    """

    options: str
    make: Callable[[OpenShape, Options], Layer]


def _axes(shape: OpenShape) -> Options:
    if len(shape) == 1:
        of = "" if shape[0] is None else f" of {shape[0]}"
        raise ArgumentError(f"it needs spatial axes to slide over, the input is a vector{of}")
    return {"dims": len(shape) - 1}


def _known(shape: OpenShape, name: str) -> Shape:
    """Return a shape without unknown sizes; raise ArgumentError if a size is unknown that `name` needs."""
    known = tuple(n for n in shape if n is not None)
    if len(known) < len(shape):
        raise ArgumentError(needs_size(name))
    return known


def _features(shape: OpenShape) -> int:
    """Return the length of a vector; for other inputs the channels, because the layer itself reports the error."""
    if len(shape) > 1 and None in shape:
        raise ArgumentError(
            f"a dense layer takes a vector, the input has {len(shape) - 1} spatial axes; flatten it first"
        )
    return _known(shape, "dense")[0]


def _channels(shape: OpenShape) -> Options:
    (channels,) = _known(shape[:1], "conv")
    return {"in_channels": channels, "out_channels": channels}


def _conv(shape: OpenShape) -> Options:
    return _axes(shape) | _channels(shape)


def _local(shape: OpenShape, given: Options) -> Layer:
    _axes(shape)
    return layers.LocalConv(**_channels(shape) | {"input_size": _known(shape, "local")[1:]} | given)


def _sequence(shape: OpenShape, given: Options) -> Layer:
    """Return a dense layer along the last axis; for a vector the usual Dense."""
    if len(shape) == 1:
        return layers.Dense(in_features=_features(shape), **given)
    return layers.Linear(in_features=_last(shape, "linear"), **given)


def _last(shape: OpenShape, name: str) -> int:
    if shape[-1] is None:
        raise ArgumentError(needs_size(name))
    return shape[-1]


def _layer_norm(shape: OpenShape, given: Options) -> Layer:
    """Return a layer that normalises the channels, the given number of last axes, or all axes of a short input."""
    if given.get("channels"):
        return layers.LayerNorm(_known(shape[:1], "layernorm")[0], **given)
    count = given.pop("count", None)
    if count is None and len(shape) > 2:
        raise ArgumentError(
            f"layernorm needs n, the number of last axes that it normalises, such as n{len(shape)} for all of them, or "
            "the word channels"
        )
    return layers.LayerNorm(_known(shape, "layernorm")[-(count or 1) :], **given)


def _recurrent(kind: str, shape: OpenShape, given: Options) -> Layer:
    if len(shape) != 2:
        raise ArgumentError(f"a {kind} takes time x features, the input has {len(shape)} axes")
    return layers.Recurrent(kind, _last(shape, kind), **given)


def _pad(shape: OpenShape, given: Options) -> Layer:
    pairs = given.pop("beside", None)
    if pairs is not None:
        given["channels"] = (pairs, pairs) if isinstance(pairs, int) else pairs[0]
    return layers.Pad(**_axes(shape) | given)


def _items(sizes: int | Sequence[int]) -> tuple[int, ...]:
    """Return the sizes of an item with the batch axis, which is kept, in front."""
    return (0, *((sizes,) if isinstance(sizes, int) else sizes))


def _elementwise(name: str, shape: OpenShape, given: Options) -> Layer:
    if name == "add" and not given:
        return layers.Add()
    return layers.Elementwise(name, **given)


def _embedding(shape: OpenShape, given: Options) -> Layer:
    return layers.Gather(0, table=(given["count"], given["out_features"]))


def _softmax(shape: OpenShape, given: Options) -> Layer:
    return layers.Softmax(**given) if given else layers.Activation("softmax")


def _split(shape: OpenShape, given: Options) -> Layer:
    return layers.Split(**given)


def _concat(shape: OpenShape, given: Options) -> Layer:
    return layers.Join(**given) if given.get("axis", 1) != 1 else layers.Concat()


_BLENDS = "bilinear bicubic align-corners=coordinates=align-corners"
_OPERAND = "o=operand learned=learned=True"

OPERATORS: dict[str, Operator] = {
    "conv": Operator("k! s p d g o nobias", lambda shape, given: layers.Conv(**_conv(shape) | given)),
    "convT": Operator(
        "k! s p op os d g o nobias", lambda shape, given: layers.ConvTranspose(**_conv(shape) | given)
    ),
    "dwconv": Operator(
        "k! s p d o nobias",
        lambda shape, given: layers.Conv(**_conv(shape) | {"groups": shape[0]} | given),
    ),
    "deform": Operator(
        "k! s p d g og o mask nobias", lambda shape, given: layers.DeformConv(**_conv(shape) | given)
    ),
    "local": Operator("k! s p d o nobias", _local),
    "tiled": Operator("k! s p d t o nobias", lambda shape, given: layers.TiledConv(**_conv(shape) | given)),
    "maxpool": Operator("k! s p d ceil", lambda shape, given: layers.MaxPool(**_axes(shape) | given)),
    "avgpool": Operator("k! s p d ceil nopad", lambda shape, given: layers.AvgPool(**_axes(shape) | given)),
    "lppool": Operator(
        "k! s p d norm ceil",
        lambda shape, given: layers.LpPool(**_axes(shape) | {"norm_type": 2} | given),
    ),
    "adaptiveavgpool": Operator(
        "o=output_size!", lambda shape, given: layers.AdaptivePool(**_axes(shape) | given, kind="avg")
    ),
    "adaptivemaxpool": Operator(
        "o=output_size!", lambda shape, given: layers.AdaptivePool(**_axes(shape) | given, kind="max")
    ),
    "globalavgpool": Operator("", lambda shape, given: layers.GlobalPool(kind="avg")),
    "globalmaxpool": Operator("", lambda shape, given: layers.GlobalPool(kind="max")),
    "bn": Operator("", lambda shape, given: layers.BatchNorm(channels=_known(shape[:1], "bn")[0])),
    "dense": Operator(
        "o=out_features! nobias",
        lambda shape, given: layers.Dense(in_features=_features(shape), **given),
    ),
    "flatten": Operator("", lambda shape, given: layers.Flatten()),
    "shuffle": Operator("g!", lambda shape, given: layers.ChannelShuffle(**given)),
    "resize": Operator(f"x o=size {_BLENDS}", lambda shape, given: layers.Resize(**_axes(shape) | given)),
    "upsample": Operator(
        f"x {_BLENDS}", lambda shape, given: layers.Resize(**_axes(shape) | {"scale": 2} | given)
    ),
    "dropout": Operator("p=p", lambda shape, given: layers.Dropout(**given)),
    "prelu": Operator("o=slopes", lambda shape, given: layers.PReLU(**given)),
    "lrn": Operator("k=size", lambda shape, given: layers.LRN(**given)),
    "groupnorm": Operator(
        "g! noaffine=affine=False",
        lambda shape, given: layers.GroupNorm(channels=_known(shape[:1], "groupnorm")[0], **given),
    ),
    "layernorm": Operator("n=count channels=channels=True noaffine=affine=False nobias", _layer_norm),
    "instancenorm": Operator(
        "affine=affine=True",
        lambda shape, given: layers.InstanceNorm(_known(shape[:1], "instancenorm")[0], **given),
    ),
    "pixelshuffle": Operator("x=factor!", lambda shape, given: layers.PixelShuffle(**given)),
    "pixelunshuffle": Operator("x=factor!", lambda shape, given: layers.PixelUnshuffle(**given)),
    "pad": Operator(
        " ".join(["p", "c=beside", *(f"{mode}=mode={mode}" for mode in MODES if mode != "zeros")]), _pad
    ),
    "reshape": Operator("o=shape!", lambda shape, given: layers.Reshape(_items(given["shape"]))),
    "transpose": Operator("a=axes!", lambda shape, given: layers.Transpose(_items(given["axes"]))),
    "squeeze": Operator("a=axes", lambda shape, given: layers.Squeeze(**given)),
    "unsqueeze": Operator("a=axes!", lambda shape, given: layers.Unsqueeze(**given)),
    "expand": Operator("o=shape!", lambda shape, given: layers.Expand((1, *_items(given["shape"])[1:]))),
    "slice": Operator(
        "a=axes! f=starts t=ends s=steps",
        lambda shape, given: layers.Slice(**{"starts": 0, "ends": 1 << 62} | given),
    ),
    "split": Operator("n=parts o=sizes a=axis", _split),
    "concat": Operator("a=axis", _concat),
    "linear": Operator("o=out_features! nobias", _sequence),
    "matmul": Operator(
        "o=out_features",
        lambda shape, given: layers.MatMul(
            (_last(shape, "matmul"), given["out_features"]) if given else None
        ),
    ),
    "embedding": Operator("n=count! o=out_features!", _embedding),
    "softmax": Operator("a=axis log=log=True", _softmax),
    "constant": Operator(
        "o=shape! learned=learned=True",
        lambda shape, given: layers.Constant(
            (1, *_items(given["shape"])[1:]), learned=given.get("learned", False)
        ),
    ),
    **{
        kind: Operator(
            "o=hidden! n=layers bidirectional=bidirectional=True nobias", partial(_recurrent, kind)
        )
        for kind in ("rnn", "lstm", "gru")
    },
    **{
        f"reduce-{kind}": Operator(
            "a=axes keep=keep=True",
            partial(lambda kind, shape, given: layers.Reduce(kind, **{"keep": False} | given), kind),
        )
        for kind in REDUCTIONS
    },
    **{name: Operator(_OPERAND, partial(_elementwise, name)) for name in (*BINARY, WHERE)},
    **{name: Operator("", partial(_elementwise, name)) for name in UNARY},
}

ALIASES = {
    "transposed": "convT",
    "depthwise": "dwconv",
    "batchnorm": "bn",
    "cat": "concat",
    "fc": "dense",
    "layer-norm": "layernorm",
    "group-norm": "groupnorm",
    "instance-norm": "instancenorm",
}
