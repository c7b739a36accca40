"""Formatting of results as a table, JSON, CSV, Markdown or bare values; no other module formats numbers."""

from collections.abc import Callable, Collection, Mapping, Sequence
from math import isfinite
from typing import Any, Literal, NamedTuple

Row = Mapping[str, Any]

UNBOUNDED = 1_000_000  # width in columns at which Rich never breaks a number into two lines
MIN_TEXT = 10  # characters that remain of a column of text when the table is too wide

HEADINGS = {"macs": "MACs", "flops": "FLOPs"}

# First characters of cells that a spreadsheet reads as formulas; the last four are the full-width forms.
FORMULA = tuple("=+-@\uff1d\uff0b\uff0d\uff20")


class Grid(tuple[Any, ...]):
    """A nested tuple of numbers with one to four axes, which is printed in the syntax of --kernel.

    >>> str(Grid([(1, 2), (3, 4)]))
    '1 2; 3 4'
    >>> str(Grid([(((1, 2), (3, 4)), ((5, 6), (7, 8))), (((0, 0), (0, 0)), ((0, 0), (0, 0)))]))
    '1 2; 3 4 | 5 6; 7 8 || 0 0; 0 0 | 0 0; 0 0'
    """

    def __str__(self) -> str:
        axes, part = 0, self[0] if self else 0
        while isinstance(part, Sequence):
            axes, part = axes + 1, part[0]
        return (" ", "; ", " | ", " || ")[axes].join(str(Grid(each)) if axes else str(each) for each in self)


class Answer(NamedTuple):
    """The result of a command, to be formatted by `render`.

    rows : one mapping per line, of field names to numbers, lists of numbers or text; all have the same keys
    results : one mapping per question, which may have several rows
    totals : the sums of the fields that can be summed
    columns : the fields that a table shows; JSON and CSV contain all fields
    value : the fields of the results that `--format value` prints, separated by tabs
    remarks : lines of explanation below a table
    by_one_number : the fields that are written as one number if all axes have the same, except in JSON
    widths : the width in characters at which a table wraps the words of a column
    draw : a function that draws the result as a `Scene`; None if it cannot be drawn
    undrawn : why not, if other answers of the command are drawn
    """

    command: str
    version: str
    rows: Sequence[Row]
    results: Sequence[Row]
    totals: Row
    columns: Sequence[str]
    value: Sequence[str]
    remarks: Sequence[str] = ()
    by_one_number: Collection[str] = ()
    widths: Mapping[str, int] = {}
    draw: Callable[[], Any] | None = None
    undrawn: str = ""


def visible(text: str) -> str:
    r"""Return a text with every character that does not print replaced by its escape sequence, as in a\nb.

    File names may contain line breaks and control sequences; escaped, each name stays in its line and its cell.
    """
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape", "surrogatepass").decode()
        for char in text
    )


def render(answer: Answer, form: str, *, terminal: bool = False) -> str:
    r"""Return the answer as text in one of FORMATS, ending in a newline.

    terminal : whether to format a table for a terminal, with colours and at its width

    JSON contains names unchanged. The other formats escape characters that do not print. In CSV, text that a
    spreadsheet would read as a formula begins with an apostrophe, and a grid of numbers with a space.
    """
    return _rich_table(answer) if form == "table" and terminal else FORMATS[form](answer)


def _json(answer: Answer) -> str:
    import json

    whole = {
        "command": answer.command,
        "version": answer.version,
        "rows": [{name: _known(value) for name, value in row.items()} for row in answer.rows],
        "totals": {name: _known(value) for name, value in answer.totals.items()},
    }
    return json.dumps(whole, indent=2, allow_nan=False) + "\n"


def _known(value: Any) -> Any:
    """Return a value that JSON can represent: NaN and infinities become text."""
    return str(value) if isinstance(value, float) and not isfinite(value) else value


def _csv(answer: Answer) -> str:
    import csv
    import io

    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(answer.rows[0] if answer.rows else answer.columns)
    writer.writerows([_cell(_shown(answer, row, name)) for name in row] for row in answer.rows)
    return buffer.getvalue()


def _cell(value: Any) -> str:
    """Return a value as a cell of a CSV file that no spreadsheet reads as a formula."""
    text = _plain(value)
    if isinstance(value, int | float) or not text.startswith(FORMULA):
        return text
    return f"'{text}" if isinstance(value, str) else f" {text}"


def _markdown(answer: Answer) -> str:
    headings, lines, right = _cells(answer)
    rule = ["---:" if number else "---" for number in right]
    escaped = [
        [cell.replace("\\", r"\\").replace("|", r"\|") for cell in line] for line in (headings, rule, *lines)
    ]
    table = "\n".join("| " + " | ".join(line) + " |" for line in escaped) + "\n"
    return table + "".join(f"\n{visible(remark)}\n" for remark in answer.remarks)


def _value(answer: Answer) -> str:
    lines = ("\t".join(_plain(_shown(answer, row, name)) for name in answer.value) for row in answer.results)
    return "".join(f"{line}\n" for line in lines)


def _plain_table(answer: Answer) -> str:
    headings, lines, right = _cells(answer)
    lines = _folded(answer, lines)
    widths = [max(map(len, column)) for column in zip(headings, *lines, strict=True)]

    def aligned(line: Sequence[str]) -> str:
        cells = zip(line, widths, right, strict=True)
        return "  ".join(cell.rjust(w) if number else cell.ljust(w) for cell, w, number in cells).rstrip()

    rule = "  ".join("-" * width for width in widths)
    table = "\n".join([aligned(headings), rule, *map(aligned, lines)])
    return table + "\n" + _remarks(answer)


def _rich_table(answer: Answer) -> str:
    """Return the table for a terminal.

    If it is wider than the terminal, headings and text are wrapped, numbers never. If it still does not fit, each row
    is printed as a list of its fields.
    """
    import io
    import shutil

    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    headings, lines, right = _cells(answer)
    columns = shutil.get_terminal_size().columns
    cells = _folded(answer, lines)
    widest = [max(map(len, column)) for column in zip(headings, *cells, strict=True)]
    least, width, gap = widest, UNBOUNDED, 3
    if _table_width(widest, gap) > columns:
        gap, width = 2, columns
        words = [heading.split() for heading in headings]
        least = [
            max(most if number else min(most, MIN_TEXT), *map(len, heading))
            for heading, number, most in zip(
                words, right, _widest([("",) * len(headings), *cells]), strict=True
            )
        ]
        if _table_width(least, gap) > columns:
            return _lists(headings, lines) + _remarks(answer)
        headings = ["\n".join(heading) for heading in words]
        least = _spread(least, widest, columns - _table_width(least, gap))
    table = Table(
        box=SIMPLE_HEAD, header_style="bold cyan", pad_edge=False, padding=(0, 1, 0, 1 if gap == 3 else 0)
    )
    for heading, number, wide in zip(headings, right, least, strict=True):
        justify: Literal["left", "right"] = "right" if number else "left"
        table.add_column(heading, justify=justify, no_wrap=number, overflow="fold", width=wide)
    for line in cells:
        table.add_row(*map(Text, line))  # a name may look like markup
    buffer = io.StringIO()
    Console(file=buffer, force_terminal=True, width=width).print(table)
    return buffer.getvalue().rstrip("\n") + "\n" + _remarks(answer)


def _widest(lines: Sequence[Sequence[str]]) -> list[int]:
    """Return the length of the longest cell of each column."""
    return [max(map(len, column)) for column in zip(*lines, strict=True)]


def _spread(least: Sequence[int], widest: Sequence[int], spare: int) -> list[int]:
    """Distribute `spare` characters over the columns from left to right; none becomes wider than `widest`.

    >>> _spread([3, 5, 5], [9, 5, 50], 10)
    [9, 5, 9]
    """
    found = []
    for narrow, wide in zip(least, widest, strict=True):
        more = min(spare, max(0, wide - narrow))
        found.append(narrow + more)
        spare -= more
    return found


def _table_width(widths: Sequence[int], gap: int) -> int:
    """Return the width of Rich's table, with room for the one or two spaces (by its version) on either side."""
    return sum(widths) + gap * (len(widths) - 1) + 4


def _lists(headings: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """Return each line of a table as a list of its fields, one per line."""
    wide = max(map(len, headings))
    return "\n".join(
        "".join(
            f"{heading.ljust(wide)}  {cell}".rstrip() + "\n"
            for heading, cell in zip(headings, line, strict=True)
        )
        for line in lines
    )


def _remarks(answer: Answer) -> str:
    """Return the lines of explanation, preceded by an empty line."""
    return "".join(f"{visible(line)}\n" for line in ("", *answer.remarks)) if answer.remarks else ""


def _cells(answer: Answer) -> tuple[list[str], list[list[str]], list[bool]]:
    """Return the headings, the lines of cells, and for each column whether it holds numbers, for a table."""
    headings = [_heading(column) for column in answer.columns]
    lines = [[_grouped(_shown(answer, row, column)) for column in answer.columns] for row in answer.rows]
    right = [not any(_is_text(row[column]) for row in answer.rows) for column in answer.columns]
    if len(answer.rows) > 1 and any(column in answer.totals for column in answer.columns):
        total = {answer.columns[0]: "total", **answer.totals}
        lines.append([_grouped(total.get(column)) for column in answer.columns])
    return headings, lines, right


def in_units(count: int, unit: int) -> str:
    """Return a count in a unit with four digits; as an integer if it is too large for a float.

    >>> in_units(4_089_184_256, 10**9)
    '4.089'
    """
    try:
        return f"{count / unit:,.4g}"
    except OverflowError:
        return f"{count // unit:,}"


def with_prefix(count: int) -> str:
    """Return a count with four digits and a prefix: giga, or for fewer than 100 million mega or kilo.

    >>> with_prefix(4_089_184_256), with_prefix(568_740_352), with_prefix(416_520), with_prefix(7)
    ('4.089 G', '0.5687 G', '416.5 k', '7 ')
    """
    for prefix, unit, least in (("G", 10**9, 10**8), ("M", 10**6, 10**6), ("k", 10**3, 10**3)):
        if count >= least:
            return f"{in_units(count, unit)} {prefix}"
    return f"{count} "


def _is_text(value: Any) -> bool:
    """Return whether a value is text or a list of texts."""
    return isinstance(value, str) or (
        isinstance(value, list) and any(isinstance(item, str) for item in value)
    )


def _folded(answer: Answer, lines: list[list[str]]) -> list[list[str]]:
    """Wrap long cells into several lines."""
    if not answer.widths:
        return lines
    from itertools import zip_longest
    from textwrap import wrap

    found = []
    for line in lines:
        cells = [
            wrap(cell, answer.widths[column]) if column in answer.widths else [cell]
            for column, cell in zip(answer.columns, line, strict=True)
        ]
        found += [list(part) for part in zip_longest(*cells, fillvalue="")]
    return found


def _heading(column: str) -> str:
    """Return the heading of a column; a ratio needs no more, as it follows the column that it compares."""
    if column.endswith("_ratio"):
        return "ratio"
    return HEADINGS.get(column, column.replace("_", " "))


def _shown(answer: Answer, row: Row, name: str) -> Any:
    """Return a field; as one number if it is in `by_one_number` and all axes have the same."""
    value = row[name]
    if name in answer.by_one_number and value and all(item == value[0] for item in value):
        return value[0]
    return value


def _grouped(value: Any) -> str:
    """Return a value for people: with thousands separators, floats with four digits."""
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:.4g}"
    return _plain(value)


def _plain(value: Any) -> str:
    """Return a value for scripts: plain digits, sizes as 3x5, nothing for None."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Grid):
        return str(value)
    if isinstance(value, Sequence) and not isinstance(value, str):
        if any(isinstance(item, Sequence) and not isinstance(item, str) for item in value):
            return _pads(value)
        if any(isinstance(item, str) for item in value):
            return ", ".join(map(_plain, value))
        if all(item is None for item in value):
            return ""
        return "x".join(map(_plain, value))
    return visible(str(value))


def _pads(pairs: Sequence[Sequence[int]]) -> str:
    """Return (before, after) pairs in the syntax of --padding: 1, or 1:2x0."""
    sides = [str(before) if before == after else f"{before}:{after}" for before, after in pairs]
    return sides[0] if len(set(sides)) == 1 else "x".join(sides)


FORMATS: dict[str, Callable[[Answer], str]] = {
    "table": _plain_table,
    "json": _json,
    "csv": _csv,
    "markdown": _markdown,
    "value": _value,
}

ENDINGS = {".txt": "table", ".json": "json", ".csv": "csv", ".md": "markdown"}
PICTURES = {".png": "png", ".svg": "svg"}  # for an answer that can be drawn
