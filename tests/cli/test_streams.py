"""Standard streams that are closed, full, broken, or of another encoding than UTF-8."""

import os
import pty
import shlex
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import pytest

from tests.conftest import ROOT, SAMPLES

HOUSE = SAMPLES / "house.png"
ANSWERS = {
    "a picture": ["filter", HOUSE, "-k", "box", "-o", "-"],
    "a path": ["filter", HOUSE, "-k", "box", "-o", "out.png"],
    "what would be done": ["filter", HOUSE, "-k", "box", "--dry-run"],
    "places": ["match", HOUSE, "--template", HOUSE, "-o", "out.png"],
    "the kernels": ["kernels"],
    "a kernel": ["kernels", "sobel"],
    "shape": ["shape", "--n", "7", "--k", "3"],
    "params": ["params", "--in", "3", "--out", "3", "--k", "3"],
    "cost": ["cost", "--n", "7", "--in", "3", "--out", "3", "--k", "3"],
    "compare": ["compare", "--n", "7", "--in", "3", "--out", "3", "--k", "3"],
    "two pictures": ["diff", HOUSE, HOUSE],
    "json": ["shape", "--n", "7", "--k", "3", "--format", "json"],
    "help": ["--help"],
    "help of a command": ["filter", "--help"],
    "version": ["--version"],
}
LOST = {"two pictures": 2}  # the exit code of answers that are lost, where 1 means that pictures differ
BROKEN = "cannot write to standard output: "


def shell(
    folder: Path, words: list[object], redirection: str, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[bytes]:
    """Run the program in a shell with redirected streams."""
    command = shlex.join([sys.executable, "-W", "error", "-m", "convcli", *map(str, words)])
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **(env or {})}
    return subprocess.run(
        ["bash", "-c", f"{command} {redirection}"], cwd=folder, env=environment, stdin=subprocess.DEVNULL,
        capture_output=True, timeout=60, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("answer", ANSWERS)
def test_an_answer_to_a_closed_standard_output_is_lost_and_so_is_an_error(
    tmp_path: Path, answer: str
) -> None:
    run = shell(tmp_path, ANSWERS[answer], ">&-")
    assert (run.returncode, run.stdout) == (LOST.get(answer, 1), b"")
    assert run.stderr.decode() == f"convcli: error: {BROKEN}it is closed\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
@pytest.mark.parametrize("answer", ANSWERS)
def test_an_answer_to_a_full_disk_is_lost_and_so_is_an_error(tmp_path: Path, answer: str) -> None:
    run = shell(tmp_path, ANSWERS[answer], ">/dev/full")
    assert run.returncode == LOST.get(answer, 1)
    assert run.stderr.decode() == f"convcli: error: {BROKEN}No space left on device\n"


@pytest.mark.parametrize("answer", ["a picture", "shape", "help", "help of a command", "version"])
def test_an_answer_that_nobody_reads_ends_quietly(tmp_path: Path, answer: str) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "convcli", *map(str, ANSWERS[answer])]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with os.fdopen(writer, "wb") as pipe:
        run = subprocess.run(
            command,
            cwd=tmp_path,
            env=environment,
            stdout=pipe,
            stderr=subprocess.PIPE,
            timeout=60,
            check=False,
        )
    assert (run.returncode, run.stderr) == (141, b"")


@pytest.mark.parametrize("words", [[], ["shape", "--n", "x"], ["shape", "--n", "7", "--k", "3"]])
@pytest.mark.parametrize("redirection", ["2>&-", "2>/dev/full", "<&- 2>&-"])
def test_messages_that_cannot_be_printed_change_no_exit_code(
    tmp_path: Path, words: list[object], redirection: str
) -> None:
    if "full" in redirection and not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full")
    usual, silent = shell(tmp_path, words, ""), shell(tmp_path, words, redirection)
    assert (silent.returncode, silent.stdout, silent.stderr) == (usual.returncode, usual.stdout, b"")


@pytest.mark.parametrize("words", [["-", "-k", "box"], ["--files-from", "-", "-k", "box"]])
def test_nothing_can_be_read_from_a_closed_standard_input(tmp_path: Path, words: list[object]) -> None:
    run = shell(tmp_path, ["filter", *words], "<&-")
    assert (run.returncode, run.stdout) == (1, b"")
    (line,) = run.stderr.decode().splitlines()
    assert line.startswith("convcli: error: ")


@pytest.mark.parametrize(
    "env",
    [
        {"PYTHONIOENCODING": "ascii"},
        {"PYTHONIOENCODING": "latin-1:strict"},
        {"LC_ALL": "C"},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"LC_ALL": "no_such.locale"},
    ],
)
def test_any_encoding_shows_any_name(tmp_path: Path, env: dict[str, str]) -> None:
    name = os.fsdecode(b"\xff\xf0\x9f\x99\x82 \xe2\x80\xae\n.csv")
    (tmp_path / name).write_text("1 0; 0 1")
    for words in (["kernels", name], ["kernels", name, "--format", "csv"], ["kernels", f"no{name}"], ["filter", "no.png", "-k", name]):  # fmt: skip
        run = shell(tmp_path, words, "", env)
        assert run.returncode == (0 if words[1] == name else 2 if words[0] == "kernels" else 1)
        assert b"Traceback" not in run.stderr
        (run.stdout + run.stderr).decode()


@pytest.mark.parametrize("more", [[], ["--dry-run"], ["--stats"], ["--debug"]])
def test_a_name_cannot_control_a_terminal(tmp_path: Path, more: list[str]) -> None:
    name = "\x1b]0;title\x07\x1b[31m\n\x9b2J.png"
    (tmp_path / name).write_bytes(HOUSE.read_bytes())
    terminal, end = pty.openpty()
    command = [sys.executable, "-m", "convcli", "filter", "-k", "box", "-o", "out/", *more, name, f"no{name}"]
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "TERM": "dumb",
    }  # no progress bar, however long it takes
    run = subprocess.run(
        command, cwd=tmp_path, env=environment, stdout=end, stderr=end, timeout=60, check=False
    )
    os.close(end)
    shown = b""
    with suppress(OSError):  # the end of a terminal whose other side is closed
        while part := os.read(terminal, 65536):
            shown += part
    os.close(terminal)
    assert run.returncode == 1
    text = shown.decode()
    assert all(char.isprintable() or char in "\r\n" for char in text)
    assert r"\x1b]0;title\x07\x1b[31m\n\x9b2J.png" in text.replace("\\\\", "\\").replace(r"\u00", r"\x")
