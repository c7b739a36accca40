"""Layers as PyTorch, Keras and papers call them are answered with an item of a chain that can be parsed."""

import pytest

from convcli.errors import ArgumentError
from convcli.layers import Conv, ConvTranspose
from convcli.layers.text.chain_grammar import parse_chain
from convcli.layers.text.foreign_layers import LAYERS, SEPARABLE, suggested_layer

SHAPE = (8, 32, 32)
TYPED = {  # as it is typed, and what it is here
    "convtranspose k4 s2 p1 o32": "convT k4 s2 p1 o32",
    "conv2d k3 p1 o64": "conv k3 p1 o64",
    "Conv2D k3 o64 nobias": "conv k3 o64 nobias",
    "convtranspose2d k4 s2 o32": "convT k4 s2 o32",
    "Conv2DTranspose(32, 4, strides=2)": "convT o32 k4 s2",
    "conv_transpose k2 s2 o4": "convT k2 s2 o4",
    "deconv k4 s2 o32": "convT k4 s2 o32",
    "DepthwiseConv2D k3": "dwconv k3",
    "depthwise_conv k3 p1": "dwconv k3 p1",
    "separable k3 p1 o32": "dwconv k3 p1, conv k1 o32",
    "SeparableConv2D(32, 3)": "dwconv k3, conv k1 o32",
    "pointwise o16": "conv k1 o16",
    "MaxPool2d(2)": "maxpool k2",
    "maxpool2d k3 s2 p1": "maxpool k3 s2 p1",
    "MaxPooling2D(pool_size=3, strides=2)": "maxpool k3 s2",
    "avgpool2d k2": "avgpool k2",
    "AveragePooling2D k2": "avgpool k2",
    "nn.AdaptiveAvgPool2d((7, 7))": "adaptiveavgpool o7x7",
    "adaptiveavgpool2d o1": "adaptiveavgpool o1",
    "GlobalAveragePooling2D": "globalavgpool",
    "gap": "globalavgpool",
    "LPPool2d(2, 3)": "lppool norm2 k3",
    "batchnorm2d": "bn",
    "nn.BatchNorm2d(64)": "bn",
    "BatchNormalization": "bn",
    "batch_norm": "bn",
    "instancenorm2d": "instancenorm",
    "GroupNorm(4, 8)": "groupnorm g4",
    "LayerNormalization": "layernorm channels",
    "LocalResponseNorm(5)": "lrn k5",
    "Dense(10)": "dense o10",
    "fully-connected o10": "dense o10",
    "nn.Linear(512, 10, bias=False)": "linear o10 nobias",
    "Dropout2d(0.5)": "dropout p0.5",
    "SpatialDropout2D(0.5)": "dropout p0.5",
    "ZeroPad2d(1)": "pad p1",
    "ReflectionPad2d(2)": "pad reflect p2",
    "ZeroPadding2D p1": "pad p1",
    "UpSampling2D x2": "upsample x2",
    "nn.Upsample(scale_factor=2)": "upsample x2",
    "PixelShuffle(2)": "pixelshuffle x2",
    "ChannelShuffle(4)": "shuffle g4",
    "nn.LeakyReLU()": "leaky-relu",
    "nn.Hardswish()": "hard-swish",
    "torch.nn.ReLU6(inplace=True)": "relu6",
    "Flatten()": "flatten",
}  # fmt: skip


@pytest.mark.parametrize(("typed", "here"), TYPED.items())
def test_a_layer_of_another_program_is_an_item_here(typed: str, here: str) -> None:
    assert suggested_layer(typed) == here
    assert parse_chain(here, SHAPE if not here.startswith("dense") else (8,))


def test_the_suggestion_is_in_the_error_of_a_chain() -> None:
    with pytest.raises(ArgumentError) as error:
        parse_chain("conv k3, convtranspose k4 s2 p1 o32", SHAPE)
    assert str(error.value) == (
        "layer 2 of the chain, 'convtranspose k4 s2 p1 o32': 'convtranspose' is not an operator; did you mean "
        "'convT k4 s2 p1 o32'?"
    )


def test_every_name_of_the_table_is_an_operator_here() -> None:
    """With the options that it needs, because a name alone may be incomplete."""
    needs = {"conv": "k3", "convT": "k3", "dwconv": "k3", "deform": "k3", "local": "k3", SEPARABLE: "k3 o4"}
    needs |= dict.fromkeys(("maxpool", "avgpool", "lppool"), "k2") | {"groupnorm": "g2", "shuffle": "g2"}
    needs |= {"pixelshuffle": "x2", "pixelunshuffle": "x2", "adaptiveavgpool": "o2", "adaptivemaxpool": "o2"}
    needs |= dict.fromkeys(("dense", "linear"), "o2")
    for name, (operator, _) in LAYERS.items():
        if operator == "concat":
            continue  # in a network file, as it has several inputs
        if operator in ("lstm", "gru"):
            assert parse_chain(suggested_layer(f"{name} o4"), (8, 16))
        else:
            shape = (8,) if operator == "dense" else SHAPE
            suggested = suggested_layer(f"{name} {needs.get(operator, '')}".strip())
            assert parse_chain(suggested, shape), name


def test_transposed_and_plain_layers_are_not_confused() -> None:
    (plain,) = parse_chain(suggested_layer("Conv2d(8, 4, 3, 2)"), SHAPE)
    (transposed,) = parse_chain(suggested_layer("ConvTranspose2d(8, 4, 3, 2)"), SHAPE)
    assert plain == Conv(in_channels=8, out_channels=4, kernel_size=3, stride=2)
    assert transposed == ConvTranspose(in_channels=8, out_channels=4, kernel_size=3, stride=2)
