"""Published networks: parameters, multiply-adds, sizes and receptive fields as published."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from convcli import networks
from convcli.errors import ArgumentError
from convcli.layers import Conv, ConvTranspose, DeformConv
from convcli.networks.zoo.index import ZOO, find

# Parameters, and 10^9 multiply-adds to three decimals, as torchvision publishes them: `num_params` and `_ops` of the `meta`
# of its weights.
TORCHVISION = {
    "alexnet": (61_100_840, 0.714),
    "vgg-11": (132_863_336, 7.609),
    "vgg-13": (133_047_848, 11.308),
    "vgg-16": (138_357_544, 15.470),
    "vgg-19": (143_667_240, 19.632),
    "vgg-11-bn": (132_868_840, 7.609),
    "vgg-13-bn": (133_053_736, 11.308),
    "vgg-16-bn": (138_365_992, 15.470),
    "vgg-19-bn": (143_678_248, 19.632),
    "googlenet": (6_624_904, 1.498),
    "squeezenet-1.0": (1_248_424, 0.819),
    "squeezenet-1.1": (1_235_496, 0.349),
    "resnet-18": (11_689_512, 1.814),
    "resnet-34": (21_797_672, 3.664),
    "resnet-50": (25_557_032, 4.089),
    "resnet-101": (44_549_160, 7.801),
    "resnet-152": (60_192_808, 11.514),
    "resnext-50-32x4d": (25_028_904, 4.230),
    "resnext-101-32x8d": (88_791_336, 16.414),
    "wide-resnet-50-2": (68_883_240, 11.398),
    "wide-resnet-101-2": (126_886_696, 22.753),
    "densenet-121": (7_978_856, 2.834),
    "densenet-161": (28_681_000, 7.728),
    "densenet-169": (14_149_480, 3.360),
    "densenet-201": (20_013_928, 4.291),
    "mobilenet-v2": (3_504_872, 0.301),
    "mobilenet-v3-large": (5_483_032, 0.217),
    "mobilenet-v3-small": (2_542_856, 0.057),
    "mnasnet": (4_383_312, 0.314),
    "mnasnet:width=0.5": (2_218_512, 0.104),
    "mnasnet:width=0.75": (3_170_208, 0.215),
    "mnasnet:width=1.3": (6_282_256, 0.526),
    "shufflenet-v2": (2_278_604, 0.145),
    "shufflenet-v2:width=0.5": (1_366_792, 0.040),
    "shufflenet-v2:width=1.5": (3_503_624, 0.296),
    "shufflenet-v2:width=2": (7_393_996, 0.583),
    "efficientnet-b0": (5_288_548, 0.386),
    "efficientnet-b1": (7_794_184, 0.687),
    "efficientnet-b2": (9_109_994, 1.088),
    "efficientnet-b3": (12_233_232, 1.827),
    "efficientnet-b4": (19_341_616, 4.394),
    "efficientnet-b5": (30_389_784, 10.266),
    "efficientnet-b6": (43_040_704, 19.068),
    "efficientnet-b7": (66_347_960, 37.746),
    "convnext-tiny": (28_589_128, 4.456),
    "convnext-small": (50_223_688, 8.684),
    "convnext-base": (88_591_464, 15.355),
    "convnext-large": (197_767_336, 34.361),
    "fcn-resnet-50": (35_322_218, 152.717),
    "fcn-resnet-101": (54_314_346, 232.738),
    "deeplab-v3-resnet-50": (42_004_074, 178.722),
    "deeplab-v3-resnet-101": (60_996_202, 258.743),
}


@pytest.mark.parametrize("name", TORCHVISION)
def test_parameters_and_multiply_adds_are_those_of_torchvision(name):
    params, gmacs = TORCHVISION[name]
    totals = networks.load(name).totals()
    assert totals["params"] == params
    assert round(totals["macs"] / 1e9, 3) == gmacs


def test_inception_v3_is_torchvisions_without_its_auxiliary_classifier():
    auxiliary = 768 * 128 + 2 * 128 + 128 * 768 * 5 * 5 + 2 * 768 + 768 * 1000 + 1000
    totals = networks.load("inception-v3").totals()
    assert totals["params"] + auxiliary == 27_161_264
    assert round(totals["macs"] / 1e9, 3) == 5.713


# Keras counts BatchNorm's moving statistics, which are buffers here; its Inception v3 has no gamma.
@pytest.mark.parametrize(
    ("name", "params", "gammas"),
    [("xception", 22_910_480, 0), ("mobilenet-v1", 4_253_864, 0), ("inception-v3", 23_851_784, 34_432 // 2)],
)
def test_parameters_with_moving_statistics_are_those_of_keras(name, params, gammas):
    totals = networks.load(name).totals()
    assert totals["params"] + totals["buffers"] - gammas == params


def test_lenet_5_has_the_published_figures():
    totals = networks.load("lenet-5").totals()
    assert (totals["params"], totals["macs"]) == (
        61_706,
        416_520,
    )  # LeCun et al., section II.B, with a full C3


@pytest.mark.parametrize("name", ["googlenet", "inception-v1"])
def test_inception_v1_has_the_sizes_of_its_table(name):
    rows = networks.load(name).rows()
    assert [row["output_shape"] for row in rows if row["layer"] == "concat"] == [
        [256, 28, 28], [480, 28, 28],
        [512, 14, 14], [512, 14, 14], [512, 14, 14], [528, 14, 14], [832, 14, 14],
        [832, 7, 7], [1024, 7, 7],
    ]  # fmt: skip


@pytest.mark.parametrize(  # models that ship with the onnx package, exported from Caffe and Caffe2
    ("name", "light"),
    [
        ("vgg-19", "vgg19"),
        ("squeezenet-1.1", "squeezenet"),
        ("resnet-50", "resnet50"),
        ("inception-v1", "inception_v1"),
    ],
)
def test_the_layers_are_those_of_models_that_ship_with_onnx(name, light):
    onnx = pytest.importorskip("onnx", reason="onnx is not installed, which brings the models of this test")
    path = Path(onnx.__file__).parent / "backend" / "test" / "data" / "light" / f"light_{light}.onnx"
    if not path.exists():
        pytest.skip("the light models are not in this version of onnx")
    ours, theirs = networks.load(name), networks.load(path)
    ends = {"adaptiveavgpool", "globalavgpool", "avgpool", "flatten", "reshape", "softmax"}
    kinds = [
        Counter(row["layer"].split()[0] for row in network.rows() if row["layer"].split()[0] not in ends)
        for network in (ours, theirs)
    ]
    assert kinds[0] == kinds[1]
    assert ours.params() == theirs.params()
    if name != "inception-v1":  # whose pools round down in that model
        assert ours.totals()["macs"] == theirs.totals()["macs"]


@pytest.mark.parametrize(  # arXiv 1704.04861, tables 6 and 7
    ("width", "side", "mega", "params"),
    [
        (1, 224, 569, 4.2),
        (0.75, 224, 325, 2.6),
        (0.5, 224, 149, 1.3),
        (0.25, 224, 41, 0.5),
        (1, 192, 418, 4.2),
        (1, 160, 290, 4.2),
        (1, 128, 186, 4.2),
    ],
)
def test_mobilenet_v1_at_every_width_and_resolution(width, side, mega, params):
    totals = networks.load("mobilenet-v1", (3, side, side), width=width).totals()
    assert abs(totals["macs"] / 1e6 - mega) <= 1
    assert round(totals["params"] / 1e6, 1) == params


def test_the_base_of_mobilenet_v1_and_its_classifier():
    rows = networks.load("mobilenet-v1").rows()
    convs = [row for row in rows if "conv" in row["layer"]]
    assert sum(row["weights"] for row in convs) == 3_185_088
    assert sum(row["macs"] for row in convs) == 567_716_352
    assert [row["macs"] for row in rows if row["layer"].startswith("dense")] == [1_024_000]


@pytest.mark.parametrize(  # TF-slim's table of MobileNet v2
    ("width", "side", "mega"),
    [
        (1.4, 224, 582),
        (1.3, 224, 509),
        (1, 192, 221),
        (1, 96, 56),
        (0.75, 224, 209),
        (0.5, 224, 97),
        (0.35, 224, 59),
    ],
)
def test_mobilenet_v2_at_other_widths_and_resolutions(width, side, mega):
    totals = networks.load("mobilenet-v2", (3, side, side), width=width).totals()
    assert abs(totals["macs"] / 1e6 - mega) <= 1


def test_xception_has_an_activation_before_each_separable_convolution_but_the_first():
    network = networks.load("xception")
    block3 = [node.name.split(".")[1] for node in network.nodes if node.name.startswith("block3.")]
    block2 = [node.name.split(".")[1] for node in network.nodes if node.name.startswith("block2.")]
    one = ["dwconv1", "conv1", "bn1"]
    assert block2 == [*one, "relu1", "dwconv2", "conv2", "bn2", "maxpool1", "conv3", "bn3", "add1"]
    assert block3 == ["relu1", *one, "relu2", "dwconv2", "conv2", "bn2", "maxpool1", "conv3", "bn3", "add1"]
    assert sum(row["layer"] == "relu" for row in network.rows()) == 2 + 1 + 2 * 2 + 8 * 3 + 2 + 2


@pytest.mark.parametrize(  # arXiv 1707.01083, table 1, without the classifier
    ("groups", "mega"), [(1, 143), (2, 140), (3, 137), (4, 133), (8, 137)]
)
def test_shufflenet_v1_with_any_groups(groups, mega):
    rows = networks.load("shufflenet-v1", groups=groups).rows()
    assert round(sum(row["macs"] for row in rows if "conv" in row["layer"]) / 1e6) == mega


@pytest.mark.parametrize(  # the authors' ShuffleNet-Series, with the classifier
    ("groups", "width", "mega", "params"), [(3, 0.5, 38, 0.7), (3, 2, 524, 5.5), (8, 2, 522, 6.5)]
)
def test_shufflenet_v1_of_other_widths(groups, width, mega, params):
    totals = networks.load("shufflenet-v1", groups=groups, width=width).totals()
    assert round(totals["macs"] / 1e6) == mega
    assert round(totals["params"] / 1e6, 1) == params


def field(name, node, axis=0, shape=None):
    row = next(row for row in networks.load(name, shape).rows() if row["name"] == node)
    return row["receptive_field"][axis], row["effective_stride"][axis], row["effective_padding"][axis]


def sizes_seen(name, operators):
    """Return the receptive fields after the layers of some operators, without duplicates."""
    rows = networks.load(name).rows()
    found = [row["receptive_field"][0] for row in rows if row["layer"].split()[0] in operators]
    return list(dict.fromkeys(found))


# Araujo, Norris & Sim, "Computing Receptive Fields of Convolutional Neural Networks" (Distill 2019).
@pytest.mark.parametrize(
    ("name", "node", "seen"),
    [
        ("alexnet-v2", "pool5", (195, 32, 64)),
        ("vgg-16", "pool5", (212, 32, 90)),
        ("mobilenet-v1", "block13.conv1", (315, 32, 126)),
        ("resnet-50-slim", "stage4.3.relu3", (483, 32, 239)),
        ("resnet-50", "stage4.3.relu3", (427, 32, 213)),
    ],
)
def test_receptive_fields_are_those_of_distill(name, node, seen):
    assert field(name, node) == seen


def test_a_dilated_resnet_has_dilations_instead_of_its_last_two_strides():
    # torchvision's replace_stride_with_dilation: the first block of a stage keeps the dilation of the previous stage
    dilations = [1] * 3 + [1] * 4 + [1, 2, 2, 2, 2, 2] + [2, 4, 4]
    network = networks.load("fcn-resnet-50")
    rows = {row["name"]: row for row in network.rows()}
    threes = [
        node for node in network.nodes if node.name.startswith("stage") and node.name.endswith(".conv2")
    ]
    assert [node.layer.dilation[0] for node in threes] == dilations
    strides = [1] * 3 + [2, 1, 1, 1] + [1] * 9
    size, jump = 11, 4  # after the first convolution and pool
    for dilation, stride in zip(dilations, strides, strict=True):
        size, jump = size + 2 * dilation * jump, jump * stride
    assert rows["stage4.3.relu3"]["receptive_field"] == [size, size]
    assert rows["stage4.3.relu3"]["effective_stride"] == [jump, jump] == [8, 8]
    assert rows["stage4.3.relu3"]["output_shape"] == [2048, 65, 65]


def test_receptive_fields_grow_as_published():
    assert sizes_seen("vgg-16", ("conv", "maxpool")) == [
        3, 5, 6, 10, 14, 16, 24, 32, 40, 44, 60, 76, 92, 100, 132, 164, 196, 212
    ]  # fmt: skip
    assert sizes_seen("mobilenet-v1", ("conv", "dwconv")) == [
        3, 7, 11, 19, 27, 43, 59, 91, 123, 155, 187, 219, 251, 315
    ]  # fmt: skip


def test_wavenet_is_causal_and_each_stack_sees_1023_samples_more():
    # van den Oord et al., section 2.1: dilations 1, 2, 4 ... 512 see 1,024 samples; here after a convolution of two
    assert field("wavenet", "stack1.512.add1") == (1025, 1, 1024)
    assert field("wavenet", "stack3.512.add1") == (3071, 1, 3070)
    assert networks.load("wavenet", (256, 100), stacks=1).rows()[-1]["output_shape"] == [256, 100]


def test_no_output_of_wavenet_depends_on_a_later_sample():
    network = networks.load("wavenet", (8, 40), stacks=1, channels=4, skip=8)
    x = np.random.default_rng(0).standard_normal((1, 8, 40))
    later = x.copy()
    later[:, :, 25] += 1
    ((before,), (after,)) = (network.run({"input": each}, seed=0).values() for each in (x, later))
    np.testing.assert_array_equal(after[:, :, :25], before[:, :, :25])
    assert not np.allclose(after[:, :, 25], before[:, :, 25])


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("lenet-5", (1, 32, 32)),
        ("squeezenet-1.1", (3, 64, 64)),
        ("mobilenet-v1:width=0.25", (3, 64, 64)),
        ("mobilenet-v3-small", (3, 64, 64)),
        ("shufflenet-v1:width=0.5", (3, 64, 64)),
        ("shufflenet-v2:width=0.5", (3, 64, 64)),
        ("unet:width=4", (1, 188, 188)),
        ("figure-9.11-center", (3, 64, 48)),
    ],
)
def test_networks_run_and_give_the_shapes_of_their_rows(name, shape):
    network = networks.load(name, shape)
    x = np.random.default_rng(0).standard_normal((2, *shape))
    (made,) = network.run({"input": x}, seed=0).values()
    assert made.shape == (2, *network.rows()[-1]["output_shape"])
    assert np.isfinite(made).all()


def test_the_u_net_has_the_sizes_of_its_figure_and_23_convolutions():
    network = networks.load("unet")
    rows = {row["name"]: row for row in network.rows()}
    assert [rows[f"down{level}.relu2"]["output_shape"] for level in range(1, 6)] == [
        [64, 568, 568], [128, 280, 280], [256, 136, 136], [512, 64, 64], [1024, 28, 28]
    ]  # fmt: skip
    assert [rows[f"up{level}.concat1"]["output_shape"] for level in range(4, 0, -1)] == [
        [1024, 56, 56], [512, 104, 104], [256, 200, 200], [128, 392, 392]
    ]  # fmt: skip
    assert network.rows()[-1]["output_shape"] == [2, 388, 388]
    assert sum(isinstance(node.layer, Conv | ConvTranspose) for node in network.nodes) == 23
    doubles = [
        (1, 64),
        (64, 128),
        (128, 256),
        (256, 512),
        (512, 1024),
        (1024, 512),
        (512, 256),
        (256, 128),
        (128, 64),
    ]
    weights = sum(9 * i * o + o + 9 * o * o + o for i, o in doubles)
    ups = sum(4 * i * i // 2 + i // 2 for i in (1024, 512, 256, 128))
    assert network.params() == weights + ups + 64 * 2 + 2


def test_the_atrous_head_alone_is_that_of_the_whole_network():
    head, whole, plain = (
        networks.load(name) for name in ("deeplab-v3-head", "deeplab-v3-resnet-50", "fcn-resnet-50")
    )
    fcn_head = 2048 * 512 * 9 + 2 * 512 + 512 * 21 + 21
    assert head.params() == 16_130_837 == whole.params() - plain.params() + fcn_head
    atrous = [
        node.layer for node in head.nodes if isinstance(node.layer, Conv) and node.layer.dilation[0] > 1
    ]
    assert [(layer.dilation, layer.padding) for layer in atrous] == [
        ((rate, rate), ((rate, rate), (rate, rate))) for rate in (12, 24, 36)
    ]
    assert head.rows()[-1]["output_shape"] == [21, 65, 65]
    assert list(whole.outputs) == ["out", "aux"]
    assert whole.rows()[-1]["output_shape"] == [21, 520, 520]


@pytest.mark.parametrize(
    ("name", "offsets", "widths"),
    [
        ("deformable-resnet-50", 18, [512] * 3),
        ("deformable-v2-resnet-50", 27, [128] * 4 + [256] * 6 + [512] * 3),
    ],
)
def test_a_deformable_resnet_has_the_predictors_of_its_offsets_more(name, offsets, widths):
    network = networks.load(name)
    predictors = sum((width * 9 + 1) * offsets for width in widths)
    assert network.params() == 25_557_032 + predictors
    assert sum(isinstance(node.layer, DeformConv) for node in network.nodes) == len(widths)


@pytest.mark.parametrize(  # Goodfellow, Bengio & Courville, figure 9.11, from the bottom to the top
    ("name", "sizes"),
    [
        ("left", ["256x256x64", "64x64x64", "64x64x64", "16x16x64", "16384", "1000", "1000"]),
        ("center", ["256x256x64", "64x64x64", "64x64x64", "3x3x64", "576", "1000", "1000"]),
        ("right", ["256x256x64", "64x64x64", "64x64x64", "16x16x64", "16x16x1000", "1x1x1000", "1000"]),
    ],
)
def test_the_textbooks_three_networks_have_the_sizes_of_the_figure(name, sizes):
    shapes = [row["output_shape"] for row in networks.load(f"figure-9.11-{name}").rows()]
    reported = ["x".join(map(str, (*shape[1:], shape[0]))) for shape in shapes]
    assert list(dict.fromkeys(reported)) == list(dict.fromkeys(sizes))


def test_the_textbooks_networks_for_any_size_keep_their_parameters():
    for name, same in (("left", False), ("center", True), ("right", True)):
        usual, larger = (
            networks.load(f"figure-9.11-{name}", (3, side, side)).params() for side in (256, 320)
        )
        assert (usual == larger) is same


@pytest.mark.parametrize("name", [name for name in ZOO if name != "wavenet"])
def test_classes_are_an_option_of_every_classifier(name):
    ten, twenty, thirty = (networks.load(name, classes=number).params() for number in (10, 20, 30))
    assert thirty - twenty == twenty - ten > 0


def test_names_are_found_in_any_spelling():
    assert len({find(name) for name in ZOO}) == len(ZOO)
    for spelled, name in (
        ("resnet50", "resnet-50"),
        ("vgg16_bn", "vgg-16-bn"),
        ("MobileNet_v3_Large", "mobilenet-v3-large"),
        ("wide_resnet50_2", "wide-resnet-50-2"),
        ("resnext50_32x4d", "resnext-50-32x4d"),
        ("SqueezeNet 1.1", "squeezenet-1.1"),
    ):
        assert networks.load(spelled).name == name
    assert find("resnet") is find("") is None


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (
            "shufflenet-v2:width=0.7",
            "shufflenet-v2:width=0.7: width must be one of 0.5, 1.0, 1.5, 2.0, got 0.7",
        ),
        ("shufflenet-v1:groups=5", "shufflenet-v1:groups=5: groups must be one of 1, 2, 3, 4, 8, got 5"),
        ("resnet-50:classes=2.5", "resnet-50: classes must be a whole number, got '2.5'"),
        ("resnet-50:groups=2", "resnet-50 has no option 'groups'; it takes classes"),
        ("resnet-50:classes=1000001", "classes must be above 0 and at most 1,000,000, got '1000001'"),
        ("mobilenet-v1:width=inf", "width must be above 0 and at most 1,000,000, got 'inf'"),
        ("wavenet:stacks=101", "wavenet:stacks=101: stacks must be at most 100, got 101"),
    ],
)
def test_options_that_a_network_does_not_have_are_refused(name, text):
    with pytest.raises(ArgumentError, match=text):
        networks.load(name)


@pytest.mark.parametrize(
    ("name", "shape", "message"),
    [
        (
            "resnet-50",
            (320, 320, 3),
            "3x224x224, but 320x320x3 has its 3 channels last; did you mean 3x320x320?",
        ),
        ("lenet-5", (1, 28, 32, 1), "1x32x32, but 28x32x1 has its 1 channel last; did you mean 1x28x32?"),
    ],
)
def test_an_input_with_its_channels_last_is_refused(name: str, shape: tuple[int, ...], message: str) -> None:
    with pytest.raises(ArgumentError) as error:
        networks.load(name, shape)
    assert str(error.value) == f"the input 'input' is channels x height x width such as {message}"


def test_an_input_may_have_other_channels_than_the_published_one() -> None:
    first = [
        networks.load("resnet-18", shape).rows()[0]["params"]
        for shape in ((1, 64, 64), (3, 64, 3), (12, 64, 64), (4, 64, 1))
    ]
    assert first == [49 * 64 * channels for channels in (1, 3, 12, 4)]
