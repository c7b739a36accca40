"""The pages in convcli/docs/commands, one per command, written from `--help-all`."""

import re
from textwrap import wrap

from convcli.cli.field_names import FIELDS
from tests.command_manual import Manual, Paragraph, manuals
from tests.documents import DOCS

FOLDER = DOCS / "commands"
WIDTH = 120

# Characters that Markdown would interpret, and names of options, which become code.
_SPECIAL = re.compile(r"(?P<option>(?<![\w-])--?[a-z][\w-]*)|(?P<special>[\\*_<|`])")


def pages() -> dict[str, str]:
    """Return the text of each page by the name of its file."""
    return {f"{manual.name.split()[1]}.md": page(manual) for manual in manuals()}


def page(manual: Manual) -> str:
    """Return the page of a command."""
    parts = [
        f"# {manual.name}",
        manual.about,
        code(manual.usage),
        *map(_paragraph, manual.description),
        "## Examples",
        code(*manual.examples),
        "## Options",
    ]
    for heading, records in manual.options:
        if len(manual.options) > 1:
            parts.append(f"### {heading}")
        rows = ["| option | meaning |", "| --- | --- |"]
        rows += [f"| {_code_in_table(names)} | {prose(text)} |" for names, text in records]
        parts.append("\n".join(rows))
    if fields := FIELDS.get(manual.name.split()[1]):
        names = ", ".join(f"`{name}`" for name in fields)
        parts += ["## Fields", "\n".join(wrap(f"`--field` takes {names}.", WIDTH, break_on_hyphens=False))]
    parts += map(_paragraph, manual.more)
    parts.append(_see_also(manual))
    return "\n\n".join(parts) + "\n"


def prose(text: str) -> str:
    r"""Return a text of the help as Markdown.

    >>> prose("Like --force, a|b and *.png; -o x_y.png")
    'Like `--force`, a\\|b and \\*.png; `-o` x\\_y.png'
    """
    text = _SPECIAL.sub(lambda found: f"`{found['option']}`" if found["option"] else f"\\{found[0]}", text)
    return " ".join(text.split())


def code(*lines: str) -> str:
    """Return lines as a block of code."""
    return "\n".join(["```sh", *lines, "```"])


def _paragraph(paragraph: Paragraph) -> str:
    if paragraph.verbatim:
        return code(paragraph.text)
    return "\n".join(wrap(prose(paragraph.text), WIDTH, break_on_hyphens=False, break_long_words=False))


def _code_in_table(text: str) -> str:
    return f"`{text}`".replace("|", "\\|")


def _see_also(manual: Manual) -> str:
    links = [f"[{topic}](../{topic}.md)" for topic in manual.topics if topic != "exit-codes"]
    return f"See also: {', '.join([*links, '[exit codes](../exit-codes.md)', '[all commands](../../../README.md)'])}."


def main() -> None:
    """Write all pages, and remove those of commands that no longer exist."""
    FOLDER.mkdir(exist_ok=True)
    found = pages()
    for path in FOLDER.glob("*.md"):
        if path.name not in found:
            path.unlink()
    for name, text in found.items():
        (FOLDER / name).write_text(text, encoding="utf-8")
