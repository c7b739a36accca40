"""The options that spell the layer that `convcli filter` runs, and which of them belong to which variant."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import click

from convcli.cli.options import NO_OUTPUT_PADDING, Decorator, Parsed, at_least, bundled
from convcli.errors import ArgumentError, instead_of
from convcli.kernels.files import files_in, is_file
from convcli.kernels.kernel import is_finite
from convcli.kernels.named import MAX_SIDE
from convcli.layers.activation import ACTIVATIONS, SOFTMAX
from convcli.layers.axes import PerAxis
from convcli.layers.notation import format_size, parse_padding, parse_size
from convcli.layers.padding import SAME, AnyPadding, mode_of
from convcli.layers.variants import VARIANTS

MOST_REPEATS = 1000
VARIANT_NAMES = tuple(name for name in VARIANTS if name != "dense")
_WITH_WEIGHTS = (
    "standard",
    "depthwise",
    "grouped",
    "shuffled-grouped",
    "dilated",
    "transposed",
    "resize-conv",
    "deformable",
)
_SLIDING = tuple(name for name in VARIANT_NAMES if name != "pointwise")
_WITH_KERNELS = tuple(name for name in _SLIDING if name != "local")

# The variants that an option has a meaning for, where these are not all.
BELONGS: dict[str, tuple[str, ...]] = {
    "kernels": _WITH_KERNELS,
    "normalize": _WITH_KERNELS,
    "scale": _WITH_KERNELS,
    "shift": _WITH_KERNELS,
    "anchor": _WITH_KERNELS,
    "flip": _SLIDING,
    "padding": tuple(name for name in _SLIDING if "padding" not in VARIANTS[name].own),
    "padding_mode": _SLIDING,
    "padding_value": _SLIDING,
    "dilation": tuple(name for name in _SLIDING if "dilation" not in VARIANTS[name].own),
    "weights": _WITH_WEIGHTS,
    "bias_file": (*_WITH_WEIGHTS, "pointwise", "depthwise-separable"),
    "pointwise": ("pointwise", "depthwise-separable"),
    "groups": ("grouped", "shuffled-grouped", "dilated", "transposed", "resize-conv", "deformable"),
    "rank": ("separable",),
    "offsets": ("deformable",),
    "local": ("local",),
    "tile": ("tiled",),
    "output_padding": ("transposed",),
}

# What a variant cannot do without, and how that is given.
NEEDED = {
    "pointwise": ("pointwise", "--pointwise luma, sepia, swap-rb or a FILE with a matrix"),
    "depthwise-separable": ("pointwise", "--pointwise luma, sepia, swap-rb or a FILE with a matrix"),
    "deformable": ("offsets", "--offsets swirl, lens, random or a FILE.npy"),
    "local": ("local", "--local tilt-shift, vignette-blur or a FILE.npy"),
}

# What has no use where no layer slides over the picture, and an activation or a pool runs alone.
_OF_LAYERS = (
    "stride",
    "padding",
    "padding_mode",
    "padding_value",
    "groups",
    "rank",
    "tile",
    "output_padding",
)

# Without --variant these options tell it, the first that is given.
TELLING = {
    "offsets": "deformable",
    "local": "local",
    "tile": "tiled",
    "rank": "separable",
    "output_padding": "transposed",
    "groups": "grouped",
}


class LayerOptions(NamedTuple):
    """The options as typed, None, False or empty where they were not."""

    kernels: tuple[str, ...]
    normalize: bool
    scale: float | None
    shift: float | None
    anchor: tuple[int, ...] | None
    flip: bool
    max_kernel: int
    stride: PerAxis | None
    padding: AnyPadding | None
    padding_mode: str | None
    padding_value: float | None
    dilation: PerAxis | None
    activation: str | None
    pool: str | None
    pool_channels: str | None
    repeat: int
    variant: str | None
    weights: str | None
    bias_file: str | None
    pointwise: str | None
    groups: int | None
    rank: int | None
    offsets: str | None
    local: str | None
    tile: tuple[int, ...] | None
    output_padding: PerAxis | None
    dims: int | None
    along: str | None

    def given(self, name: str) -> bool:
        """Tell whether an option was typed."""
        value = getattr(self, name)
        return value is not None and value is not False and value != ()

    @property
    def chosen(self) -> str:
        """The variant: the one that is named, or the one that the other options belong to."""
        if self.variant is not None:
            return self.variant
        for name, variant in TELLING.items():
            if self.given(name):
                return variant
        if self.pointwise is not None:
            return "depthwise-separable" if self.kernels else "pointwise"
        return "standard" if self.weights is not None else "depthwise"

    @property
    def files(self) -> list[tuple[str, Path]]:
        """The files that the options name, after what messages call them."""
        others = ("weights", "bias_file", "pointwise", "offsets", "local")
        words = {name: getattr(self, name) for name in others if self.given(name)}
        return [
            *(("a kernel", path) for text in self.kernels for path in files_in(text)),
            *((f"the file of {flag(name)}", Path(text)) for name, text in words.items() if is_file(text)),
        ]

    def check(self) -> None:
        """Refuse options that do not belong to the variant, and what it cannot do without."""
        variant = self.chosen
        for name, variants in BELONGS.items():
            if self.given(name) and variant not in variants:
                raise ArgumentError(
                    f"{flag(name)} has no use with --variant {variant}; it belongs to {', '.join(variants)}"
                )
        if variant in NEEDED and not self.given(NEEDED[variant][0]):
            raise ArgumentError(f"--variant {variant} needs {NEEDED[variant][1]}")
        for name in ("groups", "dilation"):
            value = getattr(self, name)
            if (
                value is not None
                and name in VARIANTS[variant].replaced
                and VARIANTS[variant].ignores(name, value)
            ):
                raise ArgumentError(
                    f"{flag(name)} {format_size(value)} has no use with --variant {variant}, "
                    + VARIANTS[variant].instead_of(name)
                )
        if self.output_padding and self.padding in (None, *SAME):
            raise ArgumentError(NO_OUTPUT_PADDING)
        for name in ("kernels", "normalize", "scale", "shift", "anchor"):
            if self.weights is not None and self.given(name):
                raise ArgumentError(f"{flag(name)} has no use beside --weights; give one of them")
        for name in ("normalize", "scale", "shift", "anchor"):
            if self.given(name) and not self.kernels:
                raise ArgumentError(f"{flag(name)} changes kernels, and there is none; give --kernel")
        for name in ("flip", "dilation"):
            if self.given(name) and not (self.kernels or self.weights or self.local):
                raise ArgumentError(f"{flag(name)} changes kernels, and there is none; give --kernel")
        if (
            self.groups is not None
            and self.weights is None
            and variant not in ("grouped", "shuffled-grouped")
        ):
            raise ArgumentError(
                f"--groups goes with --weights for --variant {variant}, whose kernels have a channel each"
            )
        if self.bias_file is not None and self.weights is None and self.pointwise is None:
            raise ArgumentError(
                "--bias-file goes with --weights or --pointwise; --bias V adds to a kernel's answer"
            )
        if self.along is not None and self.dims != 1:
            raise ArgumentError("--along lays kernels of one axis; give --dims 1 with it")
        if self.dims == 1 and not self.kernels:
            raise ArgumentError("--dims 1 is of kernels with one axis, and there is none; give --kernel")
        self._check_something()

    def _check_something(self) -> None:
        """Refuse a run that would do nothing, or a tile of one kernel."""
        variant = self.chosen
        if variant == "tiled":
            count = self.tile[0] * self.tile[1] if self.tile else len(self.kernels)
            if len(self.kernels) < 2 or len(self.kernels) != count:
                tile = "x".join(map(str, self.tile)) if self.tile else "1xN"
                raise ArgumentError(
                    f"--variant tiled takes the kernels of its tile row by row, and {len(self.kernels)} are given "
                    f"for {tile}; repeat --kernel {'' if self.tile is None else f'{count} times'}".rstrip()
                )
        stages = (self.weights, self.pointwise, self.offsets, self.local)
        for name in _OF_LAYERS:
            if self.given(name) and not self.kernels and not any(stages):
                raise ArgumentError(f"{flag(name)} belongs to a layer, and there is none; give --kernel")
        behind = (self.activation, self.pool, self.pool_channels)
        if not self.kernels and not any(stages) and (self.variant or not any(behind)):
            needs = "" if self.variant is None else f" for --variant {variant}"
            weights = " or --weights" if variant in _WITH_WEIGHTS else ""
            raise ArgumentError(
                f"there is nothing to run{needs}; give --kernel{weights}, such as --kernel sobel"
            )


def flag(name: str) -> str:
    """Return an option as it is typed."""
    return {"kernels": "--kernel", "shift": "--bias"}.get(name, f"--{name.replace('_', '-')}")


def _variant(text: str) -> str:
    if text == "dense":
        raise ArgumentError(
            "dense has a weight for every pair of an input and an output pixel, 1.6e10 for 400 x 300: that is no "
            "filter; take local for weights that vary, and convcli cost for what dense costs"
        )
    if text not in VARIANT_NAMES:
        raise ArgumentError(f"there is no variant {text!r}; {instead_of(text, VARIANT_NAMES)}")
    return text


def _activation(text: str) -> str:
    known = (*ACTIVATIONS, SOFTMAX)
    if text not in known:
        raise ArgumentError(f"there is no activation {text!r}; {instead_of(text, known)}")
    return text


def _number(text: str) -> float:
    """Read a finite number; whole ones stay so, for exact sums."""
    try:
        value: float = int(text)
    except ValueError:
        try:
            value = float(text)
        except ValueError:
            raise ArgumentError(f"{text!r} is not a number") from None
    if not is_finite(value):
        raise ArgumentError(f"{text!r} is not a finite number")
    return value


def _places(text: str) -> tuple[int, ...]:
    """Read the place of a tap: Y,X."""
    words = text.split(",")
    if not all(word.isascii() and word.isdigit() for word in words):
        raise ArgumentError(
            f"{text!r} is not a place in a kernel; write Y,X from 0, as 0,0 for the upper left tap"
        )
    return tuple(map(int, words))


def _tile(text: str) -> tuple[int, int]:
    size = parse_size(text)
    if isinstance(size, int) or len(size) != 2 or 0 in size:
        raise ArgumentError(f"{text!r} is not a tile; write ROWSxCOLUMNS, as 2x2")
    return size[0], size[1]


def _option(*names: str, **settings: Any) -> Decorator:
    return click.option(*names, **settings)


def _parsed(metavar: str, parse: Callable[[str], Any]) -> Any:
    return Parsed(metavar, parse)


layer_options = bundled(
    "layer",
    LayerOptions,
    _option(
        "-k",
        "--kernel",
        "kernels",
        multiple=True,
        metavar="SPEC",
        help="sobel, gaussian:sigma=2, '0 -1 0; -1 5 -1; 0 -1 0', a FILE. Again: the next.",
    ),
    _option("--normalize", is_flag=True, help="Divide by the sum of the weights."),
    _option("--scale", type=_parsed("F", _number), help="Multiply the weights."),
    _option(
        "--bias", "shift", type=_parsed("V", _number), help="Add to each answer, in units of the pixels."
    ),
    _option(
        "--anchor", type=_parsed("Y,X", _places), help="The tap that lies on the pixel, from 0. [the middle]"
    ),
    _option("--flip", is_flag=True, help="Turn kernels by 180 degrees: true convolution."),
    _option(
        "--max-kernel",
        type=at_least(1),
        default=str(MAX_SIDE),
        envvar="CONVCLI_MAX_KERNEL",
        show_envvar=True,
        help=f"Refuse wider kernels. [{MAX_SIDE}]",
    ),
    _option(
        "--stride", type=_parsed("SIZE", parse_size), help="Pixels from one output to the next: 2 or 2x1. [1]"
    ),
    _option(
        "--padding",
        type=_parsed("SIZE", parse_padding),
        help="same, same-lower, valid, full, 1, 2x1, 1:2. [same]",
    ),
    _option(
        "--padding-mode", type=_parsed("MODE", mode_of), help="How the picture goes on; see below. [reflect]"
    ),
    _option(
        "--padding-value", type=_parsed("V", _number), help="What --padding-mode constant pads with. [0]"
    ),
    _option("--dilation", type=_parsed("SIZE", parse_size), help="Pixels between the taps of a kernel. [1]"),
    _option(
        "--activation",
        type=_parsed("NAME", _activation),
        help="relu leaky-relu sigmoid tanh abs softplus ...; white is 1.",
    ),
    _option("--pool", metavar="KIND", help="max:2, avg:3,stride=2, lp:2,p=3, global-avg, adaptive-max:7x7."),
    _option("--pool-channels", metavar="KIND", help="max, avg or lp, of all channels or by N: max:2."),
    _option("--repeat", type=at_least(1, MOST_REPEATS), default="1", help="Run the whole layer N times. [1]"),
    _option("--variant", type=_parsed("NAME", _variant), help="One of those listed below. [depthwise]"),
    _option("--weights", metavar="FILE.npy", help="(O, C/groups, kh, kw) instead of kernels: O maps."),
    _option("--bias-file", metavar="FILE.npy", help="(O,): one number to add to each map."),
    _option("--pointwise", metavar="M", help="luma (BT.601), sepia, swap-rb, or a FILE (O, C)."),
    _option("--groups", type=at_least(1), help="Channels mix within N groups only."),
    _option("--rank", type=at_least(1), help="separable: the best N terms; says their error."),
    _option("--offsets", metavar="FIELD", help="deformable: swirl:strength=3 lens random FILE.npy."),
    _option("--local", metavar="FIELD", help="local: tilt-shift:sigma=6 vignette-blur FILE.npy."),
    _option("--tile", type=_parsed("RxC", _tile), help="tiled: how the kernels lie. [one row]"),
    _option(
        "--output-padding", type=_parsed("SIZE", parse_size), help="transposed: rows added at the end. [0]"
    ),
    _option("--dims", type=at_least(1, 3), help="3: over frames too; 1: --along an axis. [2]"),
    _option(
        "--along",
        type=click.Choice(["rows", "columns"]),
        metavar="AXIS",
        help="--dims 1: kernels lie along rows or columns. [rows]",
    ),
)
