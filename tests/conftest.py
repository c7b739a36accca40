"""Shared by all tests: the program, called in this or in a separate process, and the sample pictures."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple
from unittest import mock

import pytest
from hypothesis import settings

from tests.environment import plain
from tests.paths import ROOT, SAMPLE_NAMES, SAMPLES

__all__ = ["ROOT", "SAMPLES", "SAMPLE_NAMES", "Call", "Result", "one_error"]

for name in os.environ.keys() - plain(os.environ).keys():  # for all tests, and the programs that they start
    del os.environ[name]

# Costs that were measured on this machine would change plans: none are read or stored, also while tests are collected.
for name in ("XDG_CACHE_HOME", "LOCALAPPDATA"):
    os.environ[name] = str(Path(os.devnull, "no folder"))

signal.signal(signal.SIGINT, signal.default_int_handler)  # which a shell ignores in background processes

settings.register_profile(
    "convcli", max_examples=40, deadline=None, derandomize="CI" in os.environ, print_blob=True
)
settings.register_profile("few", settings.get_profile("convcli"), max_examples=10)  # in `make oldest`
settings.load_profile("convcli")


class Result(NamedTuple):
    code: int
    out: str
    err: str


Call = Callable[..., Result]


@pytest.fixture
def call(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Call]:
    """Run the command line in this process, and restore the state of the process."""
    from convcli.cli import main

    monkeypatch.setattr("signal.signal", lambda *_: None)
    digits = sys.get_int_max_str_digits()

    def run(*arguments: object, faulty: bool = False) -> Result:
        """Run a command line; `faulty` if the test has planted a fault in the program."""
        capfd.readouterr()
        with pytest.raises(SystemExit) as end:
            main([str(argument) for argument in arguments])
        out, err = capfd.readouterr()
        assert faulty or "internal error (" not in err, err
        return Result(end.value.code, out, err)

    with mock.patch.dict(os.environ):
        yield run
    sys.set_int_max_str_digits(digits)
    for name, module in list(sys.modules.items()):
        if name.startswith("convcli.cli.commands."):
            for option in module.command.params:
                if isinstance(
                    option.envvar, list
                ):  # a setting of the command has its own variable, which takes precedence
                    option.envvar = option.envvar[-1]


@pytest.fixture
def program(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[bytes]]:
    """Run the program in a separate process, in an empty folder."""

    def run(*arguments: object, **options: object) -> subprocess.CompletedProcess[bytes]:
        command = [sys.executable, "-m", "convcli", *map(str, arguments)]
        environment = {**os.environ, "PYTHONPATH": str(ROOT), **options.pop("env", {})}
        return subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, timeout=60, check=False, **options
        )

    return run


@pytest.fixture
def on_terminal(tmp_path: Path) -> Callable[..., str]:
    """Run the program on a terminal with the given number of columns; return its output without colours."""
    import pty
    import re

    def run(columns: int, *arguments: object) -> str:
        terminal, end = pty.openpty()
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": str(columns), "TERM": "xterm"}
        command = [sys.executable, "-m", "convcli", *map(str, arguments)]
        with subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=end) as process:
            os.close(end)
            parts = []
            with open(terminal, "rb", buffering=0) as reader:  # noqa: PTH123
                try:
                    while part := reader.read(1 << 16):
                        parts.append(part)
                except OSError:  # the error of Linux if the other end is closed
                    pass
        assert process.returncode == 0
        text = b"".join(parts).decode().replace("\r\n", "\n")
        return re.sub(r"\x1b\[[\d;]*m", "", text)

    return run


@pytest.fixture
def faults(tmp_path: Path) -> dict[str, str]:
    """The environment of a program in which pictures with certain names fail."""
    from tests.runs import FAULTS

    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(FAULTS)
    return {"PYTHONPATH": f"{folder}{os.pathsep}{ROOT}"}


@pytest.fixture(scope="session")
def serial(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, list[str], dict[str, bytes]]:
    """The output of sequential jobs."""
    from tests.runs import filtered

    folder = tmp_path_factory.mktemp("serial")

    def here(*arguments: str) -> subprocess.CompletedProcess[bytes]:
        command = [sys.executable, "-m", "convcli", *arguments]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        return subprocess.run(command, cwd=folder, env=environment, capture_output=True, check=False)

    return filtered(here, folder, "--jobs 1")


def one_error(result: Result) -> str:
    """Return the only line on stderr, an error; check that there is no answer and no traceback."""
    assert result.out == ""
    (line,) = result.err.splitlines()
    assert line.startswith("convcli: error: ")
    return line.removeprefix("convcli: error: ")
