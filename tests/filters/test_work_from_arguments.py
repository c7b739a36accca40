"""A network instead of a layer in Python: the same results and errors as on the command line."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from convcli import networks
from convcli.errors import ArgumentError
from convcli.filters.filter_picture import filter_picture
from convcli.images.picture import ImageError
from convcli.images.read import read_picture
from convcli.jobs.filter_file import filter_file
from tests.conftest import SAMPLES, Call

HOUSE = SAMPLES / "house.png"
SOBEL = """
input = "3x8x8"
layers = ["conv k3 p1 o2 nobias, relu, conv k1 o3", { layer = "relu", name = "last" }]
"""


@pytest.fixture
def network(tmp_path: Path) -> Path:
    path = tmp_path / "net.toml"
    path.write_text(SOBEL)
    return path


def wanted(network: Path, x: np.ndarray[Any, Any], layer: str = "last") -> np.ndarray[Any, Any]:
    """Return the output of a network for (H, W, C), run directly."""
    height, width, channels = x.shape
    loaded = networks.load(network, (channels, height, width))
    made = loaded.run({"input": x.transpose(2, 0, 1)[np.newaxis]}, [layer], seed=3, outputs=False)
    return made[layer][0].transpose(1, 2, 0)


def test_values_of_a_network_and_of_a_layer(network: Path) -> None:
    x = np.random.default_rng(0).integers(0, 256, (9, 7, 3), np.uint8)
    options: dict[str, Any] = {"network": network, "seed": 3, "value_range": None}
    np.testing.assert_allclose(filter_picture(x, **options), wanted(network, x / 255), atol=1e-6)
    scaled = (x * 0.5 - [1, 2, 3]) / [4, 5, 6]
    options |= {"scale": 0.5, "mean": (1, 2, 3), "std": "4,5,6", "layer": "relu1"}
    np.testing.assert_allclose(
        filter_picture(x, **options), wanted(network, scaled, "relu1"), rtol=1e-5, atol=1e-5
    )
    normalized = (x[..., ::-1] * 0.5 - [1, 2, 3]) / [4, 5, 6]
    np.testing.assert_allclose(
        filter_picture(x, channels="bgr", **options),
        wanted(network, normalized, "relu1"),
        rtol=1e-5,
        atol=1e-5,
    )
    assert filter_picture(x, resize=(5, 4), **options).shape == (4, 5, 2)


def test_pictures_of_a_network_and_sheets_of_a_layer(network: Path) -> None:
    x = np.random.default_rng(0).integers(0, 256, (9, 7, 3), np.uint8)
    made = filter_picture(x, network=str(network), seed=3)
    values = wanted(network, x / 255) * 255
    assert np.array_equal(made, np.rint(values.clip(0, 255)).astype(np.uint8))
    image = filter_picture(Image.fromarray(x), network=network, seed=3)
    assert isinstance(image, Image.Image) and np.array_equal(np.asarray(image), made)
    deep = filter_picture(x.astype(np.uint16) * 257, network=network, seed=3)
    assert deep.dtype == np.uint16 and np.abs(deep - values.clip(0, 255) * 257).max() <= 1
    sheet = filter_picture(x, network=network, layer="relu1", seed=3)
    assert sheet.dtype == np.uint8 and sheet.shape[1] >= 2 * 7  # two maps, side by side


def test_a_file_equals_that_of_the_command(network: Path, tmp_path: Path, call: Call) -> None:
    written = filter_file(HOUSE, tmp_path / "a.png", network=network, layer="relu1", resize="40x30", seed=3)
    result = call(
        "filter", HOUSE, "--network", network, "--layer", "relu1", "--resize", "40x30", "--seed", "3",
        "-o", tmp_path / "b.png",
    )  # fmt: skip
    assert result.code == 0
    ours, theirs = (read_picture(path).frames[0].pixels for path in (written.path, tmp_path / "b.png"))
    assert np.array_equal(ours, theirs)
    photo = tmp_path / "photo.png"
    photo.write_bytes(HOUSE.read_bytes())
    assert filter_file(photo, network=network, seed=3).path.name == "photo.net.png"
    with pytest.raises(ArgumentError, match="has 8 channels"):
        filter_file(photo, tmp_path / "c.png", network=network, seed=3, layout="nhwc")


@pytest.mark.parametrize(
    ("options", "reported"),
    [
        ({"seed": 3}, "`seed` belongs to a network; name one with `network`"),
        ({"layout": "nchw"}, "`layout` 'nchw' belongs to the input of a network; name one with `network`"),
        ({"network": "n", "kernel": "box"}, "`kernel` belongs to a layer, and has no use with `network`; leave it out"),
        ({"network": "n", "stride": 2}, "`stride` belongs to a layer, and has no use with `network`; leave it out"),
        ({"network": "n", "threads": 2}, "`threads` belongs to a layer, and has no use with `network`; leave it out"),
        ({"network": "n", "layout": "hwc"}, "`layout`: there is no 'hwc'; use nchw, nhwc"),
        ({"network": "n", "weights": np.ones(3)}, "`weights` of a network must be the name of a .npz file"),
        ({"network": "n", "std": 0}, "`std`: 0 contains 0, and values are divided by it"),
        ({"network": "n", "resize": (3, 0)}, "`resize`: (3, 0) is not a size; write WIDTHxHEIGHT in pixels as 800x600, 800x or x600"),
        ({"network": "n", "resize": "50%"}, "with `network`, `resize` takes the size of its input: WIDTHxHEIGHT, such as 224x224"),
        ({"network": "n", "seed": -1}, "`seed`: -1 is not a whole number of at least 0"),
        ({"network": "resnet19"}, "there is no network 'resnet19'; did you mean"),
    ],
)  # fmt: skip
def test_errors_name_the_argument(options: dict[str, Any], reported: str) -> None:
    with pytest.raises(ArgumentError) as error:
        filter_picture(np.zeros((4, 4, 3)), **options)
    assert str(error.value).startswith(reported) or reported in str(error.value)


def test_outputs_that_are_not_pictures_are_refused() -> None:
    x = np.zeros((32, 32, 3), np.uint8)
    with pytest.raises(
        ImageError, match="the network's output is 1x1000, and a picture has 1, 3 or 4 channels"
    ):
        filter_picture(x, network="resnet-18", seed=0, resize=(32, 32))
    assert filter_picture(x, network="resnet-18", seed=0, resize=(32, 32), value_range=None).shape == (
        1,
        1000,
    )


def test_a_size_that_does_not_fit_is_refused_with_a_hint(tmp_path: Path) -> None:
    path = tmp_path / "around.toml"
    path.write_text(
        'input = "3x8x8"\nlayers = ["maxpool k2", "upsample x2", { layer = "add", from = ["resize1", "input"] }]'
    )
    x = np.zeros((9, 8, 3), np.uint8)
    with pytest.raises(ArgumentError) as error:
        filter_picture(x, network=path)
    assert str(error.value).startswith("cannot filter the picture: ")
    assert str(error.value).endswith("; `resize` sets the size of the input")
    assert filter_picture(x, network=path, resize=(6, 4)).shape == (4, 6, 3)
    with pytest.raises(ArgumentError) as error:
        filter_picture(x, network=path, resize=(6, 5))
    assert "`resize`" not in str(error.value)
