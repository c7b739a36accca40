"""The same rows in every format, letter by letter."""

import csv
import io
import json

import pytest

from convcli.render import FORMATS, Answer, render

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


def test_value_is_one_bare_number_a_row() -> None:
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
