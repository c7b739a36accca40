"""The axis order of arrays: converted when a picture is read, and restored when it is written."""

import io
import json

import numpy as np
import pytest

from convcli.images.codecs.array_layout import arranged, restored
from convcli.images.picture import ImageError
from convcli.images.read import open_picture
from convcli.images.write import encode


@pytest.mark.parametrize(
    ("layout", "shape", "frames"),
    [
        ("hwc", (5, 7), [(5, 7)]),
        ("hwc", (5, 7, 3), [(5, 7, 3)]),
        ("chw", (5, 7), [(5, 7)]),
        ("chw", (3, 5, 7), [(5, 7, 3)]),
        ("chw", (2, 3, 5, 7), [(5, 7, 3)] * 2),
        ("dhw", (4, 5, 7), [(5, 7, 1)] * 4),
        ("dhw", (4, 5, 7, 3), [(5, 7, 3)] * 4),
    ],
)
@pytest.mark.parametrize("form", ["NPY", "JSON"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_layouts_round_trip(tmp_path, layout, shape, frames, form, order):
    array = np.asarray(np.random.default_rng(0).standard_normal(shape), order=order)
    path = tmp_path / f"a.{form.lower()}"
    if form == "NPY":
        np.save(path, array)
    else:
        path.write_text(json.dumps(array.tolist()))
    with open_picture(path, layout=layout) as opened:
        assert [each.shape for each in opened.header.frames] == frames
        picture = opened.read()
    assert [frame.pixels.shape for frame in picture.frames] == frames
    for place in np.ndindex(*shape):
        named = dict(zip({"hwc": "HWC", "chw": "NCHW"[-len(shape) :], "dhw": "DHWC"}[layout], place))
        frame = picture.frames[named.get("N", named.get("D", 0))].pixels
        index = (named["H"], named["W"], *((named.get("C", 0),) if frame.ndim == 3 else ()))
        assert frame[index] == array[place]
    data = encode(picture, form, "out")[0]
    back = np.load(io.BytesIO(data)) if form == "NPY" else np.array(json.loads(data))
    assert np.array_equal(back, array)


@pytest.mark.parametrize(
    ("layout", "shape", "known"),
    [
        ("chw", (5,), "(H, W) or (C, H, W) or (N, C, H, W)"),
        ("dhw", (5, 7), "(D, H, W) or (D, H, W, C)"),
        ("hwc", (1, 2, 3, 4, 5), "(W) or (H, W) or (H, W, C) or (N, H, W, C)"),
    ],
)
def test_other_axes_are_refused(layout, shape, known):
    with pytest.raises(ImageError) as error:
        arranged(np.zeros(shape), layout, "x.npy")
    assert (
        str(error.value)
        == f"cannot read x.npy: its shape {shape} does not fit `layout={layout!r}`, which takes {known}"
    )


def test_a_map_of_one_channel_is_the_same_in_every_layout():
    assert restored(np.zeros((5, 7)), "chw").shape == (5, 7)
    assert restored(np.zeros((5, 7)), "dhw").shape == (5, 7)


def test_a_huge_shape_is_refused_by_its_number_of_pixels(tmp_path):
    path = tmp_path / "huge.npy"
    with path.open("wb") as file:
        described = {"descr": "<f8", "fortran_order": False, "shape": (3, 2**40, 2**20)}
        np.lib.format.write_array_header_1_0(file, described)
    with (
        pytest.raises(ImageError, match="pixels are over the limit of 200,000,000"),
        open_picture(path, layout="chw"),
    ):
        pass
