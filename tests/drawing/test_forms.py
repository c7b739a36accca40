"""Unsupported forms raise errors before anything is drawn."""

import pytest

from convcli import Conv
from convcli.drawing.forms import Settings, encode
from convcli.drawing.layer_drawing import layer_drawing
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
        (4, "gif", Settings(step=2), "`step=2` is one frame, but .gif and .apng are animations; use .png or .svg"),
        (1, "apng", Settings(), "this drawing has no steps, but .gif and .apng are animations; use .png or .svg"),
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
