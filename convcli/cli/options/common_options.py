"""The options that commands share: each declared once, arriving as one record."""

import functools
import sys
from collections.abc import Callable, Mapping, Sequence
from inspect import cleandoc
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

import click

from convcli.cli.conversation import Conversation
from convcli.errors import ArgumentError
from convcli.jobs.collisions import Reads, check_reads
from convcli.layers.activation import ACTIVATIONS, SOFTMAX, parse_activation
from convcli.memory import memory_size
from convcli.render import ENDINGS, FORMATS, PICTURES, Answer, render

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

T = TypeVar("T")
Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

WIDEST = 24  # of the names of an option in grouped help; longer ones have a line of their own


class Command(click.Command):
    """A command whose help leads with its examples and the options that most people use; --help-all has the rest."""

    def __init__(
        self,
        *args: Any,
        examples: Sequence[str],
        groups: Mapping[str, Sequence[str]] | None = None,
        leading: Sequence[str] = (),
        topics: Sequence[str] = (),
        moved: Mapping[str, str] | None = None,
        more: Callable[[], str] | None = None,
        **kwargs: Any,
    ) -> None:
        """Make it.

        groups : the names of options under the heading that each belongs to; others follow
        leading : the names of the options that --help explains, if there are too many to explain them all
        topics : the pages of convcli help that explain more
        moved : options that belong to another command, and how that is used
        more : returns what stands below all options
        """
        super().__init__(*args, **kwargs)
        self.examples = examples
        self.groups = groups or {}
        self.leading = leading
        self.topics = topics
        self.moved = moved or {}
        self.more = more
        if leading:
            self.params.append(_help_all_option())

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the arguments; from here on messages name these options."""
        if (conversation := ctx.find_object(Conversation)) is not None:
            conversation.parameters = self.get_params(ctx)
        return super().parse_args(ctx, args)

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples, then what the command does."""
        with formatter.section("Examples"):
            for example in self.examples:
                formatter.write(f"{'':{formatter.current_indent}}{example}\n")
        super().format_help_text(ctx, formatter)  # up to \f, where there is one

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Explain the leading options and name the others under their headings; or explain them all."""
        if not self.leading:
            self._explain_all(ctx, formatter)
            return
        options = {each.name: each for each in self.get_params(ctx)}
        records = [
            record for name in self.leading if (record := options[name].get_help_record(ctx)) is not None
        ]
        with formatter.section("Options used most"):
            formatter.write_dl(records, col_max=WIDEST)
        named = [
            (
                heading,
                " ".join(
                    max(each.opts, key=len) for each in parameters if each.name not in (*self.leading, "help")
                ),
            )
            for heading, parameters in self._grouped(ctx)
        ]
        with formatter.section(f"Others, explained by {ctx.command_path} --help-all"):
            beside = max(len(heading) for heading, _ in named) + 4  # the columns around it take two each
            for_names = formatter.width - beside - formatter.current_indent
            formatter.write_dl(
                [(heading, _unbroken(names, for_names)) for heading, names in named if names],
                col_max=WIDEST,
            )

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Name the pages that explain more; where all options are explained, write what stands below them."""
        if not self.leading:
            self._write_more(ctx, formatter)
        elif self.topics:
            formatter.write_paragraph()
            formatter.write_text(f"Pages that explain more: convcli help {', '.join(self.topics)}.")

    def whole_help(self, ctx: click.Context) -> str:
        """Return the help with every option explained."""
        formatter = ctx.make_formatter()
        self.format_usage(ctx, formatter)
        self.format_help_text(ctx, formatter)
        if details := cleandoc(self.help or "").partition("\f")[2].strip():
            formatter.write_paragraph()
            with formatter.indentation():
                formatter.write_text(details)
        self._explain_all(ctx, formatter)
        self._write_more(ctx, formatter)
        return formatter.getvalue().rstrip("\n")

    def _grouped(self, ctx: click.Context) -> list[tuple[str, list[click.Option]]]:
        """Return the options under their headings."""
        left = {each.name: each for each in self.get_params(ctx) if isinstance(each, click.Option)}
        found = [
            (heading, [left.pop(name) for name in names if name in left])
            for heading, names in self.groups.items()
        ]
        return [*found, ("Other" if found else "Options", list(left.values()))]

    def _explain_all(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Explain every option, group by group, so that most fit into one line each."""
        for heading, parameters in self._grouped(ctx):
            records = [record for each in parameters if (record := each.get_help_record(ctx)) is not None]
            if records:
                with formatter.section(heading):
                    formatter.write_dl(records, **({"col_max": WIDEST} if self.groups else {}))

    def _write_more(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        if self.more is not None:
            self.epilog = self.more()
        super().format_epilog(ctx, formatter)


def _unbroken(names: str, width: int) -> str:
    """Divide the names of options into lines between them, not at their hyphens; Click leaves them so."""
    lines = wrap(names, width, break_on_hyphens=False, break_long_words=False)
    return "\n".join(["\b", *lines])


def _help_all_option() -> click.Option:
    def show(ctx: click.Context, param: click.Parameter, value: bool) -> None:
        if value and not ctx.resilient_parsing and isinstance(ctx.command, Command):
            click.echo(ctx.command.whole_help(ctx))
            ctx.exit()

    return click.Option(
        ["--help-all"],
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=show,
        help="Explain every option and exit.",
    )


class Parsed(click.ParamType, Generic[T]):  # type: ignore[type-arg]  # a generic one since Click 8.5
    """An option read by one of our parsers, whose ArgumentError becomes Click's message.

    names : what a shell completes, if the option is one of some names; after the last comma of a list of them
    """

    def __init__(self, name: str, parse: Callable[[str], T], names: Sequence[str] = ()) -> None:
        self.name = name
        self.parse = parse
        self.names = names

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> "list[CompletionItem]":
        """Return the names that begin as the word does, each with what stands before it in a list."""
        from click.shell_completion import CompletionItem

        before, comma, begun = incomplete.rpartition(",")
        return [CompletionItem(before + comma + name) for name in self.names if name.startswith(begun)]

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> T:
        """Parse one word of the command line."""
        try:
            return self.parse(value)
        except ArgumentError as error:
            self.fail(str(error), param, ctx)


def at_least(least: int, most: int | None = None) -> Parsed[int]:
    """Read a whole number within bounds; unlike click.IntRange, without a word about them in the help."""

    def parse(text: str) -> int:
        if (
            not (text.isascii() and text.isdigit())
            or int(text) < least
            or (most is not None and int(text) > most)
        ):
            bounds = f"of at least {least}" if most is None else f"from {least} to {most}"
            raise ArgumentError(f"{text!r} is not a whole number {bounds}")
        return int(text)

    return Parsed("N", parse)


max_memory_option = click.option(
    "--max-memory",
    type=Parsed("SIZE", memory_size),
    default="4G",
    envvar="CONVCLI_MAX_MEMORY",
    show_envvar=True,
    help="Refuse what would take more memory. [4G]",
)


def several(parse: Callable[[str], T]) -> Callable[[str], tuple[T, ...]]:
    """Read a sweep: values divided by commas, each a row of the answer."""
    return lambda text: tuple(parse(item) for item in text.split(","))


def bundled(name: str, record: Any, *options: Decorator) -> Decorator:
    """Give a command the options, and their values as one argument called `name`, of the NamedTuple `record`."""

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        def unbundled(**values: Any) -> Any:
            bundle = record(**{name: values.pop(name) for name in record._fields if name in values})
            return command(**values, **{name: bundle})

        call: Callable[..., Any] = functools.update_wrapper(unbundled, command)

        for option in reversed(options):
            call = option(call)
        return call

    return decorate


# What stands behind a layer


activation_option = click.option(
    "--activation",
    type=Parsed("NAME", parse_activation, (*ACTIVATIONS, SOFTMAX)),
    help="relu leaky-relu sigmoid tanh abs softplus ...; white is 1.",
)
pool_option = click.option(
    "--pool", metavar="KIND", help="max:2, avg:3,stride=2, lp:2,p=3, global-avg, adaptive-max:7x7."
)


# How loud


def _loudness(name: str) -> Callable[[click.Context, click.Parameter, bool], None]:
    def store(ctx: click.Context, param: click.Parameter, value: bool) -> None:
        conversation = ctx.find_object(Conversation)
        assert conversation is not None
        setattr(conversation, name, value)
        if conversation.quiet and conversation.verbose:
            raise click.UsageError("-q and -v contradict each other; give one of them", ctx)

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


# The answer


class AnswerOptions(NamedTuple):
    """How an answer is to be written, and where."""

    form: str | None
    fields: tuple[str, ...]
    output: str | None
    force: bool
    theme: str | None = None  # of a picture

    def check(self, reads: Reads) -> None:
        """Raise ArgumentError where the answer would overwrite a file that is read."""
        if self.output is not None:
            check_reads("`output`", [Path(self.output)], reads)

    def give(self, conversation: Conversation, answer: Answer) -> None:
        """Print the answer, or write it to the file that -o names."""
        if self.picture is not None and answer.draw is not None:
            self._draw(conversation, self.picture, answer.draw)
            return
        if self.theme is not None:
            raise ArgumentError("--theme is of a picture, as in -o answer.png; leave it out")
        remarks = () if conversation.quiet else [conversation.spelled(line) for line in answer.remarks]
        answer = answer._replace(remarks=remarks)
        if self.fields:
            answer = _only(self.fields, answer)
            if self.form is None:  # a row a layer; --format value is of the whole
                answer = answer._replace(results=answer.rows)
        elif conversation.verbose and answer.rows:
            answer = answer._replace(columns=tuple(answer.rows[0]))
        form = self.chosen
        if form is None:
            endings = ENDINGS if answer.draw is None else (*ENDINGS, *PICTURES)
            raise ArgumentError(
                f"{self.output} does not say its format; end it in {' '.join(endings)}, or give --format"
            )
        if self.output is None:
            click.echo(render(answer, form, terminal=sys.stdout.isatty()), nl=False)
            return
        from convcli.files import write_whole

        write_whole(Path(self.output), render(answer, form).encode(), overwrite=self.force)
        conversation.note(f"wrote {self.output}")

    def _draw(self, conversation: Conversation, form: str, draw: Callable[[], Any]) -> None:
        """Write a picture to the file that -o names."""
        from convcli.drawing.forms import encode_still
        from convcli.files import check_target, write_whole

        if self.fields:
            raise ArgumentError(
                f"--field names columns of a table, and {self.output} is a picture; leave it out"
            )
        path = Path(self.output or "")
        check_target(path, overwrite=self.force)
        write_whole(path, encode_still(draw(), form, self.theme or "auto"), overwrite=self.force)
        conversation.note(f"wrote {self.output}")

    @property
    def picture(self) -> str | None:
        """The form of the picture that the output's ending asks for, None for other answers."""
        return None if self.output is None or self.form else PICTURES.get(Path(self.output).suffix.lower())

    @property
    def chosen(self) -> str | None:
        """The format, None where the name of the output file does not say one."""
        if self.output is not None:
            return self.form or ENDINGS.get(Path(self.output).suffix.lower())
        return self.form or ("value" if self.fields else "table")

    def shows(self, field: str) -> bool:
        """Tell whether a field is written: one that --field names, or any in a format that has them all."""
        return field in self.fields if self.fields else self.chosen in ("json", "csv")


def _only(fields: Sequence[str], answer: Answer) -> Answer:
    """Leave the fields that --field names, or raise ArgumentError."""
    known = answer.results[0] if answer.results else dict.fromkeys(fields)
    for name in fields:
        if name not in known:
            raise ArgumentError(f"there is no field {name!r}; the fields are {', '.join(known)}")
    return answer._replace(
        rows=[{name: row[name] for name in fields} for row in answer.rows],
        results=[{name: row[name] for name in fields} for row in answer.results],
        totals={name: total for name, total in answer.totals.items() if name in fields},
        columns=fields,
        value=fields,
    )


PRINTING = (  # how an answer is printed, of commands that write something else to -o
    click.option(
        "--format", "form", type=click.Choice(list(FORMATS)), help="How to print it.  [default: table]"
    ),
    click.option(
        "--field",
        "fields",
        type=Parsed("NAMES", lambda text: tuple(filter(None, text.split(",")))),
        default="",
        help="Only these fields: bare values, tab-separated, a row a layer; with --format value those of the whole.",
    ),
)
force_option = click.option("--force", is_flag=True, help="Replace the output file if it exists.")


def _output_option(endings: Sequence[str]) -> Decorator:
    return click.option(
        "-o",
        "--output",
        metavar="FILE",
        help=f"Write to this file; its ending picks the format: {' '.join(endings)}.",
    )


def theme_option(default: str | None) -> Decorator:
    """Add the colours of pictures; None tells whether they were asked for."""
    return click.option(
        "--theme",
        type=click.Choice(["auto", "light", "dark"]),
        default=default,
        help="Colours of pictures; auto is light, and in .svg and .html what the reader prefers.  [default: auto]",
    )


answer_options = bundled("answer", AnswerOptions, *PRINTING, _output_option(tuple(ENDINGS)), force_option)
drawn_answer_options = bundled(
    "answer",
    AnswerOptions,
    *PRINTING,
    _output_option((*ENDINGS, *PICTURES)),
    force_option,
    theme_option(None),
)
