"""The options of what `convcli learn` looks for, and how."""

from typing import TYPE_CHECKING, Any, NamedTuple

import click

from convcli.cli.options.common_options import Parsed, at_least, bundled
from convcli.filters.read_arguments import read_number
from convcli.layers.padding import AnyPadding, mode_of
from convcli.layers.text.notation import parse_padding, parse_size

if TYPE_CHECKING:
    from convcli.learning.learning_recipe import Recipe


class LearnOptions(NamedTuple):
    """The arguments of `convcli.learn_kernel`; None where they are not given."""

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

    @property
    def recipe(self) -> "Recipe":
        """How a kernel is to be learned; or raise ArgumentError."""
        from convcli.learning.learning_recipe import Recipe

        return Recipe.of(**self._asdict())


_SIZE: Any = Parsed("SIZE", parse_size)

learn_options = bundled(
    "options",
    LearnOptions,
    click.option("--size", type=_SIZE, default="3", help="Of the kernel: 5, or 1x2 (rows x columns). [3]"),
    click.option("--stride", type=_SIZE, default="1", help="Pixels from one output to the next. [1]"),
    click.option("--dilation", type=_SIZE, default="1", help="Pixels between the taps of the kernel. [1]"),
    click.option(
        "--padding",
        type=Parsed("SIZE", parse_padding),
        help="same, same-lower, valid, full, 1, 1:2. [what the sizes tell]",
    ),
    click.option(
        "--padding-mode",
        type=Parsed("MODE", mode_of),
        help="How BEFORE goes on, as in convcli filter. [borders are left out]",
    ),
    click.option("--flip", is_flag=True, help="The kernel of a true convolution, turned by 180 degrees."),
    click.option("--bias/--no-bias", default=True, help="Whether a number is added to each answer. [yes]"),
    click.option("--per-channel", is_flag=True, help="A kernel for each channel; else one for all."),
    click.option("--mix", is_flag=True, help="Weights from every channel to every other: a layer."),
    click.option("--keep-clipped", is_flag=True, help="Use samples of AFTER that may be clipped, too."),
    click.option(
        "--method",
        type=click.Choice(["exact", "sgd"]),
        default="exact",
        help="Least squares, or steps. [exact]",
    ),
    click.option("--steps", type=at_least(1), help="sgd: how many steps. [100]"),
    click.option("--lr", type=Parsed("F", read_number), help="sgd: the learning rate. [90 % of the largest]"),
    click.option("--seed", type=at_least(0), help="sgd: of the weights that it begins with. [zeros]"),
)
