"""Steps as a web page: one self-contained file that plays the steps and recomputes them for other options."""

import json
import re
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from convcli import __version__
from convcli.drawing.records import plain, plain_rows, record
from convcli.drawing.scene import DARK, LIGHT, Scene
from convcli.drawing.steps import Stage
from convcli.drawing.text_frames import heading, plain_frames
from convcli.drawing.walk_layers import Numbers
from convcli.layers.axes import Sizes
from convcli.layers.base import Layer, Window
from convcli.layers.conv import Conv, Convolution
from convcli.layers.padding import Padding
from convcli.layers.pool import AvgPool, MaxPool
from convcli.layers.text.notation import format_padding, format_size
from convcli.layers.transposed import ConvTranspose
from convcli.layers.unshared import LocalConv, TiledConv

FOLDER = Path(__file__).parent
FIELDS = {
    "size": "Input size",
    "kernel": "Kernel size",
    "stride": "Stride",
    "padding": "Padding",
    "dilation": "Dilation",
}
CUSTOM = 2 * "-"  # prefix of CSS custom properties
MAX_TEXT = 200  # steps that are written as text for browsers without scripts
KINDS: Mapping[type[Layer], str] = {
    Conv: "conv",
    LocalConv: "conv",
    TiledConv: "conv",
    ConvTranspose: "convT",
    MaxPool: "max",
    AvgPool: "avg",
}
SHARING: Mapping[type[Layer], str] = {LocalConv: "local", TiledConv: "tiled"}


def page(
    layers: Sequence[Layer], stages: Sequence[Stage], numbers: Numbers, *, step: int, delay: float, theme: str
) -> str:
    """Return the page of steps that starts at `step`, counted from 1.

    A single layer of a kind that page.js supports is recomputed there; for other layers the page contains the steps.
    """
    layer = layer_record(layers, stages[0], numbers) if len(stages) == 1 else None
    text = "\n".join(
        plain_frames(stages, 80, None if sum(len(s.steps) for s in stages) <= MAX_TEXT else step)
    )
    data = {
        "layer": layer,
        "stages": None if layer else [record(stage) for stage in stages],
        "step": step,
        "delay": delay,
    }
    parts = {
        "version": __version__,
        "title": escape("; ".join(heading(stage) for stage in stages)),
        "style": _palettes(theme) + (FOLDER / "page.css").read_text(encoding="utf-8"),
        "fields": "\n".join(_field(name, label, layer) for name, label in FIELDS.items()),
        "text": escape(text),
        "data": json.dumps(data).replace("<", "\\u003c"),
        "script": "\n".join(
            (FOLDER / name).read_text(encoding="utf-8") for name in ("page.js", "page_view.js")
        ),
    }
    return re.sub(
        r"\{(\w+)\}", lambda match: parts[match[1]], (FOLDER / "page.html").read_text(encoding="utf-8")
    )


def still_page(scenes: Sequence[Scene], text: str, theme: str) -> str:
    """Return a page of still pictures, followed by the same in words."""
    from convcli.drawing.svg import svg

    title = escape("; ".join(scene.title for scene in scenes))
    style = _palettes(theme) + (FOLDER / "page.css").read_text(encoding="utf-8")
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; "
        f'img-src data:">\n'
        f'<meta name="generator" content="convcli {__version__}">\n<title>{title}</title>\n'
        f"<style>\n{style}</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n"
        f"<figure>\n{svg(scenes, theme, 0)}</figure>\n"
        f"<details>\n<summary>In words</summary>\n<pre>{escape(text)}</pre>\n</details>\n</main>\n</body>\n</html>\n"
    )


def layer_record(layers: Sequence[Layer], stage: Stage, numbers: Numbers) -> dict[str, Any] | None:
    """Return the only layer of a drawing as data for page.js; None if page.js does not support its kind."""
    layer = next(layer for layer in layers if layer.inner is layer)
    kind = KINDS.get(type(layer))
    if kind is None or not isinstance(layer, Window):
        return None
    channels, rows, columns = stage.input_shape
    weighted = isinstance(layer, Convolution)
    given = _numbering(layer, stage, numbers) if isinstance(layer, Convolution) else "one"
    return {
        "kind": kind,
        "dims": layer.dims,
        "size": [rows, columns],
        "kernel": _pair(layer.kernel_size, 1),
        "stride": _pair(layer.stride, 1),
        "dilation": _pair(layer.dilation, 1),
        "padding": layer.padding if isinstance(layer.padding, str) else _pair(layer.padding, (0, 0)),
        "extra": _pair(layer.extra((rows, columns)[-layer.dims :]), 0)
        if isinstance(layer, ConvTranspose)
        else [0, 0],
        "inputs": channels,
        "outputs": stage.output_shape[0],
        "groups": layer.groups if isinstance(layer, Convolution) else channels,
        "sharing": SHARING.get(type(layer), "shared"),
        "tile": _pair(layer.tile, 1) if isinstance(layer, TiledConv) else [1, 1],
        "bias": layer.bias if isinstance(layer, Convolution) else False,
        "ceil": layer.ceil_mode,
        "include": getattr(layer, "count_include_pad", False),
        "values": [] if numbers.values is None else [plain_rows(channel) for channel in numbers.values],
        "kernels": [plain_rows(kernel) for kernel in numbers.kernels] if weighted else [],
        "kernels_are": given,
        "flip": numbers.flip,
        "seed": numbers.seed,
        "padding_mode": stage.border.mode,
        "padding_value": plain(stage.border.value),
    }


def _numbering(layer: Convolution, stage: Stage, numbers: Numbers) -> str:
    from convcli.drawing.layer_weights import Weights

    _, rows, columns = stage.output_shape
    return Weights(layer, (rows, columns), numbers.kernels, flip=numbers.flip, seed=numbers.seed).kernels_are


def _pair(values: Sequence[Any], one_row: Any) -> list[Any]:
    """Return values for rows and columns; `one_row` is the value of the missing row axis in 1-D."""
    return list((one_row, *values)[-2:])


def _field(name: str, label: str, layer: Mapping[str, Any] | None) -> str:
    """Return an input field in the notation of the command line, with buttons that decrease and increase it."""
    value = "" if layer is None else _typed(layer[name], layer["dims"])
    return (
        f'<div class="field"><label for="{name}">{label}</label>'
        f'<span><button type="button" id="{name}-less" aria-label="{label}: less">&minus;</button>'
        f'<input type="text" id="{name}" value="{escape(value)}" autocomplete="off" spellcheck="false" '
        f'aria-describedby="problem">'
        f'<button type="button" id="{name}-more" aria-label="{label}: more">+</button></span></div>'
    )


def _typed(value: Padding | list[Any], dims: int) -> str:
    if isinstance(value, str):
        return value
    own: Any = tuple(value)[-dims:]
    if isinstance(own[0], tuple | list):
        return format_padding(tuple((before, after) for before, after in own))
    sizes: Sizes = own[:1] if len(set(own)) == 1 else own
    return format_size(sizes)


def _palettes(theme: str) -> str:
    """Return CSS variables for the colours, and a class for each."""

    def variables(palette: Mapping[str, str]) -> str:
        colours = {**palette, "control-edge": palette["faint"]}
        return "".join(f"{CUSTOM}{name}:{colour};" for name, colour in colours.items())

    first, other = (DARK, LIGHT) if theme == "dark" else (LIGHT, DARK)
    scheme = f"color-scheme:{theme};" if theme != "auto" else ""
    rules = f":root{{{variables(first)}{scheme}}}\n"
    if theme == "auto":
        rules += f"@media (prefers-color-scheme:dark){{:root{{{variables(other)}}}}}\n"
    for name in LIGHT:
        kind, what = ("e", "stroke") if name.endswith("-edge") else ("f", "fill")
        rules += f".{kind}-{name}{{{what}:var({CUSTOM}{name})}}"
    return rules + f".e-ray{{stroke:var({CUSTOM}ray)}}\n"
