"""Options in the environment and in files: precedence, errors, and the output of convcli config."""

import json
from pathlib import Path

import pytest

from tests.conftest import SAMPLES, Call, one_error

SHAPE = ("shape", "--n", "7", "--format", "value")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory two folders below one that may hold settings."""
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    monkeypatch.chdir(inner)
    return tmp_path


def reported(call: Call, *words: str) -> list[dict[str, object]]:
    found = call("config", *words, "--format", "json")
    assert (found.code, found.err) == (0, "")
    rows: list[dict[str, object]] = json.loads(found.out)["rows"]
    return rows


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("convcli.toml", "[shape]\nkernel-size = 5\n"),
        ("convcli.toml", "[shape]\nkernel_size = '5'\n"),
        ("convcli.toml", "[shape]\nk = 5\n"),
        ("pyproject.toml", "[project]\nname = 'x'\n[tool.convcli.shape]\nk = 5\n"),
    ],
)
def test_a_file_above_gives_values_and_the_command_line_comes_first(
    call: Call, folder: Path, name: str, text: str
) -> None:
    file = folder / name
    file.write_text(text)
    assert call(*SHAPE).out == "3\n"
    assert call(*SHAPE, "--k", "3").out == "5\n"
    assert reported(call) == [
        {"command": "shape", "option": "--kernel-size", "value": "5", "source": str(file)}
    ]
    assert reported(call, "filter") == []


def test_only_the_nearest_file_is_used(call: Call, folder: Path) -> None:
    (folder / "convcli.toml").write_text("[shape]\nk = 5\np = 1\n")
    (folder / "a" / "pyproject.toml").write_text("[tool.convcli.shape]\nk = 3\n")
    (folder / "a" / "b" / "pyproject.toml").write_text(
        "[tool.other]\nconvcli = 1\n"
    )  # has no settings of convcli
    assert call(*SHAPE).out == "5\n"


def test_convcli_toml_comes_before_pyproject_toml_in_a_folder(call: Call, folder: Path) -> None:
    (folder / "convcli.toml").write_text("[shape]\nk = 5\n")
    (folder / "pyproject.toml").write_text("[tool.convcli.shape]\nk = 3\n")
    assert call(*SHAPE).out == "3\n"


def test_a_variable_comes_before_a_file(call: Call, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "convcli.toml").write_text("[shape]\nk = 5\n")
    monkeypatch.setenv("CONVCLI_SHAPE_KERNEL_SIZE", "3")
    assert call(*SHAPE).out == "5\n"
    assert call(*SHAPE, "--k", "7").out == "1\n"
    (row,) = reported(call, "shape")
    assert row["source"] == "environment variable CONVCLI_SHAPE_KERNEL_SIZE"


def test_the_variable_of_a_command_comes_before_that_of_all(
    call: Call, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONVCLI_MAX_ROWS", "1")
    sweep = ("shape", "--n", "7,8", "--k", "3", "--format", "value")
    assert call(*sweep).code == 2
    monkeypatch.setenv("CONVCLI_SHAPE_MAX_ROWS", "2")
    assert call(*sweep).code == 0


def test_kernels_flags_and_spaces(call: Call, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = folder / "convcli.toml"
    file.write_text("[filter]\nkernel = ['box:3', '0 1 0; 1 2 1; 0 1 0']\nnormalize = true\n")
    target = folder / "out.png"
    assert call("filter", SAMPLES / "house.png", "-o", target).code == 0
    file.unlink()
    other = folder / "other.png"
    words = ("--kernel", "box:3", "--kernel", "0 1 0; 1 2 1; 0 1 0", "--normalize")
    assert call("filter", SAMPLES / "house.png", "-o", other, *words).code == 0
    assert target.read_bytes() == other.read_bytes()
    monkeypatch.setenv("CONVCLI_FILTER_KERNEL", "0 1 0; 1 2 1; 0 1 0")
    monkeypatch.setenv("CONVCLI_FILTER_NORMALIZE", "yes")
    third = folder / "third.png"
    assert call("filter", SAMPLES / "house.png", "-o", third).code == 0
    assert [row["value"] for row in reported(call, "filter")] == [["0 1 0; 1 2 1; 0 1 0"], "true"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[shpae]\n", "there is no command 'shpae'; did you mean 'shape'?"),
        ("k = 3\n", "k is not in a table; put it below the name of its command, such as [shape]"),
        ("jobs = 3\n", "jobs is not in a table; put it below the name of its command, such as [filter]"),
        ("shape = 3\n", "shape is not a table; write [shape], and options below it"),
        ("[shape]\npaddin = 1\n", "shape has no option 'paddin'; did you mean 'padding'?"),
        ("[shape]\nk = [3]\n", "shape: k takes one value, got a list of 1"),
        ("[shape]\nk = true\n", "shape: k takes text or a number, got true"),
        ("[shape]\nk = 1979-05-27\n", "shape: k takes text or a number, got datetime.date(1979, 5, 27)"),
        ("[shape]\nbias = 1\n", "shape: bias must be true or false, got 1"),
        ("[shape\n", "cannot read {file}: "),
    ],
)
def test_a_file_that_cannot_be_used_is_refused(call: Call, folder: Path, text: str, message: str) -> None:
    file = folder / "convcli.toml"
    file.write_text(text)
    found = call(*SHAPE, "--k", "3")
    assert found.code == 2
    line = one_error(found)
    assert message.format(file=file) in line
    assert str(file) in line
    assert call("shape", "--help").code == 0


@pytest.mark.parametrize("option", ["force", "in-place"])
def test_only_the_command_line_replaces_files(
    call: Call, folder: Path, monkeypatch: pytest.MonkeyPatch, option: str
) -> None:
    file = folder / "convcli.toml"
    file.write_text(f"[filter]\n{option} = true\n")
    words = ("filter", SAMPLES / "house.png", "-k", "box", "-o", folder / "x.png")
    reason = f"replaces files and is only allowed on the command line; type --{option} there"
    assert one_error(call(*words)) == f"{file}: filter: {option} {reason}"
    file.unlink()
    variable = f"CONVCLI_FILTER_{option}".upper().replace("-", "_")
    monkeypatch.setenv(variable, "1")
    assert one_error(call(*words)) == f"environment variable {variable} {reason}"


def test_the_error_of_a_wrong_value_names_its_source(
    call: Call, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = folder / "convcli.toml"
    file.write_text("[shape]\nk = 'three'\n")
    assert one_error(call(*SHAPE)).endswith(f"; it is set in {file} (see convcli shape --help)")
    assert "stands in" not in one_error(call(*SHAPE, "--k", "four"))
    monkeypatch.setenv("CONVCLI_SHAPE_K", "five")
    line = one_error(call(*SHAPE))
    assert "'five'" in line
    assert line.endswith("; it is set in environment variable CONVCLI_SHAPE_K (see convcli shape --help)")
    monkeypatch.setenv("CONVCLI_SHAPE_BIAS", "maybe")
    expected = "environment variable CONVCLI_SHAPE_BIAS must be true or false or 1 or 0 or yes or no or on or off, got 'maybe'"
    assert one_error(call(*SHAPE)) == expected


def test_the_error_of_a_value_that_is_read_later_names_its_source(
    call: Call, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = folder / "convcli.toml"
    file.write_text("[shape]\nlayers = 'conv k3, rlu'\n[cost]\nfield = 'mac'\n[filter]\nkernel = 'sobl'\n")
    for words, option in (
        (("shape", "--n", "5", "--in", "1"), "--layers"),
        (("cost", "--n", "5", "--k", "3"), "--field"),
        (("filter", "--values", "1 2"), "--kernel"),
    ):
        result = call(*words)
        assert one_error(result).endswith(f"; {option} is set in {file}")
        assert result.code == 2
    typed = call("filter", "--values", "1 2", "--kernel", "sobl")
    assert one_error(typed) == "unknown kernel 'sobl'; did you mean 'sobel'?"
    assert typed.code == 2
    monkeypatch.setenv("CONVCLI_FILTER_KERNEL", "sobl")
    result = call("filter", "--values", "1 2")
    assert one_error(result).endswith("; --kernel is set in environment variable CONVCLI_FILTER_KERNEL")
    assert result.code == 2


def test_the_ending_of_a_typed_output_comes_before_the_format_of_the_settings(
    call: Call, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    (folder / "convcli.toml").write_text("[shape]\nformat = 'json'\n")
    assert call(*SHAPE[:3], "--k", "3", "-o", "a.csv").code == 0
    assert (folder / "a.csv").read_text().startswith("name,")
    assert call(*SHAPE[:3], "--k", "3", "-o", "a.log").code == 0
    assert (folder / "a.log").read_text().startswith("{")
    error = one_error(call(*SHAPE[:3], "--k", "3", "--format", "json", "-o", "b.csv"))
    assert error.startswith("--format json and -o b.csv contradict each other")


def test_a_damaged_pyproject_is_left_to_others(call: Call, folder: Path) -> None:
    (folder / "pyproject.toml").write_text("[tool.convcli\n")
    assert call(*SHAPE, "--k", "3").out == "5\n"


def test_no_settings(call: Call, folder: Path) -> None:
    found = call("config")
    assert found.code == 0
    assert "no option is set by an environment variable or a file" in found.out
    assert one_error(call("config", "shpae")) == "there is no command 'shpae'; did you mean 'shape'?"
