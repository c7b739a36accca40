"""Networks on pictures: the conversion of inputs and outputs."""

import pickle

import numpy as np
import pytest

from convcli.errors import ArgumentError, ConvcliError
from convcli.filters.classifier import as_shares
from convcli.filters.network_filter import NetworkFilter
from convcli.filters.network_input import NetworkInput
from convcli.filters.network_run import MAX_KEPT, NetworkRun
from convcli.images.formats import NUMBERS
from convcli.images.map_sheet import draw_maps
from convcli.images.picture import Frame, Picture
from convcli.images.resized import resized

RGB = np.random.default_rng(0).integers(0, 256, (6, 8, 3), dtype=np.uint8)


def array(how, frame, declared):
    taken = how.taken(declared)
    return how.array(frame, taken, how.channels(taken, frame, "x.png"), how.sizes(taken, frame, keep=False))


@pytest.mark.parametrize("layout", ["nchw", "nhwc"])
@pytest.mark.parametrize("bgr", [False, True])
def test_values_channels_and_layout(layout, bgr):
    mean, std = (0.5, 0.25, 0.125), (2.0, 4.0, 8.0)
    declared = (1, 3, "h", "w") if layout == "nchw" else (1, "h", "w", 3)
    x = array(NetworkInput(mean=mean, std=std, bgr=bgr), Frame(RGB, "RGB"), declared)
    expected = RGB[..., ::-1] if bgr else RGB
    expected = (expected / 255 - mean) / std
    assert x.dtype == np.float32 and x.flags.c_contiguous
    np.testing.assert_allclose(x[0], expected.transpose(2, 0, 1) if layout == "nchw" else expected, atol=1e-6)


def test_the_scale_applies_to_samples():
    x = array(NetworkInput(scale=1.0, mean=(127.5,), std=(127.5,)), Frame(RGB, "RGB"), (1, 3, "h", "w"))
    np.testing.assert_allclose(x[0], (RGB.transpose(2, 0, 1) - 127.5) / 127.5, atol=1e-6)
    deep = array(NetworkInput(), Frame(RGB.astype(np.uint16) * 257, "RGB;16"), (1, 3, "h", "w"))
    np.testing.assert_allclose(deep[0], RGB.transpose(2, 0, 1) / 255, atol=1e-6)


def test_grey_becomes_three_channels_and_colours_become_grey():
    grey = RGB[..., 0]
    x = array(NetworkInput(), Frame(grey, "L"), (1, 3, "h", "w"))
    np.testing.assert_allclose(x[0], np.stack([grey] * 3) / 255, atol=1e-6)
    x = array(NetworkInput(), Frame(RGB, "RGB"), (1, 1, "h", "w"))
    np.testing.assert_allclose(x[0, 0] * 255, RGB @ [0.299, 0.587, 0.114], atol=0.51)
    with_alpha = np.dstack([RGB, np.zeros(RGB.shape[:2], np.uint8)])
    np.testing.assert_array_equal(
        array(NetworkInput(), Frame(with_alpha, "RGBA"), (1, 3, "h", "w")),
        array(NetworkInput(), Frame(RGB, "RGB"), (1, 3, "h", "w")),
    )


def test_pictures_are_resized_to_the_networks_input():
    assert array(NetworkInput(), Frame(RGB, "RGB"), (1, 3, 3, 5)).shape == (1, 3, 3, 5)
    assert array(NetworkInput(size=(7, 2)), Frame(RGB, "RGB"), (1, 3, "h", "w")).shape == (1, 3, 2, 7)
    flat = np.full((4, 6, 3), 77, np.uint8)
    assert (resized(flat, (9, 5)) == 77).all()
    ramp = np.arange(8.0).reshape(8, 1, 1).repeat(3, axis=1)
    np.testing.assert_allclose(
        resized(ramp, (4, 3))[1:3, 0, 0], [2.5, 4.5], atol=0.1
    )  # means of the covered pixels


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        ((1, 10), "the network's input is 1x10, not a picture; it must be N x C x H x W"),
        ((1, 5, 8, 8), "the network's input 1x5x8x8 has 5 channels, and pictures have 1, 3 or 4"),
        (
            (8, 3, 8, 8),
            "the network's input 8x3x8x8 takes batches of 8, but pictures run one at a time; export it with a batch size of 1",
        ),
    ],
)
def test_inputs_that_are_not_pictures(declared, message):
    with pytest.raises(ArgumentError) as error:
        NetworkInput().taken(declared)
    assert message in str(error.value)


def test_a_mean_for_each_channel_or_for_all():
    with pytest.raises(ArgumentError, match="`mean` has 2 numbers, and the network has 3 channels"):
        array(NetworkInput(mean=(1, 2)), Frame(RGB, "RGB"), (1, 3, "h", "w"))
    with pytest.raises(ConvcliError, match="a network needs grey or RGB, but it has CMYK"):
        NetworkInput().channels(
            NetworkInput().taken((1, 3, "h", "w")), Frame(np.zeros((2, 2, 4), np.uint8), "CMYK"), "x"
        )


def test_scores_become_probabilities():
    assert as_shares([0.25, 0.75]) == [0.25, 0.75]
    np.testing.assert_allclose(as_shares([1.0, 3.0]), np.exp([1, 3]) / np.exp([1, 3]).sum())
    with pytest.raises(ConvcliError, match="is not finite"):
        as_shares([1.0, float("nan")])


def edges(folder, layers='"conv k3 p1 g3 o3 nobias"'):
    path = folder / "edges.toml"
    path.write_text(f'input = "3x16x16"\nlayers = [{layers}]\n')
    return path


def identity(folder):
    """Write a network that returns its input, and its weights."""
    np.savez(
        folder / "w.npz",
        **{"dwconv1.weight": np.pad(np.ones((3, 1, 1, 1)), ((0, 0), (0, 0), (1, 1), (1, 1)))},
    )
    return NetworkRun(str(edges(folder)), weights=str(folder / "w.npz"))


def run(work, frame, form="PNG"):
    plan = work.plan("x.png", "y.png", Picture((frame,), "PNG"), form)
    (black,) = plan.made
    result = plan.run()
    (made,) = result.picture.frames
    assert (made.pixels.shape, made.pixels.dtype, made.mode) == (
        black.pixels.shape,
        black.pixels.dtype,
        black.mode,
    )
    return made, result


@pytest.mark.parametrize("scale", [None, 1.0, 0.25])
@pytest.mark.parametrize("bgr", [False, True])
def test_the_output_has_the_units_of_the_input(tmp_path, scale, bgr):
    network = identity(tmp_path)
    how = NetworkInput(scale=scale, bgr=bgr)
    work = NetworkFilter(NetworkRun(network.source, how, weights=network.weights))
    made, _ = run(work, Frame(RGB, "RGB"))
    assert np.array_equal(made.pixels, RGB)
    deep = (RGB.astype(np.uint16) * 257) ^ 3
    made, _ = run(work, Frame(deep, "RGB;16"))
    assert np.abs(made.pixels.astype(int) - deep).max() <= 1


@pytest.mark.parametrize("form", NUMBERS)
@pytest.mark.parametrize("frame", [Frame(RGB, "RGB"), Frame(RGB.astype(np.uint16) * 257, "RGB;16")])
def test_array_formats_store_the_values(tmp_path, form, frame):
    made, _ = run(NetworkFilter(identity(tmp_path)), frame, form)
    np.testing.assert_allclose(made.pixels, RGB / 255, atol=1e-6)
    with pytest.raises(
        ConvcliError,
        match=f"maps values to the depth of a picture, and {form} keeps them unchanged; leave it out",
    ):
        run(NetworkFilter(identity(tmp_path), "clip"), frame, form)


def test_maps_are_drawn(tmp_path):
    network = identity(tmp_path)
    layer = NetworkRun(network.source, layer="dwconv1", weights=network.weights)
    made, result = run(NetworkFilter(layer), Frame(RGB, "RGB"))
    one = np.pad(np.ones((3, 1, 1, 1)), ((0, 0), (0, 0), (1, 1), (1, 1)))
    assert np.array_equal(
        made.pixels, draw_maps(RGB.transpose(2, 0, 1) / np.float32(255), (), one, "dwconv1")
    )
    assert result.facts["layer"] == "dwconv1"
    with pytest.raises(ConvcliError, match="the network has no layer 'conv9'"):
        NetworkFilter(NetworkRun(network.source, layer="conv9", weights=network.weights)).plan(
            "x", "y", Picture((Frame(RGB, "RGB"),), "PNG"), "PNG"
        )


def test_many_maps_are_refused_as_a_picture(tmp_path):
    network = NetworkRun(str(edges(tmp_path, '"conv k3 p1 o7"')), seed=0)
    with pytest.raises(
        ConvcliError, match=r"the network's output is 1x7x6x8, and a picture has 1, 3 or 4 channels"
    ):
        NetworkFilter(network).plan("x.png", "y.png", Picture((Frame(RGB, "RGB"),), "PNG"), "PNG")


def test_a_run_is_pickled_without_its_network(tmp_path):
    network = identity(tmp_path)
    before, _ = run(NetworkFilter(network), Frame(RGB, "RGB"))
    data = pickle.dumps(NetworkFilter(network))
    assert len(data) < 2000
    after, _ = run(pickle.loads(data), Frame(RGB, "RGB"))
    assert np.array_equal(before.pixels, after.pixels)


def test_only_one_network_of_many_sizes_keeps_its_operators(tmp_path):
    """A folder of pictures of different sizes takes the memory of a few of them."""
    network = identity(tmp_path)
    frames = [Frame(RGB[:3, :width], "RGB") for width in range(1, 9)] * 2
    assert len(frames) > MAX_KEPT
    seen = {}
    for frame in frames:
        prepared = network.prepared("x.png", frame)
        values = network.values(prepared, frame)
        np.testing.assert_allclose(values[0] * 255, frame.pixels.transpose(2, 0, 1), atol=1e-4)
        seen[id(prepared.network)] = prepared.network
        ready = [each for each in seen.values() if "_kept" in vars(each)]
        assert ready == [prepared.network]
    for height in range(1, 7):
        network.prepared("x.png", Frame(RGB[:height], "RGB"))
    again = network.prepared("x.png", frames[0])
    assert id(again.network) not in seen  # was released
    assert network.prepared("x.png", frames[0]) is again
