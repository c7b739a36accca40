"""SVG: it parses, and its style sheets show in each step what the scene shows."""

import re
from xml.etree import ElementTree

import pytest

from convcli import Conv
from convcli.drawing.forms import Settings, encode
from convcli.drawing.layer_drawing import layer_drawing
from convcli.drawing.scene import DARK, LIGHT, Label
from convcli.drawing.step_scene import step_scene
from convcli.drawing.svg import svg
from convcli.drawing.walk_layers import Numbers, walk_layers
from convcli.layers import Activation, MaxPool

SPACE = "{http://www.w3.org/2000/svg}"
ONE = (Conv(2, 1, 3, stride=2, padding=1),), (2, 4, 4), Numbers()
CHAIN = (Conv(1, 1, 3), Activation("relu"), MaxPool(2)), (1, 4, 4), Numbers()


def parsed(given, **settings):
    return ElementTree.fromstring(encode(layer_drawing(*given), "svg", Settings(**settings))[0])


def seen(node, visible, share=None, shown=True):
    """Return the visible texts in order: without motion, or after a fraction of the animation."""
    if node.tag == f"{SPACE}g":
        own = node.get("visibility") != "hidden"
        name = node.get("class")
        if share is not None and name is not None:
            own = [how for at, how in visible[name] if at <= share][-1] == "visible"
        shown = shown and own
    found = [node.text] if node.tag == f"{SPACE}text" and shown else []
    for child in node:
        found += seen(child, visible, share, shown)
    return found


def keyframes(root):
    style = root.find(f"{SPACE}style").text
    return {
        name: [(float(at) / 100, how) for at, how in re.findall(r"([\d.]+)%{visibility:(\w+)}", body)]
        for name, body in re.findall(r"@keyframes (\S+?){((?:[\d.]+%{visibility:\w+})+)}", style)
    }


def labels(scene, number):
    return [mark.text for mark in scene.frame(number) if isinstance(mark, Label)]


@pytest.mark.parametrize("given", [ONE, CHAIN], ids=["one", "chain"])
def test_each_step_is_visible_in_its_time(given):
    root = parsed(given, delay=0.5)
    rules = keyframes(root)
    scenes = [step_scene(stage) for stage in walk_layers(*given)]
    frames = [(scene, number) for scene in scenes for number in range(len(scene.now))]
    slots = len(frames) + 1  # the last one is visible twice as long
    assert f"{slots * 0.5:g}s step-end infinite" in root.find(f"{SPACE}style").text
    for place, (scene, number) in enumerate([*frames, frames[-1]]):
        assert sorted(seen(root, rules, (place + 0.5) / slots)) == sorted(labels(scene, number))


@pytest.mark.parametrize("given", [ONE, CHAIN], ids=["one", "chain"])
def test_without_motion_the_last_step_is_visible(given):
    root = parsed(given)
    scene = step_scene(walk_layers(*given)[-1])
    assert sorted(seen(root, {})) == sorted(labels(scene, len(scene.now) - 1))
    style = root.find(f"{SPACE}style").text
    assert style.index("@media (prefers-reduced-motion:no-preference)") < style.index("animation:")


def test_one_step_does_not_move():
    root = parsed(CHAIN, step=6)
    assert seen(root, {}) == labels(step_scene(walk_layers(*CHAIN)[1]), 1)
    assert "animation" not in root.find(f"{SPACE}style").text


def test_colours_follow_the_reader_or_the_theme_option():
    style = {
        theme: parsed(ONE, theme=theme).find(f"{SPACE}style").text for theme in ("auto", "light", "dark")
    }
    for name in LIGHT:
        rule = f"stroke:{LIGHT[name]}" if name.endswith("-edge") else f"fill:{LIGHT[name]}"
        assert rule in style["auto"] and rule in style["light"]
        assert DARK[name] in style["auto"] and DARK[name] in style["dark"]
    assert "prefers-color-scheme:dark" in style["auto"]
    assert "prefers-color-scheme" not in style["light"] + style["dark"]


def test_it_has_a_title_and_a_description():
    root = parsed(ONE)
    assert root.get("role") == "img"
    assert root.find(f"{SPACE}title").text == "conv k3x3 s2 p1 o1 (convolution): 2x4x4 to 1x2x2, 4 steps"
    assert root.find(f"{SPACE}desc").text.splitlines()[0].startswith("step 1 of 4: channel 0: 0*")
    used = {word for node in root.iter() for word in node.get("class", "").split() if word[1] == "-"}
    style = root.find(f"{SPACE}style").text
    assert all(f".{name}{{" in style for name in used)


def test_descriptions_are_escaped():
    from convcli.drawing.scene import Scene

    root = ElementTree.fromstring(svg([Scene(9, 9, (Label(1, 1, "<&>", 9),), title="a<b")], "light", 1))
    assert seen(root, {}) == ["<&>"]
    assert root.find(f"{SPACE}title").text == "a<b"
