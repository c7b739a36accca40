"""The class of all commands, which formats their help: examples, the most used options, and all with --help-all."""

import itertools
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from inspect import cleandoc
from typing import TYPE_CHECKING, Any

import click

from convcli.cli import COMMANDS, SETTINGS, parameters_of_filter
from convcli.cli.advised_values import WORDS
from convcli.cli.options.path_types import written_paths
from convcli.cli.settings import settings, shared_variables
from convcli.cli.unquoted_words import joined_numbers, quoted_kernel, quoted_output, quoted_path
from convcli.cli.user_messages import Messages
from convcli.errors import cut

if TYPE_CHECKING:
    from convcli.cli.positional_words import Advice

TYPED = "convcli.typed"  # the key in a context's `meta` of the names of the typed parameters, in their order
HELP = {"-h", "--help", "--help-all"}  # these work even if the file of settings is invalid
_LONG_WORD = re.compile(
    r"-[A-Za-z][A-Za-z-]+"
)  # a long option with one dash, as ImageMagick and ffmpeg have it
WIDEST = 24  # width of the column of names in grouped help; longer names get a separate line


class Command(click.Command):
    """A command whose --help shows examples and the most used options, and whose --help-all shows all options."""

    def __init__(
        self,
        *args: Any,
        examples: Sequence[str],
        groups: Mapping[str, Sequence[str]] | None = None,
        leading: Sequence[str] = (),
        topics: Sequence[str] = (),
        moved: Mapping[str, str] | None = None,
        more: Callable[[], str] | None = None,
        words: "Advice | None" = None,
        about_filter: bool = False,
        failed: int = 1,
        **kwargs: Any,
    ) -> None:
        """Create the command.

        examples : command lines for the help
        groups : the headings of the help, each with the names of its options; other options follow
        leading : the names of the options that --help explains, if there are too many to explain all
        topics : the pages of convcli help that explain more
        moved : options that users expect here, each with what is used instead
        more : a function that returns the text below all options
        about_filter : whether messages name options of convcli filter, which the command explains
        failed : the exit code if an input or an answer fails
        words : a function that returns what to type instead of positional words, if they are wrong
        """
        super().__init__(*args, **kwargs)
        self.examples = examples
        self.groups = groups or {}
        self.leading = leading
        self.topics = topics
        self.moved = moved or {}
        self.more = more
        self.words = words
        self.about_filter = about_filter
        self.failed = failed
        if leading:
            self.params.append(_help_all_option())

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the arguments; from here on, messages name the options of this command."""
        if (messages := ctx.find_object(Messages)) is not None:
            messages.parameters = self.get_params(ctx)
            messages.failed = self.failed
            if self.about_filter:
                messages.elsewhere = lambda: parameters_of_filter(ctx)
        if not ctx.resilient_parsing:
            ctx.meta[WORDS] = tuple(itertools.takewhile("--".__ne__, args))
            if not HELP.intersection(args):
                self._check_quotes(ctx)
            values, extra, order = self._parsed(ctx, args)
            ctx.meta[TYPED] = [parameter.name for parameter in order]
            if not HELP.intersection(args):
                self._check_words(ctx, values, extra)
        if ctx.resilient_parsing or HELP.intersection(args):
            return super().parse_args(ctx, args)
        self._take_settings(ctx)
        left = super().parse_args(ctx, args)
        if messages is not None:
            self._note_repeated(messages, order, values)
        return left

    def _note_repeated(
        self, messages: Messages, order: Sequence[click.Parameter], values: Mapping[str, Any]
    ) -> None:
        """Print a note for each option with one value that was typed several times: the last value is used."""
        for option, count in Counter(order).items():
            if isinstance(option, click.Option) and count > 1 and not (option.multiple or option.is_flag):
                name = max(option.opts, key=len)
                last = cut(values[option.name or ""])
                messages.note(
                    f"{name} is given {count} times, and takes one value: the last, {last!r}, is used"
                )

    def _parsed(
        self, ctx: click.Context, args: Sequence[str]
    ) -> tuple[Mapping[str, Any], Sequence[str], Any]:
        """Return the values, the words that are left and the options in their order.

        Of a word such as -blur, Click names only -b in its error; the whole word says more.
        """
        options = {name for each in self.get_params(ctx) for name in each.opts}
        for word in (word.partition("=")[0] for word in itertools.takewhile("--".__ne__, args)):
            # Else -output would be -o utput, and -sharpen would be -s harpen.
            if _LONG_WORD.fullmatch(word) and (f"-{word}" in options or _is_name_of_kernel(word[1:])):
                raise click.NoSuchOption(word, ctx=ctx)
        try:
            return self.make_parser(ctx).parse_args(args=list(args))
        except click.BadOptionUsage as error:
            error.ctx = error.ctx or ctx  # so that the message describes the option
            raise
        except click.NoSuchOption as error:
            letter = error.option_name
            words = [word.partition("=")[0] for word in args if _LONG_WORD.match(word)]
            whole = next((word for word in words if len(letter) == 2 and letter[1] in word), None)
            if whole is None:
                raise
            raise click.NoSuchOption(whole, ctx=ctx) from None

    def _check_quotes(self, ctx: click.Context) -> None:
        """Raise UsageError for a path or a kernel that was typed in several words."""
        words = ctx.meta[WORDS]
        names = [name for each in self.params for name in each.opts if "--kernel" in each.opts]
        counts = {
            name: (each.metavar or each.type.name).count(",") + 1
            for each in self.params
            if isinstance(each, click.Option)
            for name in each.opts
        }
        if way := (
            quoted_path(words)
            or quoted_output(words, written_paths(self.params))
            or joined_numbers(words, counts)
            or quoted_kernel(words, names)
        ):
            raise click.UsageError(way, ctx)

    def _check_words(self, ctx: click.Context, values: Mapping[str, Any], extra: Sequence[str]) -> None:
        """Raise UsageError for positional words that the command does not take, with what to type instead."""
        words = []
        for argument in (each for each in self.params if isinstance(each, click.Argument)):
            value = values.get(argument.name or "")
            words += [value] if isinstance(value, str) else list(value) if isinstance(value, tuple) else []
        words += extra
        if (
            words
            and self.words is not None
            and (way := self.words(words, {name: values.get(name) for name in ctx.meta[TYPED]}))
        ):
            raise click.UsageError(f"Unexpected words {' '.join(words)!r}: {way}", ctx)
        if extra:
            usage = " ".join([ctx.command_path, *self.collect_usage_pieces(ctx)])
            raise click.UsageError(f"Unexpected words {' '.join(extra)!r}; the usage is {usage}", ctx)

    def _take_settings(self, ctx: click.Context) -> None:
        """Take the values of options that are not on the command line from environment variables and the file."""
        found = settings(ctx.info_name or "", self.params, COMMANDS)
        ctx.meta[SETTINGS] = found
        if (messages := ctx.find_object(Messages)) is not None:
            messages.settings = [found[name] for name in found.keys() - set(ctx.meta[TYPED])]
        ctx.default_map = {name: setting.value for name, setting in found.items()}
        for option in self.params:  # the variable of this command has priority over the one for all commands
            if isinstance(option, click.Option) and option.envvar is not None:
                own, shared = (
                    found[option.name].variable if option.name in found else "",
                    shared_variables(option),
                )
                if own and own not in shared:
                    option.envvar = [own, *shared]

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples, then the description."""
        with formatter.section("Examples"):
            for example in self.examples:
                formatter.write(f"{'':{formatter.current_indent}}{example}\n")
        super().format_help_text(ctx, formatter)  # only up to \f, if there is one

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Explain the leading options and list the others under their headings; or explain all."""
        if not self.leading:
            self._explain_all(ctx, formatter)
            return
        options = {each.name: each for each in self.get_params(ctx)}
        records = [
            record for name in self.leading if (record := options[name].get_help_record(ctx)) is not None
        ]
        with formatter.section("Most used options"):
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
        with formatter.section(f"Other options (see {ctx.command_path} --help-all)"):
            for_headings = max(len(heading) for heading, _ in named) + 4  # with two spaces on either side
            for_names = formatter.width - for_headings - formatter.current_indent
            formatter.write_dl(
                [(heading, _unbroken(names, for_names)) for heading, names in named if names],
                col_max=WIDEST,
            )

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the topics that explain more; or the text below all options, if all are explained."""
        if not self.leading:
            self._write_more(ctx, formatter)
        elif self.topics:
            formatter.write_paragraph()
            formatter.write_text(f"See convcli help {', '.join(self.topics)}.")

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

    def sections(self, ctx: click.Context) -> list[tuple[str, list[tuple[str, str]]]]:
        """Return the options under their headings, each as its names and its explanation."""
        return [
            (heading, records)
            for heading, parameters in self._grouped(ctx)
            if (
                records := [
                    record for each in parameters if (record := each.get_help_record(ctx)) is not None
                ]
            )
        ]

    def _explain_all(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the explanation of every option, group by group."""
        for heading, records in self.sections(ctx):
            with formatter.section(heading):
                formatter.write_dl(records, **({"col_max": WIDEST} if self.groups else {}))

    def _write_more(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        if self.more is not None:
            self.epilog = self.more()
        super().format_epilog(ctx, formatter)


def _unbroken(names: str, width: int) -> str:
    """Wrap names of options between them, not at their hyphens, in a block that Click does not wrap again."""
    from textwrap import wrap

    lines = wrap(names, width, break_on_hyphens=False, break_long_words=False)
    return "\n".join(["\b", *lines])


def _is_name_of_kernel(word: str) -> bool:
    from convcli.kernels.foreign_kernels import kernel_for_name

    return kernel_for_name(word) is not None


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
