"""-o answer.png and answer.svg of shape, params and cost."""

import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from unittest import mock

import pytest
from PIL import Image

from tests.conftest import ROOT, Call, one_error

NET = """
input = "3x16x16"
layers = ["conv k3 p1 o8", "relu", { layer = "conv k3 p1", name = "side" }, { layer = "add", from = ["side", "relu1"] },
  "globalavgpool, flatten, dense o10"]
"""
CALCULATORS = ["cost", "params", "shape"]


def texts(path: Path) -> list[str]:
    return [
        "".join(each.itertext()) for each in ElementTree.parse(path).iter("{http://www.w3.org/2000/svg}text")
    ]


@pytest.mark.parametrize("command", CALCULATORS)
def test_a_network_is_drawn(call: Call, tmp_path: Path, command: str) -> None:
    net, svg, png = tmp_path / "my net.toml", tmp_path / "a.svg", tmp_path / "a.png"
    net.write_text(NET)
    assert call(command, net, "-o", svg) == (0, "", f"convcli: wrote {svg}\n")
    assert {"conv1", "relu1", "side", "add1", "dense1"} < set(texts(svg))
    assert call(command, net, "-o", png, "-q") == (0, "", "")
    with Image.open(png) as image:
        image.load()
        assert image.getpixel((0, 0)) == (255, 255, 255)
    assert call(command, net, "-o", png, "-q", "--theme", "dark", "--force").code == 0
    with Image.open(png) as image:
        assert max(image.getpixel((0, 0))) < 50


@pytest.mark.parametrize("command", CALCULATORS)
def test_a_layer_and_a_chain_are_drawn(call: Call, tmp_path: Path, command: str) -> None:
    path = tmp_path / "a.svg"
    assert call(command, "--n", 9, "--in", 3, "--out", 4, "--k", 3, "-o", path).code == 0
    assert "conv k3x3 o4" in texts(path)
    chain = ("--n", 9, "--layers", "conv k3 o4, relu, maxpool k2")
    assert call(command, *chain, "-o", path, "--force").code == 0
    assert {"a chain of 3 layers", "conv1", "relu1", "maxpool1"} < set(texts(path))


def test_parameters_need_no_size(call: Call, tmp_path: Path) -> None:
    path = tmp_path / "a.svg"
    assert call("params", "--in", 64, "--out", 128, "--k", 3, "-o", path).code == 0
    assert {"73.9 k", "parameters", "weights"} < set(texts(path))


def test_the_input_and_the_batch_are_those_of_the_options(call: Call, tmp_path: Path) -> None:
    path = tmp_path / "a.svg"
    words = ("cost", "lenet-5", "--batch", 8, "--dtype", "float16", "-o", path)
    assert call(*words).code == 0
    assert any(text.startswith("input 1x32x32, batch 8, float16") for text in texts(path))
    assert call("cost", "resnet-18", "--input", "3x96x64", "-o", path, "--force").code == 0
    assert "3x96x64" in texts(path)


def test_optional_columns_of_cost_are_drawn(call: Call, tmp_path: Path) -> None:
    path = tmp_path / "a.svg"
    words = ("--roofline", "peak=100GFLOP/s,bandwidth=20GB/s", "--training", "-o", path)
    assert call("cost", "lenet-5", *words).code == 0
    assert {"MACs", "parameters", "shortest time", "training memory", "receptive field"} < set(texts(path))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ("cost", "--n", "7,9", "--k", "3", "-o", "{}/a.png"),
            "only one layer or chain can be drawn, and the options describe 2; give one value per option, or write a table, such as "
            "-o answer.csv",
        ),
        (
            ("cost", "lenet-5", "-o", "{}/a.png", "--field", "macs"),
            "--field selects columns of a table, and {}/a.png is a drawing; leave it out",
        ),
        (
            ("cost", "lenet-5", "-o", "{}/a.jpg"),
            "{}/a.jpg has no known ending; end it in .txt .json .csv .md .png .svg; .png, which is sharp at the edges of "
            "lines, is the nearest to .jpg",
        ),
        (
            ("shape", "--n", "7", "--k", "3", "--target", "5", "-o", "{}/a.png"),
            "answers of --target are not drawn; end {}/a.png in .txt .json .csv .md",
        ),
        (
            ("compare", "--n", "7", "--k", "3,5", "-o", "{}/a.png"),
            "only one layer is drawn, and the options describe several; end {}/a.png in .txt .json .csv .md",
        ),
        (
            ("networks", "-o", "{}/a.svg"),
            "{}/a.svg has no known ending; end it in .txt .json .csv .md",
        ),
        (
            ("shape", "lenet-5", "--theme", "dark"),
            "--theme applies to drawings, such as -o answer.png; leave it out",
        ),
        (
            ("cost", "lenet-5", "-o", "{}/a.csv", "--theme", "dark"),
            "--theme applies to drawings, such as -o answer.png; leave it out",
        ),
    ],
)
def test_bad_pictures(call: Call, tmp_path: Path, words: tuple[str, ...], message: str) -> None:
    result = call(*(word.format(tmp_path) for word in words))
    assert result.code == 2
    assert one_error(result) == message.format(tmp_path)
    assert not list(tmp_path.iterdir())


def test_existing_files_are_reported_before_anything_is_drawn(call: Call, tmp_path: Path) -> None:
    (tmp_path / "net.png").write_text("precious")
    with mock.patch("convcli.drawing.network_drawing.network_scene") as drawn:
        result = call("shape", "lenet-5", "-o", tmp_path / "net.png")
    assert result.code == 1
    assert "net.png exists; give --force to replace it" in one_error(result)
    assert not drawn.called


def test_a_picture_is_not_overwritten_without_force(call: Call, tmp_path: Path) -> None:
    path = tmp_path / "a.svg"
    path.write_text("precious")
    result = call("cost", "lenet-5", "-o", path)
    assert (result.code, path.read_text()) == (1, "precious")
    assert one_error(result) == f"{path} exists; give --force to replace it, or another -o"


def test_an_svg_is_written_without_arrays_and_pictures(tmp_path: Path) -> None:
    path = tmp_path / "a.svg"
    program = (
        "import sys\nfrom convcli.cli import main\n"
        f"try:\n    main(['cost', 'resnet-18', '-q', '-o', {str(path)!r}])\n"
        "except SystemExit as end:\n"
        "    print(end.code, sorted({'numpy', 'scipy', 'PIL', 'rich'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "0 []\n"
    assert "resnet-18" in texts(path)
