"""The options for the format, the fields and the output file of an answer."""

import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click
from click.core import ParameterSource

from convcli.cli.completed_words import complete_files
from convcli.cli.options.bundled import Decorator, bundled
from convcli.cli.options.option_types import Parsed
from convcli.cli.user_messages import Messages
from convcli.errors import ArgumentError
from convcli.render import ENDINGS, FORMATS, PICTURES, Answer, render

if TYPE_CHECKING:
    from convcli.jobs.collisions import Reads


class AnswerOptions(NamedTuple):
    """The format, the fields and the output file of an answer."""

    form: str | None
    fields: tuple[str, ...]
    output: str | None
    force: bool
    theme: str | None = None  # the colours of a drawing

    def check(self, reads: "Reads") -> None:
        """Raise ArgumentError if the answer would overwrite a file that is read."""
        if self.output is not None:
            from convcli.jobs.collisions import check_reads
            from convcli.remote_files import target_path

            check_reads("`output`", [target_path(self.output)], reads)

    def check_format(self) -> None:
        """Raise ArgumentError if --format contradicts the ending of the output file.

        .txt, an ending that means no format, and no ending at all may hold text of any format.
        """
        if self.form is None or self.output is None:
            return
        from convcli.ci_reports import CI_ENDINGS

        ending = Path(self.output).suffix.lower()
        means = {**ENDINGS, **CI_ENDINGS}.get(ending, self.form)
        if means != self.form and ending != ".txt":
            ways = {form: end for end, form in {**ENDINGS, **CI_ENDINGS}.items()}
            raise ArgumentError(
                f"--format {self.form} and -o {self.output} contradict each other: the ending {ending} means {means}; "
                f"leave out --format, or end the file in {ways.get(self.form, '.txt')}"
            )
        if _is_of_pictures(ending):
            raise ArgumentError(
                f"--format {self.form} and -o {self.output} contradict each other: the ending {ending} is not one of "
                f"text; leave out --format, or end the file in {' '.join(ENDINGS)}"
            )

    def give(self, messages: Messages, answer: Answer) -> None:
        """Print the answer, or write it to the file of -o."""
        self.check_format()
        if self.picture is not None and answer.draw is not None:
            self._draw(messages, self.picture, answer.draw)
            return
        if self.theme is not None:
            raise ArgumentError("--theme applies to drawings, such as -o answer.png; leave it out")
        remarks = () if messages.quiet else [messages.name_options(line) for line in answer.remarks]
        answer = answer._replace(remarks=remarks)
        if self.fields:
            answer = _only(self.fields, answer)
            if self.form is None:  # every row, unlike --format value
                answer = answer._replace(results=answer.rows)
        elif messages.verbose and answer.rows:
            answer = answer._replace(columns=tuple(answer.rows[0]))
        form = self.chosen
        if form is None:
            endings = ENDINGS if answer.draw is None else (*ENDINGS, *PICTURES)
            from convcli.drawing.forms import instead_of_ending

            ending = Path(str(self.output)).suffix.lower()
            if answer.undrawn and ending in PICTURES:
                raise ArgumentError(f"{answer.undrawn}; end {self.output} in {' '.join(ENDINGS)}")
            other = "" if _is_of_pictures(ending) else ", or give --format"
            similar = instead_of_ending(
                ending.removeprefix("."), [each.removeprefix(".") for each in endings]
            )
            raise ArgumentError(
                f"{self.output} has no known ending; end it in {' '.join(endings)}{other}{similar}"
            )
        terminal = self.output is None and sys.stdout.isatty()
        self.give_text(messages, render(answer, form, terminal=terminal))

    def give_text(self, messages: Messages, text: str) -> None:
        """Print a formatted answer, or write it to the file of -o."""
        if self.output is None:
            click.echo(text, nl=False)
            return
        from convcli.files import write_whole
        from convcli.remote_files import target_path

        write_whole(target_path(self.output), text.encode(), overwrite=self.force)
        messages.note(f"wrote {self.output}")

    def _draw(self, messages: Messages, form: str, draw: Callable[[], Any]) -> None:
        """Write a drawing to the file of -o."""
        from convcli.drawing.forms import encode_still
        from convcli.files import check_target, write_whole
        from convcli.remote_files import target_path

        if self.fields:
            raise ArgumentError(
                f"--field selects columns of a table, and {self.output} is a drawing; leave it out"
            )
        path = target_path(self.output or "")
        check_target(path, overwrite=self.force)
        write_whole(path, encode_still(draw(), form, self.theme or "auto"), overwrite=self.force)
        messages.note(f"wrote {self.output}")

    @property
    def picture(self) -> str | None:
        """The format of the drawing that the ending of the output selects; None for text."""
        return None if self.output is None or self.form else PICTURES.get(Path(self.output).suffix.lower())

    @property
    def picture_file(self) -> tuple[Path, str] | None:
        """The output file and its format, if it is a picture file of any format; else None."""
        from convcli.images.formats import format_of
        from convcli.remote_files import target_path

        if self.output is None:
            return None
        try:
            return target_path(self.output), format_of(Path(self.output))
        except ArgumentError:
            return None

    @property
    def chosen(self) -> str | None:
        """The format of the text; None if the output file has no known ending."""
        if self.output is not None:
            return self.form or ENDINGS.get(Path(self.output).suffix.lower())
        return self.form or ("value" if self.fields else "table")

    @property
    def has_remarks(self) -> bool:
        """Whether the format has lines of explanation below the table."""
        return self.chosen in ("table", "markdown")

    def shows(self, field: str) -> bool:
        """Return whether a field is written: if --field names it, or if the format contains all fields."""
        return field in self.fields if self.fields else self.chosen in ("json", "csv")


def _is_of_pictures(ending: str) -> bool:
    """Return whether an ending is one of pictures, drawings or arrays, which other programs do not read as text."""
    from convcli.images.formats import ENDINGS as OF_PICTURES

    return ending in (*PICTURES, ".html", ".pdf", *OF_PICTURES)


def _only(fields: Sequence[str], answer: Answer) -> Answer:
    """Return the answer with only the fields of --field, or raise ArgumentError."""
    known = answer.results[0] if answer.results else dict.fromkeys(fields)
    for name in fields:
        if name not in known:
            raise ArgumentError(f"there is no field {name!r}; {_instead_of(name, known)}")
    return answer._replace(
        rows=[{name: row[name] for name in fields} for row in answer.rows],
        results=[{name: row[name] for name in fields} for row in answer.results],
        totals={name: total for name, total in answer.totals.items() if name in fields},
        columns=fields,
        value=fields,
    )


# Fields as users call them: the field here, and what it holds if that is not the same.
FIELDS_ELSEWHERE = {
    **dict.fromkeys(("out_channels", "output_channels", "channels"), ("output_shape", "channels x sizes")),
    **dict.fromkeys(("in_size", "n"), ("input_size", "")),
    **dict.fromkeys(("out_size", "size"), ("output_size", "")),
    **dict.fromkeys(("k", "kernel", "ksize"), ("kernel_size", "")),
    **dict.fromkeys(("s", "strides"), ("stride", "")),
    **dict.fromkeys(("p",), ("padding", "")),
    **dict.fromkeys(("rf",), ("receptive_field", "")),
    **dict.fromkeys(("jump", "total_stride"), ("effective_stride", "")),
    **dict.fromkeys(("gflops", "mflops", "ops"), ("flops", "as a plain number")),
    **dict.fromkeys(("gmacs", "mmacs", "madds", "mult_adds"), ("macs", "as a plain number")),
    **dict.fromkeys(("parameters", "n_params"), ("params", "")),
    **dict.fromkeys(("memory", "bytes"), ("activation_bytes", "and parameter_bytes")),
    **dict.fromkeys(("intensity",), ("arithmetic_intensity", "")),
}


def _instead_of(name: str, known: Iterable[str]) -> str:
    """Return the field that a name means, otherwise those that begin with it, the similar ones, or all."""
    from difflib import get_close_matches

    known, word = list(known), name.lower().replace("-", "_")
    field, holds = FIELDS_ELSEWHERE.get(word, ("", ""))
    if field in known:
        return f"use {field}" + (f", {holds}" if holds else "")
    close = [each for each in known if word and each.startswith(word)] or get_close_matches(word, known, n=1)
    if not close:
        return f"the fields are {', '.join(known)}"
    return f"did you mean {' or '.join(map(repr, close))}?"


class _Fields(Parsed[tuple[str, ...]]):
    """The names of fields; those of a command are loaded for shell completion."""

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> Any:
        from convcli.cli.field_names import FIELDS

        self.names = FIELDS.get(ctx.info_name or "", ())
        return super().shell_complete(ctx, param, incomplete)


def _unless_typed(ctx: click.Context, option: click.Parameter, form: str | None) -> str | None:
    """Return the format; None if a file of settings sets it, but the ending of the typed output has its own."""
    from convcli.ci_reports import CI_ENDINGS

    output = ctx.params.get("output")  # typed options are processed first
    if form is None or not output or ctx.get_parameter_source("form") is ParameterSource.COMMANDLINE:
        return form
    ending = Path(str(output)).suffix.lower()
    return None if ending in {**ENDINGS, **CI_ENDINGS} or _is_of_pictures(ending) else form


def printing(*more: str) -> tuple[Decorator, ...]:
    """Return the options --format and --field; `more` are additional formats of one command."""
    return (
        click.option(
            "--format",
            "form",
            type=click.Choice([*FORMATS, *more]),
            callback=_unless_typed,
            help="The format of the answer.  [default: table]",
        ),
        click.option(
            "--field",
            "fields",
            type=_Fields("NAMES", lambda text: tuple(filter(None, map(str.strip, text.split(","))))),
            default="",
            help="Print only the fields A,B, tab-separated.",
        ),
    )


PRINTING = printing()  # for commands that write something else to -o
force_option = click.option("--force", is_flag=True, help="Replace the output file if it exists.")


def _output_option(endings: Sequence[str], more: str = "") -> Decorator:
    return click.option(
        "-o",
        "--output",
        callback=lambda ctx, option, name: None if name == "-" else name,  # standard output is the default
        shell_complete=complete_files,
        metavar="FILE",
        help=f"Write to this file; its ending determines the format: {' '.join(endings)}{more}.",
    )


def theme_option(default: str | None) -> Decorator:
    """Return the option --theme; with the default None, a command can tell whether it was given."""
    return click.option(
        "--theme",
        type=click.Choice(["auto", "light", "dark"]),
        default=default,
        help="Colours of drawings; auto: light, in .svg and .html as the reader prefers.  [default: auto]",
    )


def answer_options_with(*formats: str, endings: Sequence[str], more: str = "") -> Decorator:
    """Return the options of an answer with additional formats, endings for them, and `more` in the help of -o."""
    output = _output_option((*ENDINGS, *endings), more)
    return bundled("answer", AnswerOptions, *printing(*formats), output, force_option)


answer_options = bundled("answer", AnswerOptions, *PRINTING, _output_option(tuple(ENDINGS)), force_option)
drawn_answer_options = bundled(
    "answer",
    AnswerOptions,
    *PRINTING,
    _output_option((*ENDINGS, *PICTURES)),
    force_option,
    theme_option(None),
)
