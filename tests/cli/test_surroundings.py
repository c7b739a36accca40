"""Unusual environments: variables, removed folders, devices, endless standard input; and numbers beyond the machine."""

import io
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from convcli.errors import ConvcliError
from convcli.jobs.stdin import read_at_most
from tests.conftest import ROOT, SAMPLES, Call, one_error

HOUSE = SAMPLES / "house.png"
Program = Callable[..., subprocess.CompletedProcess[bytes]]
RUBBISH = ["x", "-1", "nan", "1e400", "\udcff", "\x1b[31m", "k" * 9999]


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A picture in the working directory."""
    monkeypatch.chdir(tmp_path)
    Path("house.png").write_bytes(HOUSE.read_bytes())
    return tmp_path


@pytest.mark.parametrize("name", ["JOBS", "TIMEOUT", "MAX_PIXELS", "MAX_FRAMES", "MAX_KERNEL", "MAX_MEMORY"])
@pytest.mark.parametrize("value", RUBBISH)
def test_errors_name_an_invalid_variable(
    call: Call, house: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(f"CONVCLI_{name}", value)
    result = call("filter", "house.png", "-k", "box", "-o", "out.png")
    assert result.code == 2
    line = one_error(result)
    assert f"it is set in environment variable CONVCLI_{name} (" in line and len(line) < 600
    monkeypatch.setenv(f"CONVCLI_{name}", "")
    assert call("filter", "house.png", "-k", "box", "-o", "out.png").code == 0


def test_nothing_in_the_environment_is_needed(program: Program, house: Path) -> None:
    command = [sys.executable, "-m", "convcli", "filter", "house.png", "-k", "gaussian", "-o", "out.png"]
    for env in (
        {},
        {"HOME": "/nonexistent", "TMPDIR": "/nonexistent", "COLUMNS": "-5", "TERM": "none", "LANG": "x"},
    ):
        run = subprocess.run(
            [*command, "--force"],
            env={"PYTHONPATH": str(ROOT), **env},
            capture_output=True,
            timeout=60,
            check=False,
        )
        assert (run.returncode, run.stdout, run.stderr) == (0, b"out.png\n", b"")


def test_the_kernels_are_listed_without_docstrings_too(program: Program) -> None:
    run = program("kernels", "--format", "json", env={"PYTHONOPTIMIZE": "2"})
    assert (run.returncode, run.stderr) == (0, b"")
    assert b'"sobel"' in run.stdout


@pytest.mark.parametrize(
    "words",
    [
        ["filter", "house.png", "-k", "box"],
        ["filter", HOUSE, "-k", "box", "-o", "out.png"],
        ["filter", HOUSE, "-k", "box", "-o", "out/", "--isolate"],
        ["filter", HOUSE, "-k", "box", "-o", "-", "--report", "run.jsonl"],
        ["filter", ".", "-k", "box", "-o", "out/"],
        ["compare", HOUSE, "--kernel", "box", "-o", "sheet.png"],
    ],
)
def test_a_removed_working_directory(tmp_path: Path, words: list[object]) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    command = [sys.executable, "-m", "convcli", *map(str, words)]
    code = f"import os, sys; os.rmdir({str(gone)!r}); os.execv({sys.executable!r}, sys.argv[1:])"
    run = subprocess.run(
        [sys.executable, "-c", code, *command], cwd=gone, env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True, timeout=60, check=False,
    )  # fmt: skip
    assert (run.returncode, run.stdout) == (1, b"")
    assert (
        run.stderr == b"convcli: error: the working directory has been removed; change to one that exists\n"
    )


def test_whole_names_need_no_working_directory(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    for words in (["shape", "--n", "7", "--k", "3"], ["filter", HOUSE, "-k", "box", "-o", tmp_path / "out.png"], ["--help"]):  # fmt: skip
        command = [sys.executable, "-m", "convcli", *map(str, words)]
        code = f"import os, sys; os.rmdir({str(gone)!r}); os.execv({sys.executable!r}, sys.argv[1:])"
        run = subprocess.run(
            [sys.executable, "-c", code, *command], cwd=gone, env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True, timeout=60, check=False,
        )  # fmt: skip
        assert (run.returncode, run.stderr) == (0, b"")
        gone.mkdir()


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="there is no /dev/zero")
def test_standard_input_and_lists_without_end_are_given_up(program: Program, house: Path) -> None:
    with Path("/dev/zero").open("rb") as endless:
        run = program("filter", "--files-from", "-", "-k", "box", stdin=endless)
    assert run.returncode == 1
    assert run.stderr == (
        b"convcli: error: --files-from -: the list has more than 268,435,456 bytes; split it\n"
    )
    assert (
        b"--files-from /dev/zero: the list has more than 268,435,456 bytes"
        in program("filter", "--files-from", "/dev/zero", "-k", "box").stderr
    )


def test_limits_of_reading() -> None:
    data = bytes(range(256)) * 9
    assert read_at_most(io.BytesIO(data), len(data)).read() == data
    with pytest.raises(ConvcliError, match=r"there are more than 2,303 bytes to read"):
        read_at_most(io.BytesIO(data), len(data) - 1)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (1, ["filter", "-", "-k", "box"]),
        (2, ["diff", "-", HOUSE]),
        (1, ["filter", "-", "-k", "box", "--isolate"]),
    ],
)
def test_a_standard_input_that_cannot_be_read(program: Program, code: int, words: list[object]) -> None:
    with Path(os.devnull).open("wb") as written:
        run = program(*words, stdin=written)
    assert (run.returncode, run.stdout) == (code, b"")
    assert run.stderr == b"convcli: error: cannot read standard input: Bad file descriptor\n"


HUGE = "1" + "0" * 18


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        ("--jobs 1000000000", 0, ""),
        (f"--threads {HUGE}", 0, ""),
        (f"--threads {HUGE} --png-level 9", 0, ""),
        ("--timeout 1e10", 0, ""),
        ("--timeout 1e308", 0, ""),
        (f"--stride {HUGE}", 0, ""),
        (f"--pool max:2,stride={HUGE}", 0, ""),
        (f"--padding {HUGE}", 1, "with its padding it has 4,000,000,000,000,001,440,000,000,000,000,128,000 pixels"),
        (f"--padding {HUGE} --max-pixels {HUGE}", 2, f"'{HUGE}' is not a whole number from 1 to 1000000000000"),
        (f"--padding {HUGE} --max-pixels 1000000000000", 1, "over the limit of 1,000,000,000,000; pad less"),
        (f"--dilation {HUGE}", 1, "with its padding it has"),
        (f"--variant transposed --stride {HUGE}", 1, "its output would have"),
        (f"--variant resize-conv --stride {HUGE}", 1, "its output would have"),
        (f"--variant separable --padding {HUGE}", 1, "with its padding it has"),
        (f"--offsets swirl --padding {HUGE}", 1, "with its padding it has"),
        (f"--pool max:{HUGE}", 1, "the output would be empty"),
        (f"--pool adaptive-avg:{HUGE}", 1, "its output would have"),
        (f"--frame {HUGE}", 1, f"there is no frame {HUGE}"),
        (f"--rank {HUGE}", 1, "is above the rank of the kernel 'box', 1; give at most 1"),
        (f"--max-kernel {HUGE} --kernel box:{HUGE}", 2, "is too large: the limits are 65,535 weights on a side"),
        (f"--max-memory {HUGE}G --max-frames {HUGE}", 0, ""),
    ],
)  # fmt: skip
def test_numbers_beyond_machines(call: Call, house: Path, options: str, code: int, message: str) -> None:
    result = call("filter", "house.png", "-k", "box", "-o", "out.png", *options.split())
    assert result.code == code, result.err
    if code:
        assert message in one_error(result)
    else:
        assert Path("out.png").stat().st_size
