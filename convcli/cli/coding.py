"""How outputs are coded: the options of quality, of each format that has them."""

import click

from convcli.cli.options import Parsed, at_least, bundled
from convcli.errors import ArgumentError
from convcli.images.coding import LOSSLESS, SAMPLINGS, TAKERS, Coding


def check_coding(coding: Coding, form: str, name: str) -> None:
    """Raise ArgumentError where a format has not what is asked for; `name` is what the input is called."""
    for option, value in coding._asdict().items():
        if value is not None and form not in TAKERS[option]:
            takers = " and ".join(TAKERS[option])
            why = "; lossy WebP always has 4:2:0" if (option, form) == ("subsampling", "WEBP") else ""
            raise ArgumentError(
                f"{name}: --{option.replace('_', '-')} belongs to {takers} output, not to {form}{why}"
            )
    if coding.quality == LOSSLESS and form != "WEBP":
        raise ArgumentError(
            f"{name}: --quality lossless belongs to WEBP output; {form} takes 1 to 100, and .png has no loss"
        )


def _quality(text: str) -> int | str:
    if text.lower() == LOSSLESS:
        return LOSSLESS
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 100):
        raise ArgumentError(f"{text!r} is not a whole number from 1 to 100, and not {LOSSLESS}")
    return int(text)


coding_options = bundled(
    "coding",
    Coding,
    click.option("--png-level", type=at_least(0, 9), help="Deflate PNG by zlib's level N, on one core."),
    click.option(
        "--quality",
        type=Parsed("Q", _quality),
        help="JPEG, WebP: 1 to 100; WebP: lossless. [as it was]",
    ),
    click.option(
        "--subsampling",
        type=click.Choice(list(SAMPLINGS)),
        metavar="J:A:B",
        help="Colours of a JPEG, as 4:4:4 or 4:2:0. [as it was]",
    ),
)
