"""Pictures and animations, decoded again."""

import io

import numpy as np
import pytest
from PIL import Image

from convcli import Conv
from convcli.drawing.forms import FORMS, Settings, encode
from convcli.drawing.layer_drawing import layer_drawing
from convcli.drawing.scene import DARK, LIGHT, Label, Scene, Shape
from convcli.drawing.step_scene import Plane, step_scene
from convcli.drawing.walk_layers import Numbers, walk_layers
from convcli.layers import Activation, MaxPool

GIVEN = (Conv(1, 1, 3, stride=2, padding=1),), (1, 5, 5), Numbers()
STAGES = walk_layers(*GIVEN)


def picture(form, settings=None, given=GIVEN):
    data, reported = encode(layer_drawing(*given), form, settings or Settings())
    return Image.open(io.BytesIO(data)), reported


def rgb(colour):
    return tuple(int(colour[n : n + 2], 16) for n in (1, 3, 5))


def beside_the_number(shape, scale):
    """Return a pixel in a cell, half way down its left edge, inside."""
    (x, y), (right, _), _, (below, bottom) = shape.points
    return round(((x + below) / 2 + (right - x) * 0.15) * scale), round((y + bottom) / 2 * scale)


@pytest.mark.parametrize("form", ["gif", "apng"])
def test_an_animation_has_a_frame_for_each_step(form):
    image, _ = picture(form, Settings(delay=0.25))
    scene = step_scene(STAGES[0])
    assert image.n_frames == 9
    assert image.info["loop"] == 0
    for number in range(9):
        image.seek(number)
        assert image.info["duration"] == (250 if number < 8 else 620)
        frame = image.convert("RGB")
        for place, kept in enumerate(scene.kept):
            pixel = frame.getpixel(beside_the_number(kept[0], 1))
            if place <= number:
                assert pixel == rgb(LIGHT["output" if place < number else "current"])
            else:
                assert min(pixel) > 150, "still to come, perhaps below a ray"
        seen = {
            mark.points for mark in scene.now[number] if isinstance(mark, Shape) and mark.fill == "window"
        }
        for mark in scene.base:
            if isinstance(mark, Shape) and mark.fill == "input" and mark.points in seen:
                assert frame.getpixel(beside_the_number(mark, 1)) == rgb(LIGHT["window"])


def test_the_layers_of_a_chain_follow_one_another():
    layers = (Conv(1, 1, 3), Activation("relu"), MaxPool(2))
    image, _ = picture("gif", given=(layers, (1, 4, 4), Numbers()))
    assert image.n_frames == 4 + 4 + 1


def test_one_step_is_one_picture_and_all_are_a_sheet():
    single, _ = picture("png", Settings(step=5))
    scene = step_scene(STAGES[0])
    assert single.size == (round(scene.width * 2), round(scene.height * 2))
    assert single.getpixel(beside_the_number(scene.kept[4][0], 2)) == rgb(LIGHT["current"])
    assert single.getpixel(beside_the_number(scene.kept[3][0], 2)) == rgb(LIGHT["output"])
    sheet, reported = picture("png")
    assert reported == ""
    width, height = sheet.width // 3, sheet.height // 3
    for number in range(9):
        left, top = number % 3 * width, number // 3 * height
        x, y = beside_the_number(scene.kept[number][0], 1)
        assert sheet.getpixel((left + x, top + y)) == rgb(LIGHT["current"])


def test_of_many_steps_some_are_on_the_sheet_including_the_first_and_the_last():
    given = (Conv(1, 1, 1),), (1, 6, 6), Numbers()
    sheet, reported = picture("png", given=given)
    assert reported == "24 of 36 steps are drawn; `step=N` draws one of them"
    scene = step_scene(walk_layers(*given)[0])
    x, y = beside_the_number(scene.kept[35][0], 1)
    frames = (sheet.width // round(scene.width), sheet.height // round(scene.height))
    assert frames[0] * frames[1] >= 24
    last = 23 % frames[0] * (sheet.width // frames[0]), 23 // frames[0] * (sheet.height // frames[1])
    assert sheet.getpixel((last[0] + x, last[1] + y)) == rgb(LIGHT["current"])


def test_a_dark_picture():
    image, _ = picture("png", Settings(step=1, theme="dark"))
    assert image.getpixel((0, 0)) == rgb(DARK["paper"])


@pytest.mark.parametrize("form", FORMS)
def test_bytes_are_the_same_each_time(form):
    assert encode(layer_drawing(*GIVEN), form, Settings()) == encode(layer_drawing(*GIVEN), form, Settings())


def test_marks_cover_earlier_ones_and_blend_where_they_are_faint():
    from convcli.drawing.raster import Size, still

    square = ((10.0, 10.0), (30.0, 10.0), (30.0, 30.0), (10.0, 30.0))
    marks = (
        Shape(square, "ink"),
        Shape(square, "paper", opacity=0.5),
        Label(60, 20, "X", 30, "current", "end"),
    )
    image = still(Scene(70, 40, marks), 0, LIGHT, Size(1))
    middle = np.mean([rgb(LIGHT["ink"]), rgb(LIGHT["paper"])], axis=0)
    assert np.abs(np.subtract(image.getpixel((20, 20)), middle)).max() <= 1
    dark = np.asarray(image).sum(axis=-1) < 3 * 128
    rows, columns = np.nonzero(dark & (np.arange(70) > 35))
    assert columns.min() > 35 and 55 <= columns.max() < 61
    assert abs((rows.min() + rows.max()) / 2 - 20) < 3


def test_a_dashed_edge_has_gaps():
    from convcli.drawing.raster import Size, still

    line = Shape(((5.0, 5.0), (105.0, 5.0)), None, "ink", dashed=True, closed=False)
    image = still(Scene(110, 10, (line,)), 0, LIGHT, Size(1))
    row = np.asarray(image)[5, :, 0] < 128
    changes = np.count_nonzero(np.diff(row.astype(int)))
    assert 16 <= changes <= 30
    assert 0.3 < row[5:105].mean() < 0.7


def test_planes_are_drawn_in_perspective():
    plane = Plane(100, 50, 2, 3)
    corners = plane.cell(0, 0, 2, 3)
    assert min(x for x, _ in corners) == 100
    assert max(x for x, _ in corners) == 100 + plane.width
    assert {y for _, y in corners} == {50, 50 + plane.height}
