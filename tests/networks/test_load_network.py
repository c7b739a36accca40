"""Networks by name and by file."""

import subprocess
import sys

import pytest

import convcli
from convcli import networks
from convcli.errors import ArgumentError
from convcli.networks.zoo.build import build
from convcli.networks.zoo.index import ZOO, Entry, by_name
from tests.conftest import ROOT


@pytest.mark.parametrize("name", ZOO)
def test_every_network_of_the_list_is_built(name):
    network = networks.load(name)
    assert network.name == name
    assert list(network.inputs.values()) == [("N", *ZOO[name].input)]
    assert network.source == ZOO[name].source
    totals = network.totals()
    assert totals["macs"] > 0
    assert "uncounted" not in totals


def test_the_function_is_public_in_two_places():
    assert convcli.load_network is networks.load
    assert isinstance(convcli.load_network("resnet-18"), convcli.Network)


def test_options_are_typed_or_given():
    typed, given = networks.load("mobilenet-v1:width=0.5"), networks.load("mobilenet-v1", width=0.5)
    assert typed == given
    assert typed.name == "mobilenet-v1:width=0.5"
    assert typed.params() < networks.load("mobilenet-v1").params()


def test_another_input_size_is_used():
    assert networks.load("resnet-18", (3, 64, 96)).rows()[-4]["output_shape"] == [512, 2, 3]
    assert networks.load("resnet-18", {"input": (3, 64, 64)}).params() == 11_689_512
    assert networks.load("resnet-18", (1, 3, 64, 96)) == networks.load("resnet-18", (3, 64, 96))


@pytest.mark.parametrize(
    ("load", "text"),
    [
        (lambda: networks.load("resnet-51"), "there is no network 'resnet-51'; did you mean 'resnet-5"),
        (
            lambda: networks.load("q"),
            "there is no network 'q'; convcli networks lists .*, and files end in .*.toml",
        ),
        (
            lambda: networks.load("mobilenet-v1:depth=2"),
            "mobilenet-v1 has no option 'depth'; it takes width, classes",
        ),
        (lambda: networks.load("resnet-18:width=2"), "resnet-18 has no option 'width'; it takes classes"),
        (lambda: networks.load("mobilenet-v1:width=x"), "mobilenet-v1: width: 'x' is not a number"),
        (
            lambda: networks.load("mobilenet-v1:width=0"),
            "mobilenet-v1: width must be above 0 and at most 1,000,000, got '0'",
        ),
        (lambda: networks.load("mobilenet-v1:width=2", width=3), "mobilenet-v1: width is given twice"),
        (
            lambda: networks.load("model.pt"),
            r"model.pt: .pt models cannot be read; convert it to ONNX first, with torch.onnx",
        ),
        (
            lambda: networks.load("m.tflite"),
            "convert it to ONNX first, with python -m tf2onnx.convert --tflite",
        ),
        (lambda: networks.load("net.toml", width=2), "net.toml is a file, which takes no option 'width'"),
        (
            lambda: networks.load("resnet-18", {"a": (3,), "b": (3,)}),
            "resnet-18 has one input, but 2 shapes are given",
        ),
        (
            lambda: networks.load("resnet-18", (2, 3, 64, 64)),
            "the input 'input' is channels x sizes such as 3x224x224, but 2x3x64x64 has 4 axes instead of 3",
        ),
    ],
)
def test_what_is_wrong_is_told(load, text):
    with pytest.raises(ArgumentError, match=text):
        load()


def test_two_networks_of_one_name_are_refused():
    entry = Entry("a", "resnets", "resnet", (3, 8, 8), "", "")
    with pytest.raises(ValueError, match="there are two networks 'a'"):
        by_name([entry, entry])


def test_the_list_names_its_sources():
    assert all(entry.source and entry.source.isprintable() for entry in ZOO.values())
    assert build("resnet-18") == networks.load("resnet-18")


def test_a_family_is_loaded_on_demand():
    code = (
        "import sys; from convcli.networks.zoo.index import ZOO\n"
        "from convcli import networks\n"
        "networks.load('resnet-18').totals()\n"
        "print(*sorted(name for name in sys.modules if name.startswith('convcli.networks.zoo.')))\n"
        "print(*({'numpy', 'scipy', 'PIL', 'click', 'rich', 'onnx', 'tomllib'} & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout.splitlines() == [
        "convcli.networks.zoo.build convcli.networks.zoo.index convcli.networks.zoo.resnets",
        "",
    ]
