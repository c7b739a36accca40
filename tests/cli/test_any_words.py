"""Any value of any option: an answer, or one short line that a terminal can show."""

from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from convcli.cli import COMMANDS, group
from tests.conftest import SAMPLES, Call

SENSIBLE = {
    "filter": ["house.png", "-k", "box", "-o", "out.png", "--force"],
    "match": ["house.png", "--template", "house.png", "-o", "out.png", "--force"],
    "diff": ["house.png", "house.png"],
    "learn": ["house.png", "house.png", "--size", "1"],
    "kernels": ["sobel"],
    "draw": "--n 4 --k 3 -o out.txt --force".split(),
    "shape": "--n 7 --k 3".split(),
    "params": "--in 3 --out 3 --k 3".split(),
    "cost": "--n 7 --in 3 --out 3 --k 3".split(),
    "compare": "--n 7 --in 3 --out 3 --k 3".split(),
    "networks": [],
    "tune": ["--show"],
    "config": [],
    "completion": ["bash"],
    "help": [],
}
ODD = {
    "empty": "",
    "long": "k" * 50_000,
    "many words": "k, " * 20_000,
    "digits": "9" * 5_000,
    "a deep path": "/".join(["d" * 100] * 100),
    "quotes": "'\"\\" * 9_000,
    "controls": "\x1b[31m\n\t\x07\x9b1m\u202e" * 3_000,
    "no UTF-8": "\udcff" * 9_000,
    "nan": "nan",
    "infinity": "-1e999",
    "a negative zero": "-0",
    "other digits": "٣",
}


def options() -> Iterator[tuple[str, str]]:
    """Every option with a value of every command; arguments have an empty name."""
    for name in COMMANDS:
        command = group.get_command(click.Context(group), name)
        assert command is not None
        for parameter in command.params:
            if isinstance(parameter, click.Argument):
                yield name, ""
            elif not parameter.is_flag and parameter.expose_value:
                yield name, max(parameter.opts, key=len)


@pytest.mark.parametrize(("name", "option"), list(options()))
def test_any_value_of_any_option_is_answered_or_refused_in_one_short_line(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, option: str
) -> None:
    monkeypatch.chdir(tmp_path)
    for kind, value in ODD.items():
        Path("house.png").write_bytes((SAMPLES / "house.png").read_bytes())
        result = call(name, *SENSIBLE[name], *([option, value] if option else ["--", value]))
        assert result.code in (0, 1, 2), kind
        lines = [line for line in result.err.splitlines() if f"{option} is given 2 times" not in line]
        assert (result.code == 0) == (not lines or not lines[0].startswith("convcli: error: ")), kind
        assert sum(map(len, lines)) < 1300 and len(lines) <= 1, kind
        assert all(char.isprintable() or char == "\n" for char in result.out + result.err), kind
