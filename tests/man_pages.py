"""The man pages in man/, of convcli and of each command, written from `--help-all`.

`make man` runs it. They are committed, so that a wheel can be built from the source without running it.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from textwrap import wrap

import click

from convcli import __version__
from convcli.cli import COMMANDS, group
from convcli.cli.topics import TOPICS
from tests.command_manual import Manual, Paragraph, manuals, paragraphs
from tests.paths import ROOT

FOLDER = ROOT / "man"
WIDTH = 72

STATUS = (
    ("0", "All is done."),
    ("1", "An input failed, or an answer does not exist."),
    ("2", "Wrong usage: nothing was done."),
    ("128 + N", "Ended by signal N: 130 by Ctrl-C, 141 if the reader of the output stopped reading."),
)
SETTINGS = (
    "An option that is not on the command line is taken from a variable, CONVCLI_COMMAND_OPTION, such as "
    "CONVCLI_FILTER_PADDING_MODE, or from the file convcli.toml. See convcli-config(1)."
)

# Characters that roff would interpret: the escape, those printed as other characters, and the hyphen.
_SPECIAL = {"\\": r"\e", "-": r"\-", "'": r"\(aq", "`": r"\(ga", "^": r"\(ha", "~": r"\(ti"}


def pages() -> dict[str, str]:
    """Return the text of each page by the name of its file."""
    every = list(manuals())
    return {"convcli.1": _of_convcli(every), **{f"{_file(each.name)}.1": _of_command(each) for each in every}}


def escaped(text: str) -> str:
    r"""Return a line of text as roff.

    >>> print(escaped(".png, 'a' -o C:\\x"))
    \&.png, \(aqa\(aq \-o C:\ex
    """
    line = "".join(_SPECIAL.get(letter, letter) for letter in text)
    return f"\\&{line}" if line.startswith(".") else line


def names(text: str) -> str:
    r"""Return the names of an option in bold, and its metavariable in italics.

    >>> print(names("-k, --kernel SPEC"))
    \fB\-k\fR, \fB\-\-kernel\fR \fISPEC\fR
    """
    found = []
    for word in text.split():
        bare = word.rstrip(",")
        font = "B" if word.startswith("-") else "R" if word == "/" else "I"
        found.append(f"\\f{font}{escaped(bare)}\\fR{word[len(bare) :]}")
    return " ".join(found)


def _of_command(manual: Manual) -> str:
    command, arguments = manual.name, manual.usage.removeprefix(manual.name).strip()
    purpose = re.split(r"[.:] ", manual.description[0].text.rstrip(".") + ". ")[0]
    lines = _start(command, purpose)
    lines += [
        f"\\fB{escaped(command)}\\fR {escaped(arguments)}",
        ".SH DESCRIPTION",
        *_paragraphs(manual.description),
    ]
    lines += [".SH EXAMPLES", ".EX", *map(escaped, manual.examples), ".EE", ".SH OPTIONS"]
    for heading, records in manual.options:
        if len(manual.options) > 1:
            lines.append(f".SS {heading}")
        lines += _items((names(record), text) for record, text in records)
    if manual.more:
        lines += [".SH NOTES", *_paragraphs(manual.more)]
    lines += [".SH ENVIRONMENT AND FILES", *_filled(SETTINGS)]
    others = [topic for topic in manual.topics if topic in TOPICS]
    return _end(lines, ["convcli(1)"], [f"convcli help {topic}" for topic in others])


def _of_convcli(every: list[Manual]) -> str:
    with click.Context(group, info_name="convcli", **group.context_settings) as context:
        records = [record for each in group.get_params(context) if (record := each.get_help_record(context))]
    first, *others = paragraphs(group.help or "")
    lines = _start("convcli", first.text.rstrip("."))
    lines += [
        "\\fBconvcli\\fR [OPTIONS] COMMAND [ARGS]...",
        ".SH DESCRIPTION",
        *_paragraphs([first, *others, *paragraphs(group.epilog or "")]),
    ]
    lines += [".SH OPTIONS", *_items((names(record), text) for record, text in records), ".SH COMMANDS"]
    lines += _items((f"\\fB{escaped(_file(each.name))}\\fR(1)", each.about) for each in every)
    lines += [".SH ENVIRONMENT AND FILES", *_filled(SETTINGS)]
    return _end(lines, [f"convcli-{name}(1)" for name in COMMANDS], ["convcli help"])


def _start(name: str, purpose: str) -> list[str]:
    return [
        '.\\" Written by `make man`; do not edit.',
        f'.TH "{escaped(_file(name).upper())}" 1 "" "convcli {__version__}" "User Commands"',
        ".nh",  # names of options and commands are not hyphenated,
        ".nr HY 0",  # also after .EE, which switches hyphenation on again
        ".ad l",
        ".SH NAME",
        f"{escaped(_file(name))} \\- {escaped(purpose[0].lower() + purpose[1:])}",
        ".SH SYNOPSIS",
    ]


def _end(lines: list[str], pages: list[str], commands: list[str]) -> str:
    lines += [".SH EXIT STATUS", *_items((escaped(code), text) for code, text in STATUS), ".SH SEE ALSO"]
    see = [f"\\fB{escaped(page.removesuffix('(1)'))}\\fR(1)" for page in pages]
    see += [f"\\fB{escaped(command)}\\fR" for command in commands]
    return "\n".join([*lines, ",\n".join(see)]) + "\n"


def _paragraphs(found: Sequence[Paragraph]) -> Iterator[str]:
    for number, paragraph in enumerate(found):
        if number:
            yield ".PP"
        if paragraph.verbatim:
            yield from (".EX", *map(escaped, paragraph.text.splitlines()), ".EE")
        else:
            yield from _filled(paragraph.text)


def _items(items: Iterable[tuple[str, str]]) -> Iterator[str]:
    for term, text in items:
        yield from (".TP", term, *_filled(text))


def _filled(text: str) -> Iterator[str]:
    """Yield lines that roff fills."""
    yield from map(
        escaped, wrap(" ".join(text.split()), WIDTH, break_on_hyphens=False, break_long_words=False)
    )


def _file(name: str) -> str:
    """Return the name of the page of a command."""
    return name.replace(" ", "-")


def main() -> None:
    """Write all pages, and remove those of commands that no longer exist."""
    FOLDER.mkdir(exist_ok=True)
    found = pages()
    for path in FOLDER.iterdir():
        if path.name not in found:
            path.unlink()
    for name, text in found.items():
        (FOLDER / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
