"""The options that commands share: each declared once, arriving as one record."""

import functools
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from itertools import product
from pathlib import Path
from typing import Any, TypeVar

import click

from convcli.cli.conversation import Conversation
from convcli.errors import ArgumentError
from convcli.layers.axes import Shape, whole
from convcli.layers.conv import Conv
from convcli.layers.notation import parse_padding, parse_size
from convcli.layers.padding import AnyPadding
from convcli.render import ENDINGS, FORMATS, Answer, render

T = TypeVar("T")
Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]
Size = int | tuple[int, ...]


class Command(click.Command):
    """A command whose help leads with its examples."""

    def __init__(self, *args: Any, examples: Sequence[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.examples = examples

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples, then what the command does."""
        with formatter.section("Examples"):
            for example in self.examples:
                formatter.write(f"{'':{formatter.current_indent}}{example}\n")
        super().format_help_text(ctx, formatter)


class Parsed(click.ParamType[T]):
    """An option read by one of our parsers, whose ArgumentError becomes Click's message."""

    def __init__(self, name: str, parse: Callable[[str], T]) -> None:
        self.name = name
        self.parse = parse

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> T:
        """Parse one word of the command line."""
        try:
            return self.parse(value)
        except ArgumentError as error:
            self.fail(str(error), param, ctx)


def several(parse: Callable[[str], T]) -> Callable[[str], tuple[T, ...]]:
    """Read a sweep: values divided by commas, each a row of the answer."""
    return lambda text: tuple(parse(item) for item in text.split(","))


def bundled(name: str, record: type[Any], *options: Decorator) -> Decorator:
    """Give a command the options, and their values as one `record` argument called `name`."""

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        def unbundled(**values: Any) -> Any:
            bundle = record(**{item.name: values.pop(item.name) for item in fields(record)})
            return command(**values, **{name: bundle})

        call: Callable[..., Any] = functools.update_wrapper(unbundled, command)

        for option in reversed(options):
            call = option(call)
        return call

    return decorate


# How loud


def _loudness(name: str) -> Callable[[click.Context, click.Parameter, bool], None]:
    def store(ctx: click.Context, param: click.Parameter, value: bool) -> None:
        setattr(ctx.find_object(Conversation), name, value)

    return store


def talking(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add -q, -v and --debug, which set the run's Conversation."""
    for flags, name, text in (
        (("--debug",), "debug", "Show the traceback of an error."),
        (("-v", "--verbose"), "verbose", "Say more."),
        (("-q", "--quiet"), "quiet", "Say nothing but errors."),
    ):
        command = click.option(
            *flags, is_flag=True, is_eager=True, expose_value=False, callback=_loudness(name), help=text
        )(command)
    return command


# The layer in question


@dataclass(frozen=True)
class Question:
    """One layer and the input that it is asked about."""

    conv: Conv
    input_size: tuple[int, ...] | None
    by_one_number: bool  # the size was typed as one number, and so is the answer

    @property
    def input_shape(self) -> Shape:
        """(channels, *spatial), or ArgumentError where no size was given."""
        if self.input_size is None:
            raise ArgumentError("the input size is missing; give --n, as in --n 224 or --n 224x112")
        return (self.conv.in_channels, *self.input_size)

    def in_kind(self, size: Sequence[int]) -> int | list[int]:
        """Return a size in the notation of the question: one number for one number."""
        return size[0] if self.by_one_number and len(set(size)) == 1 else list(size)


@dataclass(frozen=True)
class LayerOptions:
    """The layer options as typed; each holds all values of a sweep."""

    n: tuple[Size, ...] | None
    k: tuple[Size, ...]
    s: tuple[Size, ...]
    p: tuple[AnyPadding, ...]
    d: tuple[Size, ...]
    in_channels: tuple[int, ...]
    out_channels: tuple[int, ...]
    groups: tuple[int, ...]
    bias: bool
    dims: int | None

    def questions(self) -> Iterator[Question]:
        """Return one question for each combination of the values."""
        for n, k, s, p, d, in_channels, out_channels, groups in product(
            self.n or (None,),
            self.k,
            self.s,
            self.p,
            self.d,
            self.in_channels,
            self.out_channels,
            self.groups,
        ):
            dims = self._dims({"--n": n, "--k": k, "--s": s, "--p": p, "--d": d})
            conv = Conv(
                in_channels=in_channels,
                out_channels=out_channels,
                kernel_size=k,
                stride=s,
                padding=p,
                dilation=d,
                groups=groups,
                bias=self.bias,
                dims=dims,
            )
            yield Question(conv, (n,) * dims if isinstance(n, int) else n, isinstance(n, int))

    def _dims(self, options: dict[str, object]) -> int:
        """Return the number of spatial axes that --dims or the sizes agree on."""
        said = {} if self.dims is None else {f"--dims {self.dims}": self.dims}
        for name, value in options.items():
            if isinstance(value, tuple) and len(value) > 1:
                said[f"{name} with {len(value)} axes"] = len(value)
        if len(set(said.values())) > 1:
            raise ArgumentError(
                f"{' and '.join(said)} do not fit together; give each the same number of axes"
            )
        return next(iter(said.values()), 2)


_size = Parsed("SIZE", several(parse_size))
_count = Parsed("N", several(lambda text: whole_number(text)))


def whole_number(text: str) -> int:
    """Read a count of at least 1."""
    return whole("the number", int(text) if text.lstrip("+-").isdigit() else text, 1)


layer_options = bundled(
    "layer",
    LayerOptions,
    click.option("--n", "--input-size", "n", type=_size, help="Input size: 224, or 224x112 for each axis."),
    click.option("--k", "--kernel-size", "k", type=_size, required=True, help="Kernel size: 3 or 3x5."),
    click.option("--s", "--stride", "s", type=_size, default="1", show_default=True, help="Stride."),
    click.option(
        "--p",
        "--padding",
        "p",
        type=Parsed("PADDING", several(parse_padding)),
        default="0",
        show_default=True,
        help="Padding: 1, 2x1, before:after as 1:2, or valid, same, same-lower, full.",
    ),
    click.option("--d", "--dilation", "d", type=_size, default="1", show_default=True, help="Dilation."),
    click.option("--in", "in_channels", type=_count, default="1", show_default=True, help="Input channels."),
    click.option(
        "--out", "out_channels", type=_count, default="1", show_default=True, help="Output channels."
    ),
    click.option("--groups", type=_count, default="1", show_default=True, help="Groups of channels."),
    click.option("--bias/--no-bias", default=True, show_default=True, help="One bias an output channel."),
    click.option(
        "--dims", type=click.IntRange(1), help="Spatial axes, where sizes are one number.  [default: 2]"
    ),
)


# The answer


@dataclass(frozen=True)
class AnswerOptions:
    """How an answer is to be written, and where."""

    form: str | None
    output: Path | None
    force: bool

    def give(self, answer: Answer) -> None:
        """Print the answer, or write it to the file that -o names."""
        if self.output is None:
            click.echo(render(answer, self.form or "table", terminal=sys.stdout.isatty()), nl=False)
            return
        from convcli.files import write_whole

        form = self.form or ENDINGS.get(self.output.suffix.lower())
        if form is None:
            raise ArgumentError(
                f"{self.output} does not say its format; end it in {' '.join(ENDINGS)}, or give --format"
            )
        write_whole(self.output, render(answer, form).encode(), overwrite=self.force)


answer_options = bundled(
    "answer",
    AnswerOptions,
    click.option(
        "--format", "form", type=click.Choice(list(FORMATS)), help="How to print it.  [default: table]"
    ),
    click.option(
        "-o",
        "--output",
        type=click.Path(path_type=Path),
        help="Write to this file; its ending picks the format.",
    ),
    click.option("--force", is_flag=True, help="Replace the output file if it exists."),
)
