"""The options that spell the layer that `convcli filter` runs."""

from collections.abc import Callable, Sequence
from typing import Any

import click

from convcli.cli.options import Decorator, Parsed, activation_option, at_least, bundled, pool_option
from convcli.errors import ArgumentError, instead_of
from convcli.filters.request import FILTERING, LayerOptions
from convcli.kernels.kernel import is_finite
from convcli.kernels.named import MAX_SIDE
from convcli.layers.notation import parse_padding, parse_size
from convcli.layers.padding import mode_of
from convcli.layers.variants import PLAIN, VARIANTS

MOST_REPEATS = 1000


def _variant(text: str) -> str:
    if text in VARIANTS and text not in FILTERING:
        raise ArgumentError(
            f"{text} {VARIANTS[text].too_much}: that is no filter; take another variant, and convcli cost for what "
            f"{text} costs"
        )
    if text not in FILTERING:
        raise ArgumentError(f"there is no variant {text!r}; {instead_of(text, FILTERING)}")
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


def _parsed(metavar: str, parse: Callable[[str], Any], names: Sequence[str] = ()) -> Any:
    return Parsed(metavar, parse, names)


def _of(argument: str) -> str:
    """Name the variants that take an argument."""
    return ", ".join(name for name in FILTERING if VARIANTS[name].takes(argument))


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
    activation_option,
    pool_option,
    _option("--pool-channels", metavar="KIND", help="max, avg or lp, of all channels or by N: max:2."),
    _option("--repeat", type=at_least(1, MOST_REPEATS), default="1", help="Run the whole layer N times. [1]"),
    _option(
        "--variant",
        type=_parsed("NAME", _variant, FILTERING),
        help=f"One of those listed below. [{PLAIN}]",
    ),
    _option("--weights", metavar="FILE.npy", help="(O, C/groups, kh, kw) instead of kernels: O maps."),
    _option("--bias-file", "bias", metavar="FILE.npy", help="(O,): one number to add to each map."),
    _option("--pointwise", metavar="M", help="luma (BT.601), sepia, swap-rb, or a FILE (O, C)."),
    _option("--groups", type=at_least(1), help="Channels mix within N groups only."),
    _option("--rank", type=at_least(1), help=f"{_of('rank')}: the best N terms; says their error."),
    _option("--offsets", metavar="FIELD", help=f"{_of('offsets')}: swirl:strength=3 lens random FILE.npy."),
    _option("--local", metavar="FIELD", help=f"{_of('local')}: tilt-shift:sigma=6 vignette-blur FILE.npy."),
    _option("--tile", type=_parsed("RxC", _tile), help=f"{_of('tile')}: how the kernels lie. [one row]"),
    _option(
        "--output-padding",
        type=_parsed("SIZE", parse_size),
        help=f"{_of('output_padding')}: rows added at the end. [0]",
    ),
    _option("--dims", type=at_least(1, 3), help="3: over frames too; 1: --along an axis. [2]"),
    _option(
        "--along",
        type=click.Choice(["rows", "columns"]),
        metavar="AXIS",
        help="--dims 1: kernels lie along rows or columns. [rows]",
    ),
)
