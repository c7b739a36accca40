"""The same rows in every format, letter by letter."""

import csv
import io
import json
import re

import pytest

from convcli.render import FORMATS, Answer, Grid, render

ROWS = (
    {
        "variant": "standard",
        "output_shape": [128, 112, 112],
        "macs": 924844032,
        "macs_ratio": 1.0,
        "note": None,
    },
    {"variant": "a|b", "output_shape": [128, 1, 1], "macs": 2**70, "macs_ratio": 0.118923611, "note": None},
)
ANSWER = Answer(
    command="compare",
    version="1.2.3",
    rows=ROWS,
    results=ROWS,
    totals={"macs": 5},
    columns=("variant", "macs", "macs_ratio"),
    value=("macs",),
    remarks=("line 1", "line 2"),
)


def test_table() -> None:
    assert render(ANSWER, "table").splitlines() == [
        "variant                            MACs   ratio",
        "--------  -----------------------------  ------",
        "standard                    924,844,032       1",
        "a|b       1,180,591,620,717,411,303,424  0.1189",
        "total                                 5",
        "",
        "line 1",
        "line 2",
    ]


def test_markdown() -> None:
    assert render(ANSWER, "markdown").splitlines() == [
        "| variant | MACs | ratio |",
        "| --- | ---: | ---: |",
        "| standard | 924,844,032 | 1 |",
        r"| a\|b | 1,180,591,620,717,411,303,424 | 0.1189 |",
        "| total | 5 |  |",
        "",
        "line 1",
        "",
        "line 2",
    ]


def test_json_keeps_numbers_and_lists() -> None:
    assert json.loads(render(ANSWER, "json")) == {
        "command": "compare",
        "version": "1.2.3",
        "rows": list(ROWS),
        "totals": {"macs": 5},
    }


def test_csv_has_every_field_bare() -> None:
    header, *lines = csv.reader(io.StringIO(render(ANSWER, "csv")))
    assert header == list(ROWS[0])
    assert lines == [
        ["standard", "128x112x112", "924844032", "1.0", ""],
        ["a|b", "128x1x1", str(2**70), "0.118923611", ""],
    ]


def test_value_is_one_number_per_row() -> None:
    assert render(ANSWER, "value") == f"924844032\n{2**70}\n"


def test_a_terminal_gets_a_rich_table_with_the_same_words() -> None:
    text = render(ANSWER, "table", terminal=True)
    assert "\x1b[" in text
    for word in ("standard", "924,844,032", "0.1189", "line 2"):
        assert word in text


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_ends_in_one_newline(form: str) -> None:
    text = render(ANSWER, form)
    assert text.endswith("\n")
    assert not text.endswith("\n\n")


@pytest.mark.parametrize(
    ("pads", "text"),
    [
        ([[1, 1], [1, 1]], "1"),
        ([[0, 1], [0, 1]], "0:1"),
        ([[1, 2], [0, 0]], "1:2x0"),
        (None, ""),
        ([3, 5], "3x5"),
    ],
)
def test_sizes_and_pads_are_written_as_they_are_typed(pads: object, text: str) -> None:
    row = {"padding": pads}
    answer = Answer("shape", "1", [row], [row], {}, ["padding"], ["padding"])
    assert render(answer, "value") == text + "\n"


def test_no_rows_are_a_table_of_headings() -> None:
    answer = Answer("shape", "1", [], [], {}, ["stride", "padding"], ["padding"], ("nothing fits",))
    assert render(answer, "table") == "stride  padding\n------  -------\n\nnothing fits\n"
    assert render(answer, "value") == ""
    assert json.loads(render(answer, "json"))["rows"] == []
    assert render(answer, "csv") == "stride,padding\n"


# Names, which may contain anything

ODD = "k\n\x1b[31m\r\x9b1m\u202e\udcff\u2028.csv"
SHOWN = r"k\n\x1b[31m\r\x9b1m\u202e\udcff\u2028.csv"


def of_names(*names: str) -> Answer:
    rows = [{"name": name, "sum": -4} for name in names]
    return Answer("kernels", "1", rows, rows, {}, ["name", "sum"], ["name"], [f"source: file {names[0]}"])


@pytest.mark.parametrize("form", ["table", "csv", "markdown", "value"])
def test_unprintable_characters_are_escaped(form: str) -> None:
    text = render(of_names(ODD, "b"), form)
    assert all(char.isprintable() or char == "\n" for char in text)
    assert (SHOWN if form != "markdown" else SHOWN.replace("\\", r"\\")) in text
    assert text.count("\n") == len(render(of_names("a", "b"), form).splitlines())


def test_json_has_the_true_name() -> None:
    text = render(of_names(ODD), "json")
    assert text.isascii() and "\x1b" not in text
    assert json.loads(text)["rows"] == [{"name": ODD, "sum": -4}]


@pytest.mark.parametrize("name", [ODD, "[red]x[/]", "[/]", ":smile:", "[link=http://x]y"])
def test_a_name_cannot_control_a_terminal(name: str) -> None:
    plain, rich = (render(of_names(name), "table", terminal=terminal) for terminal in (False, True))
    bare = re.sub(r"\x1b\[[\d;]*m", "", rich)
    words, bare_words = ([word for word in text.split() if set(word) - set("-─")] for text in (plain, bare))
    assert bare_words == words
    assert set(re.findall(r"\x1b\[[\d;]*m", rich)) == {"\x1b[1;36m", "\x1b[0m"}


@pytest.mark.parametrize(
    "name", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\uff1d1", "\uff201", "=a|b\\"]
)
def test_no_cell_is_a_formula(name: str) -> None:
    rows = [{"name": name, "weights": Grid([(-1, 0.5), (2, 3)]), "sum": -4, "mean": -0.5, "size": [3, 5]}]
    answer = Answer("kernels", "1", rows, rows, {}, list(rows[0]), ["name"])
    _, cells = csv.reader(io.StringIO(render(answer, "csv")))
    shown, weights, *numbers = cells
    assert numbers == ["-4", "-0.5", "3x5"]
    assert weights == " -1 0.5; 2 3"
    assert shown == (rf"{name.encode('unicode_escape').decode()}" if name < " " else f"'{name}")
    assert not shown.startswith(tuple("=+-@\t\r\uff1d\uff0b\uff0d\uff20"))


@pytest.mark.parametrize("name", ["a|b", "a\\|b", "a\\", "\\|", "|", "a\\\\|b|"])
def test_a_markdown_cell_holds_any_name(name: str) -> None:
    line = render(of_names(name), "markdown").splitlines()[2]
    # As on GitHub: a backslash escapes the next punctuation character, any other | ends the cell.
    cells = re.findall(r"((?:\\.|[^\\|])*)\|", line.removeprefix("|"))
    assert [re.sub(r"\\(.)", r"\1", cell).strip() for cell in cells] == [name, "-4"]


def on_columns(monkeypatch: pytest.MonkeyPatch, columns: int, answer: Answer = ANSWER) -> list[str]:
    monkeypatch.setenv("COLUMNS", str(columns))
    return re.sub(r"\x1b\[[\d;]*m", "", render(answer, "table", terminal=True)).splitlines()


WORDS = Answer(
    command="x",
    version="1",
    rows=[
        {
            "effective_stride": 12345678,
            "about": "the quick brown fox jumps over the lazy dog",
            "output_size": 7,
        }
    ],
    results=[],
    totals={},
    columns=("effective_stride", "about", "output_size"),
    value=(),
)


def test_a_table_fits_its_terminal_and_keeps_numbers_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    wide = on_columns(monkeypatch, 200, WORDS)
    assert any("effective stride" in line and "output size" in line for line in wide)
    for columns in range(35, 80):
        lines = on_columns(monkeypatch, columns, WORDS)
        assert max(map(len, lines)) <= columns
        assert any("12,345,678" in line for line in lines)
        words = [word for line in lines[3:] for word in line.split() if word.isalpha()]
        assert words == "the quick brown fox jumps over the lazy dog".split()


def test_a_row_that_is_wider_than_its_terminal_is_a_list(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = on_columns(monkeypatch, 25)
    assert lines[0].split() == ["variant", "standard"]
    assert lines[1].split() == ["MACs", "924,844,032"]
    assert lines[-2:] == ["line 1", "line 2"]
    assert lines.count("") == 3  # between two rows, before the total, before the remarks


def test_a_table_without_rows_fits_too(monkeypatch: pytest.MonkeyPatch) -> None:
    assert on_columns(monkeypatch, 30, WORDS._replace(rows=[]))
