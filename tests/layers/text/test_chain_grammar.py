from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convcli.errors import ArgumentError
from convcli.layers import (
    ACTIVATIONS,
    LRN,
    Activation,
    AdaptivePool,
    Add,
    AvgPool,
    BatchNorm,
    Branch,
    ChannelShuffle,
    Concat,
    Constant,
    Conv,
    ConvTranspose,
    DeformConv,
    Dense,
    Dropout,
    Elementwise,
    Expand,
    Flatten,
    Gather,
    GlobalPool,
    GroupNorm,
    InstanceNorm,
    Join,
    LayerNorm,
    Linear,
    LocalConv,
    LpPool,
    MatMul,
    MaxPool,
    Pad,
    PixelShuffle,
    PixelUnshuffle,
    PReLU,
    Recurrent,
    Reduce,
    Reshape,
    Resize,
    Slice,
    Softmax,
    Split,
    Squeeze,
    TiledConv,
    Transpose,
    Unsqueeze,
)
from convcli.layers.chain import shapes
from convcli.layers.elementwise import BINARY, UNARY
from convcli.layers.reductions import KINDS as REDUCTIONS
from convcli.layers.text.chain_grammar import parse_chain, parse_layer
from convcli.layers.text.format_layer import format_layer
from convcli.layers.text.operators import OPERATORS

SHAPE = (8, 20, 18)
VECTOR = (30,)


def conv(**options):
    return Conv(**{"in_channels": 8, "out_channels": 8, "kernel_size": 3} | options)


EXAMPLES = [
    ("conv k3x3 o8", conv()),
    ("conv k7x7 s2 p3 o64 nobias", conv(kernel_size=7, stride=2, padding=3, out_channels=64, bias=False)),
    ("conv k3x1 s2x1 p1x0 d2x1 g4 o12",
     conv(kernel_size=(3, 1), stride=(2, 1), padding=(1, 0), dilation=(2, 1), groups=4, out_channels=12)),
    ("conv k3x3 p1:2 o8", conv(padding=((1, 2),))),
    ("conv k3x3 p1:2x0 o8", conv(padding=((1, 2), 0))),
    ("conv k3x3 same o8", conv(padding="same")),
    ("conv k3x3 same-lower o8", conv(padding="same-lower")),
    ("convT k4x4 s2 p1 o4", ConvTranspose(in_channels=8, out_channels=4, kernel_size=4, stride=2, padding=1)),
    ("convT k3x3 s2 op1 o8",
     ConvTranspose(in_channels=8, out_channels=8, kernel_size=3, stride=2, output_padding=1)),
    ("convT k3x3 s2 p1 os40x35 o8",
     ConvTranspose(in_channels=8, out_channels=8, kernel_size=3, stride=2, padding=1, out_size=(40, 35))),
    ("convT k3x3 s2 same os40x36 o8",
     ConvTranspose(in_channels=8, out_channels=8, kernel_size=3, stride=2, padding="same", out_size=(40, 36))),
    ("dwconv k3x3 p1", conv(padding=1, groups=8)),
    ("dwconv k3x3 o16", conv(out_channels=16, groups=8)),
    ("local k3x3 o2", LocalConv(in_channels=8, out_channels=2, kernel_size=3, input_size=(20, 18))),
    ("tiled k3x3 t2x3 o8", TiledConv(in_channels=8, out_channels=8, kernel_size=3, tile=(2, 3))),
    ("maxpool k3x3 s2 p1 ceil", MaxPool(kernel_size=3, stride=2, padding=1, ceil_mode=True)),
    ("maxpool k2x2", MaxPool(kernel_size=2)),
    ("maxpool k2x2 s1", MaxPool(kernel_size=2, stride=1)),
    ("avgpool k3x3 p1 nopad", AvgPool(kernel_size=3, padding=1, count_include_pad=False)),
    ("lppool k2x2 norm2", LpPool(kernel_size=2, norm_type=2)),
    ("lppool k2x2 norm1.5", LpPool(kernel_size=2, norm_type=1.5)),
    ("lppool k2x2 norminf", LpPool(kernel_size=2, norm_type=inf)),
    ("adaptiveavgpool o7", AdaptivePool(output_size=7)),
    ("adaptivemaxpool o6x4", AdaptivePool(output_size=(6, 4), kind="max")),
    ("globalavgpool", GlobalPool()),
    ("globalmaxpool", GlobalPool(kind="max")),
    ("bn", BatchNorm(channels=8)),
    ("flatten", Flatten()),
    ("shuffle g4", ChannelShuffle(groups=4)),
    ("resize x2", Resize(scale=2)),
    ("resize x2x3 bilinear", Resize(scale=(2, 3), mode="bilinear")),
    ("resize o40x9", Resize(size=(40, 9))),
    ("resize x1.5", Resize(scale=1.5)),
    ("resize x2x0.5 bicubic", Resize(scale=(2, 0.5), mode="bicubic")),
    ("resize o40x9 bilinear align-corners", Resize(size=(40, 9), mode="bilinear", coordinates="align-corners")),
    ("dropout", Dropout()),
    ("dropout p0.2", Dropout(0.2)),
    ("prelu", PReLU()),
    ("prelu o8", PReLU(8)),
    ("lrn k5", LRN(5)),
    ("groupnorm g4", GroupNorm(4, 8)),
    ("groupnorm g2 noaffine", GroupNorm(2, 8, affine=False)),
    ("instancenorm", InstanceNorm(8)),
    ("instancenorm affine", InstanceNorm(8, affine=True)),
    ("layernorm channels", LayerNorm(8, channels=True)),
    ("pixelshuffle x2", PixelShuffle(2)),
    ("pixelunshuffle x2", PixelUnshuffle(2)),
    ("pad p1:2x0", Pad(((1, 2), (0, 0)))),
    ("pad p3 reflect", Pad(3, mode="reflect")),
    ("pad c4", Pad(0, channels=(4, 4))),
    ("branch conv k3x3 p1 o18", Branch(layer=conv(padding=1, out_channels=18))),
    *((name, Activation(name=name)) for name in [*ACTIVATIONS, "softmax"]),
]  # fmt: skip
OF_TENSORS = [
    ("reshape o4x720", Reshape((0, 4, 720))),
    ("reshape o-1x18", Reshape((0, -1, 18))),
    ("transpose a2x3x1", Transpose((0, 2, 3, 1))),
    ("squeeze", Squeeze()),
    ("squeeze a2x3", Squeeze((2, 3))),
    ("unsqueeze a2", Unsqueeze(2)),
    ("expand o8x20x18", Expand((1, 8, 20, 18))),
    ("slice a1 t4", Slice(0, 4, 1)),
    ("slice a2x3 f1x2 t-1x9 s1x2", Slice((1, 2), (-1, 9), (2, 3), (1, 2))),
    ("slice a1 f4", Slice(4, 1 << 62, 1)),
    ("split n2", Split(2)),
    ("split o3x5", Split(sizes=(3, 5))),
    ("split n3 a2", Split(3, axis=2)),
    ("concat", Concat()),
    ("concat a2", Join(2)),
    ("linear o5 nobias", Linear(18, 5, bias=False)),
    ("matmul", MatMul()),
    ("matmul o5", MatMul((18, 5))),
    ("embedding n100 o16", Gather(0, table=(100, 16))),
    ("softmax a3", Softmax(3)),
    ("softmax a1 log", Softmax(1, log=True)),
    ("constant o8x1x1 learned", Constant((1, 8, 1, 1), learned=True)),
    ("reduce-mean a2x3", Reduce("mean", (2, 3), keep=False)),
    ("reduce-l2 a1 keep", Reduce("l2", 1)),
    ("add", Add()),
    ("mul", Elementwise("mul")),
    ("mul o8x1x1 learned", Elementwise("mul", operand=(8, 1, 1), learned=True)),
    ("add o1", Elementwise("add", operand=(1,))),
    *((f"reduce-{kind} a3", Reduce(kind, 3, keep=False)) for kind in REDUCTIONS),
    *((name, Elementwise(name)) for name in [*BINARY, *UNARY, "where"] if name not in ("add", "mul")),
]  # fmt: skip
OF_SEQUENCES = [
    ("layernorm n1", LayerNorm(64), (50, 64)),
    ("layernorm n2", LayerNorm((50, 64)), (50, 64)),
    ("layernorm n1 nobias", LayerNorm(64, bias=False), (50, 64)),
    ("lstm o32", Recurrent("lstm", 64, 32), (50, 64)),
    (
        "gru o32 n2 bidirectional nobias",
        Recurrent("gru", 64, 32, layers=2, bidirectional=True, bias=False),
        (50, 64),
    ),
    ("rnn o8", Recurrent("rnn", 64, 8), (50, 64)),
]


@pytest.mark.parametrize(("text", "layer"), EXAMPLES, ids=[text for text, _ in EXAMPLES])
def test_formatted_layers_round_trip(text, layer):
    assert format_layer(layer) == text
    assert parse_chain(text, SHAPE) == (layer,)


def test_dense_round_trips():
    layer = Dense(in_features=30, out_features=10, bias=False)
    assert format_layer(layer) == "dense o10 nobias"
    assert parse_chain("dense o10 nobias", VECTOR) == (layer,)


@pytest.mark.parametrize(("text", "layer"), OF_TENSORS, ids=[text for text, _ in OF_TENSORS])
def test_layers_of_tensors_round_trip(text, layer):
    assert format_layer(layer) == text
    assert parse_layer(text, SHAPE) == layer


@pytest.mark.parametrize(("text", "layer", "shape"), OF_SEQUENCES, ids=[text for text, *_ in OF_SEQUENCES])
def test_layers_of_sequences_round_trip(text, layer, shape):
    assert format_layer(layer) == text
    assert parse_chain(text, shape) == (layer,)


def test_every_operator_has_an_example():
    words = {text.split()[0] for text, *_ in [*EXAMPLES, *OF_TENSORS, *OF_SEQUENCES]} | {
        "dense",
        "deform",
        "upsample",
    }
    assert set(OPERATORS) <= words


@pytest.mark.parametrize(
    ("short", "long"),
    [
        ("conv k3", "conv k3x3 o8"),
        ("CONV k3", "conv k3x3 o8"),
        ("convt k3", "convT k3x3 o8"),
        ("transposed k3", "convT k3x3 o8"),
        ("depthwise k3", "dwconv k3x3"),
        ("tiled k3", "tiled k3x3 t2 o8"),
        ("lppool k2", "lppool k2x2 norm2"),
        ("upsample", "resize x2"),
        ("upsample x3 bilinear", "resize x3 bilinear"),
        ("batchnorm", "bn"),
        ("flatten, linear o3", "flatten, dense o3"),
        ("conv k3 full", "conv k3x3 p2 o8"),
        ("conv k3 valid", "conv k3x3 o8"),
        ("conv  k3\tp1 ,relu", "conv k3x3 p1 o8, relu"),
    ],
)
def test_short_forms(short, long):
    layers = parse_chain(short, SHAPE)
    assert ", ".join(map(format_layer, layers)) == long
    assert parse_chain(long, SHAPE) == layers


@pytest.mark.parametrize("shape", [(8, 20), (8, 20, 18), (8, 12, 12, 12)])
def test_axes_come_from_the_shape(shape):
    text = "conv k3 o4, maxpool k2, adaptiveavgpool o2, upsample, convT k2 s2, deform k1, local k1, tiled k1"
    layers = parse_chain(text, shape)
    assert parse_chain(", ".join(map(format_layer, layers)), shape) == layers
    assert len(shapes(layers, shape)[-1]) == len(shape)


def test_the_chain_of_the_design():
    layers = parse_chain("conv k7 s2 p3 o64, relu, maxpool k3 s2 p1, conv k3 d2 g4 nobias", (3, 224, 224))
    assert shapes(layers, (3, 224, 224)) == [(64, 112, 112), (64, 112, 112), (64, 56, 56), (64, 52, 52)]
    assert layers[3] == Conv(in_channels=64, out_channels=64, kernel_size=3, dilation=2, groups=4, bias=False)


def test_deform_brings_its_predictor_unless_a_branch_is_written():
    branch, deform = parse_chain("deform k3 p1 o6 og2 mask", SHAPE)
    assert deform == DeformConv(
        in_channels=8, out_channels=6, kernel_size=3, padding=1, offset_groups=2, mask=True
    )
    assert branch == Branch(layer=deform.predictor())
    text = "branch conv k3x3 p1 o54, deform k3x3 p1 og2 o6 mask"
    assert ", ".join(map(format_layer, (branch, deform))) == text
    assert parse_chain(text, SHAPE) == (branch, deform)


@given(
    st.lists(
        st.sampled_from([text for text, _ in EXAMPLES if text.split()[0] not in ("flatten",)]), max_size=3
    )
)
def test_chains_round_trip(items):
    try:
        layers = parse_chain(", ".join(["conv k1", *items]), (8, 60, 60))
    except ArgumentError:
        return  # groups or sizes that do not fit after the others
    assert parse_chain(", ".join(map(format_layer, layers)), (8, 60, 60)) == layers


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("conv k3 q4", "layer 1 of the chain, 'conv k3 q4': 'q4' is not an option of conv; "
         "it takes k s p d g o nobias"),
        ("conv k3, relu k3", "layer 2 of the chain, 'relu k3': 'k3' is not an option of relu; it takes none"),
        ("conv k3 op1", "'op1' is not an option of conv"),
        ("conv k=3", "'k=3' is not an option of conv; did you mean 'k3'?"),
        ("conv k3 -> relu", "layer 1 of the chain, 'conv k3 -> relu': layers are separated by commas; did you mean 'conv k3, relu'?"),
        ("conv k3; relu", "layers are separated by commas; did you mean 'conv k3, relu'?"),
        ("relu, conv k3;relu|flatten", "layer 2 of the chain, 'conv k3;relu|flatten': layers are separated by commas; did you "
         "mean 'conv k3, relu, flatten'?"),
        ("relu then relu + relu =>", "did you mean 'relu, relu, relu'?"),
        ("conv k3 > 5", "'>' is not an option of conv; it takes k s p d g o nobias"),
        ("convT k3 s2 os99", "the output size 99 along the height is not possible; it must be 41 to 42: change the size"),
        ("convT k3 s2 same os41", "the output size 41 along the height is not possible; it must be 40: change"),
        ("convT k3 s2 op1 os42", "output_padding 1x1 and out_size 42x42 both determine the output size"),
        ("convT k3 s2 os42x36x2", "out_size 42x36x2 has 3 axes where 2 are needed"),
        ("maxpool k2 o4", "'o4' is not an option of maxpool; it takes k s p d ceil"),
        ("conv", "layer 1 of the chain, 'conv': conv needs k, its kernel_size, such as k3"),
        ("flatten, dense", "dense needs o, its out_features, such as o3"),
        ("cnv k3", "'cnv' is not an operator; did you mean 'conv'?"),
        ("", "layer 1 of the chain, '': it is empty; write layers separated by commas, such as 'conv k3 p1 o64, relu'"),
        ("conv k3, ", "layer 2 of the chain, '': it is empty"),
        ("branch", "layer 1 of the chain, 'branch': it is empty"),
        ("branch deform k3", "a branch is one layer, but deform needs a branch of its own"),
        ("conv k3 k5", "'k5' gives the kernel_size a second time"),
        ("conv k3 p1 same", "'same' gives the padding a second time"),
        ("conv k3 nobias nobias", "'nobias' gives the bias a second time"),
        ("conv k", "'k' is not an option of conv"),
        ("conv k3-1", "'k3-1': '3-1' is not a size: '3-1' is not a whole number"),
        ("conv k3x", "'k3x': '3x' is not a size"),
        ("conv k3 p1:x", "'p1:x': '1:x' is not a padding"),
        ("conv k3 o3x3", "'o3x3': '3x3' is not a whole number"),
        ("lppool k2 norm1.2.3", "'norm1.2.3': '1.2.3' is not a number"),
        ("conv k3x3x3", "kernel_size 3x3x3 has 3 axes where 2 are needed"),
        ("conv k0", "layer 1 of the chain, 'conv k0': kernel_size must be at least 1, got 0"),
        ("conv k21", "layer 1 of the chain, 'conv k21': the output would be empty: along the height"),
        ("conv k3 g3", "in_channels 8 cannot be divided into 3 equal groups"),
        ("flatten, conv k3", "layer 2 of the chain, 'conv k3': it needs spatial axes to slide over, the input is a "
         "vector of 2880"),
        ("flatten, local k3", "it needs spatial axes to slide over"),
        ("dense o3", "a dense layer takes a vector, the input is 8x20x18; flatten it first"),
        ("shuffle g3", "the input's 8 channels cannot be divided into 3 equal groups"),
        ("resize", "resize takes either `scale` or `size`; give exactly one of them"),
        ("resize x0.01", "the output would be empty: 20x18 times 0.01x0.01 is below 1; take a larger scale"),
        ("conv2d k3", "'conv2d' is not an operator; did you mean 'conv k3'?"),
        ("maxpool2d k2", "'maxpool2d' is not an operator; did you mean 'maxpool k2'?"),
        ("Conv2d(4, 8, 3)", "layer 1 of the chain, 'Conv2d(4, 8, 3)': 'Conv2d(4,' is not an operator; did you mean "
         "'conv o8 k3'?"),
        ("relu, nn.Conv2d(8, 16, (3, 5), padding=1, bias=False)", "did you mean 'conv o16 k3x5 p1 nobias'?"),
        ("add", "it takes 2 or more inputs, but in a chain it gets one; use a network file"),
        ("mul", "it takes 2 or more inputs, but in a chain it gets one; use a network file"),
        ("split n2", "it makes 2 outputs, but a chain continues with one; use slice"),
        ("constant o8", "it takes no input, but in a chain it gets one"),
        ("layernorm", "layernorm needs n, the number of last axes that it normalises, such as n3 for all of them"),
        ("lstm o4", "a lstm takes time x features, the input has 3 axes"),
        ("pixelshuffle x3", "the input's 8 channels cannot be shuffled by the factor 3: they must be a multiple of 9"),
        ("pixelunshuffle x3", "the input size 20x18 must be a multiple of the factor 3 on every axis"),
        ("reshape o5", "the 2,880 elements of 1x8x20x18 cannot be reshaped to 0x5"),
        ("transpose a1x2", "a permutation of 3 axes does not fit the input 1x8x20x18"),
        ("transpose a1x1x2", "the axes 0, 1, 1, 2 must be a permutation of 0 to 3"),
        ("reduce-mean a4", "there is no axis 4 in a tensor of 4 axes; choose one from -4 to 3"),
        ("slice a1 f8", "the output would be empty: 8:4611686018427387904:1 selects none of the 8 elements of axis 1"),
        ("squeeze a1", "the axis 1 of 1x8x20x18 has size 8; only axes of size 1 can be removed"),
        ("prelu o3", "a prelu has one slope or one per channel, here 1 or 8, not 3"),
        ("groupnorm g3", "8 channels cannot be divided into 3 equal groups"),
        ("pad p-3", "'p-3' is not an option of pad"),
    ],
)  # fmt: skip
def test_errors_name_the_item_and_the_token(text, message):
    with pytest.raises(ArgumentError) as caught:
        parse_chain(text, SHAPE)
    assert message in str(caught.value)


def test_the_input_shape_is_checked_first():
    with pytest.raises(ArgumentError, match=r"^the input's height must be at least 1, got 0"):
        parse_chain("conv k3", (8, 0, 4))


@pytest.mark.parametrize("text", [text for text, _ in EXAMPLES if not text.startswith(("local", "pixelun"))])
def test_most_layers_are_read_without_the_sizes(text):
    assert parse_chain(text, (8, None, None)) == parse_chain(text, SHAPE)


def test_sizes_are_known_again_after_layers_that_fix_them():
    tail = "flatten, bn, dense o3"
    for text in (
        "globalavgpool",
        "adaptivemaxpool o2x3",
        "resize o4",
        "conv k3, resize o4 bilinear, local k3",
    ):
        parse_chain(f"conv k3 o5, {text}, {tail}", (8, None, None))
    assert parse_chain("globalmaxpool, flatten, dense o3", (8, None, None))[2].in_features == 8
    for text in ("conv k3", "upsample", "convT k3 os9", "maxpool k2"):
        with pytest.raises(
            ArgumentError, match="layer 3 of the chain, 'bn': the weights of bn depend on the input size"
        ):
            parse_chain(f"{text}, {tail}", (8, None, None))
    with pytest.raises(ArgumentError, match="'local k3': the weights of local depend on the input size"):
        parse_chain("local k3", (8, None, None))
    with pytest.raises(ArgumentError, match="'dense o3': the weights of dense depend on the input size"):
        parse_chain("flatten, dense o3", (8, None, None))
