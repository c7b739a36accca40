"""The options of `convcli learn` for the kernel, the method and banks of kernels."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from convcli.cli.options.bundled import bundled
from convcli.cli.options.option_types import Parsed, at_least
from convcli.errors import ArgumentError
from convcli.filters.read_arguments import read_number
from convcli.jobs.read_source import Reading
from convcli.layers.padding import MODES, NAMES, AnyPadding, mode_of
from convcli.layers.text.notation import parse_padding, parse_size

if TYPE_CHECKING:
    from convcli.learning.learning_recipe import Recipe


PAIR_SIZE, BANK_SIZE = 3, 7  # default sizes of a kernel, and of the kernels of a bank


class LearnOptions(NamedTuple):
    """The arguments of `convcli.learn_kernel`; None for those that are not given."""

    size: Any
    stride: Any
    dilation: Any
    padding: AnyPadding | None
    padding_mode: str | None
    flip: bool
    bias: bool
    per_channel: bool
    mix: bool
    keep_clipped: bool
    method: str
    steps: int | None
    lr: float | None
    seed: int | None

    def recipe(self, *, linear: bool) -> "Recipe":
        """Return the recipe for learning a kernel; or raise ArgumentError."""
        from convcli.learning.learning_recipe import Recipe

        size = PAIR_SIZE if self.size is None else self.size
        return Recipe.of(**{**self._asdict(), "size": size}, linear=linear)


class BankOptions(NamedTuple):
    """The options of a bank of kernels."""

    patches: bool
    random: bool
    kernel_count: int | None
    in_channels: int | None

    def check(self, typed: Mapping[str, str], names: Sequence[str]) -> None:
        """Raise ArgumentError for options that do not apply to a bank; `typed` has the options by their names."""
        if self.patches and self.random:
            raise ArgumentError("--patches learns a bank and --random draws one; give one of them")
        flag = "--patches" if self.patches else "--random"
        for name in filter(typed.__contains__, OF_PAIRS):
            raise ArgumentError(f"{typed[name]} applies to pairs of pictures, not to {flag}; leave it out")
        if self.patches and self.in_channels is not None:
            raise ArgumentError(
                "--in applies to --random; with --patches the pictures determine it; leave it out"
            )
        if self.random and names:
            raise ArgumentError(f"--random uses no pictures, but {names[0]!r} is given; leave it out")
        for name in filter(typed.__contains__, OF_PICTURES if self.random else ()):
            raise ArgumentError(f"--random uses no pictures, but {typed[name]} is given; leave it out")
        if self.patches and not names:
            raise ArgumentError("--patches needs pictures to learn from; name some")

    def refuse(self, typed: Mapping[str, str], names: Sequence[str]) -> None:
        """Raise ArgumentError for options that apply only to a bank, and if there are no pictures."""
        for name in filter(typed.__contains__, OF_BANKS):
            raise ArgumentError(f"{typed[name]} applies only to a bank; give --patches or --random with it")
        if not names:
            raise ArgumentError(
                "there is nothing to learn from; name BEFORE and AFTER, or pictures with --patches"
            )


_SIZE: Any = Parsed("SIZE", parse_size)

OF_PAIRS = (
    *(
        "stride",
        "dilation",
        "padding",
        "padding_mode",
        "flip",
        "bias",
        "per_channel",
        "mix",
        "keep_clipped",
        "method",
    ),
    *("steps", "lr", "bias_file", "trace", "values"),
)
OF_PICTURES = Reading._fields
OF_BANKS = ("kernel_count", "in_channels", "bank_sheet")


learn_options = bundled(
    "options",
    LearnOptions,
    click.option("--size", type=_SIZE, help="Kernel size: 5, or 1x2 (rows x columns). [3, for a bank 7]"),
    click.option("--stride", type=_SIZE, default="1", help="Pixels between two outputs. [1]"),
    click.option("--dilation", type=_SIZE, default="1", help="Pixels between two taps of the kernel. [1]"),
    click.option(
        "--padding",
        type=Parsed("SIZE", parse_padding, NAMES),
        help="same, same-lower, valid, full, 1, 1:2. [from the sizes]",
    ),
    click.option(
        "--padding-mode",
        type=Parsed("MODE", mode_of, tuple(MODES)),
        help="How BEFORE is padded, as in convcli filter. [borders are left out]",
    ),
    click.option(
        "--flip", is_flag=True, help="Learn a true convolution: its kernel is rotated by 180 degrees."
    ),
    click.option("--bias/--no-bias", default=True, help="Add a number to each result. [yes]"),
    click.option("--per-channel", is_flag=True, help="Learn one kernel per channel, not one for all."),
    click.option("--mix", is_flag=True, help="Learn a layer: weights from every channel to every channel."),
    click.option("--keep-clipped", is_flag=True, help="Also use samples of AFTER that may be clipped."),
    click.option(
        "--method",
        type=click.Choice(["exact", "sgd"]),
        default="exact",
        help="exact: least squares; sgd: gradient descent. [exact]",
    ),
    click.option("--steps", type=at_least(1), help="sgd: number of steps. [100]"),
    click.option("--lr", type=Parsed("F", read_number), help="sgd: the learning rate. [90 % of the largest]"),
    click.option(
        "--seed", type=at_least(0), help="Seed of the initial weights of sgd [zeros], or of a bank."
    ),
)

bank_options = bundled(
    "bank",
    BankOptions,
    click.option("--patches", is_flag=True, help="Learn a bank from the patches of pictures, by k-means."),
    click.option("--random", is_flag=True, help="Draw a bank at random."),
    click.option("--count", "kernel_count", type=at_least(1), help="Number of kernels in the bank. [16]"),
    click.option("--in", "in_channels", type=at_least(1), help="random: input channels. [1]"),
)
