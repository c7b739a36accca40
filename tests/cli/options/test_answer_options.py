"""The format, the fields and the output file of an answer, for every command that has these options."""

import json
import shutil
from pathlib import Path

import click
import pytest

from convcli.ci_reports import CI_ENDINGS
from convcli.cli import COMMANDS, group
from convcli.render import ENDINGS, FORMATS, PICTURES
from tests.conftest import SAMPLES, Call, one_error

WORDS = {
    "diff": "house.png house.png",
    "kernels": "",
    "shape": "--n 7 --k 3",
    "params": "--in 3 --k 3",
    "cost": "--n 7 --k 3",
    "compare": "--n 7 --k 3",
    "networks": "",
    "tune": "--show",
    "config": "",
}
ELSEWHERE = {"learn"}  # its -o takes the kernel, and the answer is always printed
MAPS = {"diff", "kernels"}  # -o x.png draws something beside the answer, or instead of it


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copy(SAMPLES / "house.png", "house.png")


def test_every_command_with_a_format_and_an_output_is_tried() -> None:
    found = set()
    for name in COMMANDS:
        command = group.get_command(click.Context(group), name)
        assert command is not None
        if {"form", "output"} <= {each.name for each in command.params}:
            found.add(name)
    assert found - ELSEWHERE == set(WORDS)


@pytest.mark.parametrize("command", WORDS)
def test_a_format_that_contradicts_the_ending_is_wrong_usage(call: Call, command: str) -> None:
    words = [command, *WORDS[command].split(), "--force"]
    written = {"house.png", "b", "b.tsv"}
    means = {**ENDINGS, **(CI_ENDINGS if command == "diff" else {})}
    for form in ("json", "table") if command in ("diff", "tune") else FORMATS:
        for ending, own in means.items():
            found = call(*words, "--format", form, "-o", f"a{ending}")
            if own == form or ending == ".txt":
                assert found.code == 0, found
                written.add(f"a{ending}")
                continue
            assert found.code == 2
            start = f"--format {form} and -o a{ending} contradict each other: the ending {ending} means {own}; leave out"
            assert one_error(found).startswith(start)
    for ending in (".tsv", ""):
        assert call(*words, "--format", "json", "-o", f"b{ending}").code == 0
        assert json.loads(Path(f"b{ending}").read_text())["command"] == command
    if command not in MAPS:
        for ending in (*PICTURES, ".jpg", ".npy"):
            error = one_error(call(*words, "--format", "csv", "-o", f"c{ending}"))
            assert (
                f"contradict each other: the ending {ending} is not one of text; leave out --format" in error
            )
    assert {each.name for each in Path().iterdir()} == written


def test_missing_folders_are_created(call: Call) -> None:
    lines = [f"{command} {words} -o %s/x.csv" for command, words in WORDS.items() if command != "tune"]
    lines += [
        "filter house.png -k box -o %s/x.png",
        "filter house.png -k box -o %s/",
        "filter house.png -k box -o x.png --force --report %s/x.jsonl",
        "filter house.png -k box --explain 0,0 -o %s/x.txt",
        "match house.png --template house.png -o %s/x.png",
        "diff house.png house.png -o %s/x.png",
        "learn house.png house.png -o %s/x.npy",
        "kernels box -o %s/x.png",
        "draw --n 4 --k 3 -o %s/x.svg",
        "shape --n 7 --k 3 -o %s/x.svg",
    ]
    for number, line in enumerate(lines):
        found = call(*(line % f"new{number}/sub").split())
        assert found.code == 0, found
        assert len(list(Path(f"new{number}/sub").iterdir())) == 1, line
