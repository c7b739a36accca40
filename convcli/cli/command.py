"""The class of all commands, which lays out their help: examples, the options used most, and all by --help-all."""

from collections.abc import Callable, Mapping, Sequence
from inspect import cleandoc
from typing import Any

import click

from convcli.cli import COMMANDS, SETTINGS
from convcli.cli.conversation import Conversation
from convcli.cli.settings import settings

TYPED = "convcli.typed"  # where a context keeps the names of all parameters as they were typed, in order
HELP = {"-h", "--help", "--help-all"}  # which show what to write in a file that cannot be read
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
        if not ctx.resilient_parsing:
            _, _, order = self.make_parser(ctx).parse_args(args=list(args))
            ctx.meta[TYPED] = [parameter.name for parameter in order]
        if not ctx.resilient_parsing and not HELP.intersection(args):
            self._take_settings(ctx)
        return super().parse_args(ctx, args)

    def _take_settings(self, ctx: click.Context) -> None:
        """Let the environment and a file give the values that the command line does not."""
        found = settings(ctx.info_name or "", self.params, COMMANDS)
        ctx.meta[SETTINGS] = found
        ctx.default_map = {name: setting.value for name, setting in found.items()}
        for option in self.params:  # the variable of this command comes before that of all
            if option.envvar is not None and option.name in found and found[option.name].variable:
                option.envvar = [found[option.name].variable, *_variables(option)]

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

    def sections(self, ctx: click.Context) -> list[tuple[str, list[tuple[str, str]]]]:
        """Return every option under its heading, as the names with the value and the explanation."""
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
        """Explain every option, group by group, so that most fit into one line each."""
        for heading, records in self.sections(ctx):
            with formatter.section(heading):
                formatter.write_dl(records, **({"col_max": WIDEST} if self.groups else {}))

    def _write_more(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        if self.more is not None:
            self.epilog = self.more()
        super().format_epilog(ctx, formatter)


def _unbroken(names: str, width: int) -> str:
    """Divide the names of options into lines between them, not at their hyphens; Click leaves them so."""
    from textwrap import wrap

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


def _variables(option: click.Parameter) -> Sequence[str]:
    """Return the environment variables of an option but for that of one command."""
    given = [option.envvar] if isinstance(option.envvar, str) else list(option.envvar or ())
    return given[-1:]
