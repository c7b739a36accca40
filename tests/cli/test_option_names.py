"""The library's messages name arguments, and the command line's name options: one mechanism for all messages."""

import ast
import json
import re
from pathlib import Path

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convcli.cli import group
from convcli.cli.option_names import option_of, with_options
from tests.conftest import ROOT, SAMPLES, Call, one_error

LIBRARY = (
    "analysis",
    "backend",
    "batch",
    "drawing",
    "filters",
    "images",
    "jobs",
    "kernels",
    "layers",
    "learning",
    "errors.py",
    "files.py",
    "memory.py",
    "npy.py",
)
CONTEXT = click.Context(group)
OPTIONS = {
    name: [each for each in command.params if isinstance(each, click.Option)]
    for name in group.list_commands(CONTEXT)
    if (command := group.get_command(CONTEXT, name)) is not None
}
ARGUMENT = re.compile(r"`([a-z]\w*)[=`]")


def texts(module: Path) -> list[str]:
    """Return the strings of a module except docstrings, with `x` for the values in f-strings."""
    tree = ast.parse(module.read_text())
    docs = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and isinstance(node.body[0], ast.Expr)
    }
    parts = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            found.append(
                "".join(
                    str(getattr(part, "value", "")) if isinstance(part, ast.Constant) else "x"
                    for part in node.values
                )
            )
        elif (
            isinstance(node, ast.Constant) and isinstance(node.value, str) and not {id(node)} & (docs | parts)
        ):
            found.append(node.value)
    return found


MODULES = [
    module
    for room in LIBRARY
    for module in (
        [ROOT / "convcli" / room] if room.endswith(".py") else sorted((ROOT / "convcli" / room).rglob("*.py"))
    )
]
TEXTS = {str(module.relative_to(ROOT)): texts(module) for module in MODULES}


def test_the_library_names_no_option() -> None:
    named = {
        (name, text)
        for name, found in TEXTS.items()
        for text in found
        if re.search(r"(?<![\w-])-(-[a-z]|[hkoqv]\b)", text)
    }
    assert not named


def test_every_argument_that_a_message_names_is_an_option() -> None:
    named = {argument for found in TEXTS.values() for text in found for argument in ARGUMENT.findall(text)}
    assert {"kernel", "value_range", "max_pixels", "shift", "output", "force"} <= named
    unknown = {name for name in named if not any(option_of(name, options) for options in OPTIONS.values())}
    # Values of f-strings, arguments that are files on the command line, and arguments only for arrays in Python.
    of_python = {
        "peak",
        "axes",
        "starts",
        "ends",
        "sizes",
        "parts",
        "indices",
        "table",
        "operand",
        "zero",
        "before",
        "after",
    }
    assert unknown <= {"x", "picture", *of_python}


@pytest.mark.parametrize(
    ("message", "expected_text"),
    [
        ("`bias` goes with `weights`; `shift=V` adds", "--bias-file goes with --weights; --bias V adds"),
        (
            "give `kernel='motion:length=9'`, or `kernel='0 1; 1 0'`",
            "give --kernel motion:length=9, or --kernel '0 1; 1 0'",
        ),
        ("(`stride=(2, 1)`): `gray=True`", "(--stride 2x1): --gray"),
        ("`channels=('r', 'a')` or `max_memory='3M'`", "--channels r,a or --max-memory 3M"),
        ("give `force=True`, or another `output`", "give --force, or another -o"),
        ("`value_range='minmax'`.", "--range minmax."),
        ("there is no `colour=3` and no `x y`", "there is no `colour=3` and no `x y`"),
        ("unknown kernel '`gray`'; `gray`", "unknown kernel '`gray`'; --gray"),
        ("cannot read in/`gray`.png, `gray`.png", "cannot read in/`gray`.png, --gray.png"),
        ("unknown kernel 'a `gray` b'; `gray`", "unknown kernel 'a `gray` b'; --gray"),
        ("""it's "a `gray` b's" or `gray`""", """it's "a `gray` b's" or --gray"""),
        (r"'it\\'s `gray` ', `gray`", r"'it\\'s `gray` ', --gray"),
    ],
)
def test_arguments_become_options(message: str, expected_text: str) -> None:
    assert with_options(message, OPTIONS["filter"]) == expected_text


def test_texts_of_the_user_are_unchanged() -> None:
    message = "cannot read a `gray` b.png or a `gray`: give `gray=True` or `gray`"
    assert (
        with_options(message, OPTIONS["filter"], ["a `gray`", "a `gray` b"])
        == "cannot read a `gray` b.png or a `gray`: give --gray or --gray"
    )


NAMED = "a `force` b.png"  # a file whose name looks like an argument


def test_the_name_of_a_file_is_shown_as_it_is(call: Call, tmp_path: Path) -> None:
    result = call("filter", tmp_path / NAMED, "-k", "box", "-o", f"{tmp_path}/out/")
    assert result.code == 1
    assert (
        one_error(result)
        == f"cannot read {tmp_path / NAMED}: there is no such file; check the spelling and the folder"
    )


def test_the_name_of_a_file_in_a_folder_is_shown_as_it_is(call: Call, tmp_path: Path) -> None:
    folder, out = tmp_path / "in", tmp_path / "out"
    for each in (folder, out):
        each.mkdir()
        (each / NAMED.replace("b", "b.box" if each == out else "b")).write_bytes(
            (SAMPLES / "logo.png").read_bytes()
        )
    result = call("filter", folder, "-k", "box", "-o", f"{out}/{{stem}}.{{kernel}}{{ext}}")
    assert result.code == 1
    assert one_error(result) == f"{out}/a `force` b.box.png exists; give --force to replace it, or another -o"


def test_calculators_have_their_own_names() -> None:
    assert (
        with_options("give `input_shape`; `padding='same'`", OPTIONS["shape"]) == "give --n; --padding same"
    )
    assert with_options("give `input_shape`", OPTIONS["filter"]) == "give `input_shape`"


@given(st.text(alphabet="ab` =_'\"(),;:x-", max_size=40))
def test_text_without_arguments_stays_as_it_is(text: str) -> None:
    options = [click.Option(["--known"])]
    assert with_options(text, options) == text
    if "`" not in text:
        assert with_options(f"{text} `known=1`", options) == f"{text} --known 1"


def test_a_report_names_options(call: Call, tmp_path: Path) -> None:
    result = call(
        "filter",
        SAMPLES / "spinner.gif",
        "-k",
        "box",
        "--max-frames",
        7,
        "--report",
        tmp_path / "r",
        "-o",
        f"{tmp_path}/o/",
    )
    assert result.code == 1
    (line,) = (tmp_path / "r").read_text().splitlines()
    assert json.loads(line)["error"] == one_error(result)
    assert one_error(result).endswith("raise it with --max-frames 8, or choose one with --frame")


def test_a_reason_in_an_answer_names_options(call: Call) -> None:
    result = call("shape", "--layers", "local k3 o4", "--n", "7", "--in", "3")
    assert result.code == 0
    assert "give --n" in one_error(call("params", "--layers", "local k3 o4", "--in", "3"))
