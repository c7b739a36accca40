"""The forms of a drawing: one frame, sizes, and errors before anything is drawn."""

import io

import numpy as np
import pytest
from PIL import Image

import convcli
from convcli import Conv
from convcli.drawing.forms import Settings, encode
from convcli.drawing.layer_drawing import layer_drawing
from convcli.drawing.raster import Size
from convcli.drawing.scene import Scene
from convcli.drawing.walk_layers import Numbers
from convcli.errors import ArgumentError


def drawing(size, kernel=1, outputs=1):
    return layer_drawing((Conv(1, outputs, kernel),), (1, size, size), Numbers())


@pytest.mark.parametrize(
    ("size", "form", "settings", "message"),
    [
        (4, "png", Settings(step=17), "there is no step 17; there are 16, counted from 1"),
        (17, "gif", Settings(), "there are 289 steps, but an animation has at most 256; use `step=N`, .html, or a smaller input"),
        (17, "apng", Settings(), "there are 289 steps"),
        (17, "svg", Settings(), "there are 289 steps"),
        (4, "svg", Settings(scale=2), "`scale` is the size in pixels of .png .gif .apng, and .svg has none; leave it out"),
        (4, "png", Settings(scale=1000), "with `scale=1000` the picture would have "),
        (15, "gif", Settings(), "pixels in 225 frames, over the limit of 200,000,000"),
    ],
)  # fmt: skip
def test_refused(size, form, settings, message, monkeypatch):
    if "pixels" in message:
        monkeypatch.setattr("convcli.drawing.forms.MAX_PIXELS", 100_000_000)
        message = message.replace("200", "100")
    with pytest.raises(ArgumentError) as error:
        encode(drawing(size), form, settings)
    assert message in str(error.value)


def test_one_step_of_many_can_be_drawn():
    assert encode(drawing(17), "svg", Settings(step=289))[0]
    assert encode(drawing(17), "png", Settings(step=289))[0]


@pytest.mark.parametrize(
    ("drawn", "settings"),
    [
        (drawing(3, 3), Settings()),
        (drawing(2), Settings(step=3, theme="dark")),
        (convcli.draw("conv k3", (1, 5, 5), receptive=True), Settings()),
    ],
)
def test_one_step_is_a_picture_with_one_frame(drawn, settings):
    """As `print` says "1 step" of it. It is half as large as the PNG, as the frames of animations are."""
    png, gif, apng = (
        Image.open(io.BytesIO(encode(drawn, form, settings._replace(scale=scale))[0]))
        for form, scale in (("png", 0.25), ("gif", 0.5), ("apng", 0.5))
    )
    assert (gif.format, gif.n_frames, apng.format) == ("GIF", 1, "PNG")
    expected = np.asarray(png.convert("RGB")).astype(int)
    for image in (gif, apng):
        assert abs(expected - np.asarray(image.convert("RGB"))).mean() < 1


def test_scale_multiplies_the_size(tmp_path):
    for form in ("png", "gif", "apng"):
        once, twice = (
            Image.open(io.BytesIO(drawing(2).encode(form, scale=scale))).size for scale in (0.2, 0.4)
        )
        assert np.allclose(np.multiply(once, 2), twice, atol=4)  # sides are rounded, two frames in a row
    assert drawing(3, 3).save(tmp_path / "one.png", scale=0.2).stat().st_size < len(
        drawing(3, 3).encode("png")
    )
    with pytest.raises(ArgumentError, match=r"got 'pdf'; \.svg, which .*, is the nearest to \.pdf"):
        drawing(2).save(tmp_path / "x.pdf")
    with pytest.raises(ArgumentError, match="`scale` must be above 0 and at most 8, got 9"):
        drawing(2).encode("png", scale=9)


def test_a_sheet_of_steps_keeps_its_columns_at_any_scale():
    """Twice the scale is twice the width and height, with the same steps at the same places."""
    drawn = convcli.draw("conv k1", values=[[1, 2, 3, 4, 5]])
    once, twice = (Image.open(io.BytesIO(drawn.encode("png", scale=scale))).convert("L") for scale in (1, 2))
    frame = Image.open(io.BytesIO(drawn.encode("gif", step=1)))
    assert once.size == (3 * frame.width, 2 * frame.height)
    assert twice.size == (2 * once.width, 2 * once.height)
    difference = np.asarray(twice.reduce(2)).astype(int) - np.asarray(once)
    assert abs(difference).mean() < 3


@pytest.mark.parametrize("wide", [10, 333.3, 2500])
@pytest.mark.parametrize("usual", [0.7, 1, 1.37])
def test_a_whole_factor_multiplies_every_side(wide, usual):
    scenes = [Scene(wide, 50.5, ()), Scene(wide / 2, 77, ())]
    once = Size(usual)
    for factor in (2, 3, 8):
        size = Size(usual, factor)
        assert size.frame(scenes) == tuple(factor * side for side in once.frame(scenes))
        assert size.sheet(scenes, 9) == once.sheet(scenes, 9)
    assert Size(usual, 1e-6).frame(scenes) == (1, 1)
