"""The format, the fields and the output file of an answer, for every command that has these options."""

import json
import shutil
from pathlib import Path

import click
import pytest

from convcli.ci_reports import CI_ENDINGS
from convcli.cli import COMMANDS, group
from convcli.cli.field_names import FIELDS
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


def test_the_names_of_fields_are_those_of_the_answers(call: Call) -> None:
    """They are completed, and listed in the pages of the commands."""
    Path("convcli.toml").write_text("[shape]\np = 1\n")
    lines = {**WORDS, "kernels": "sobel", "learn": "house.png house.png --size 1"}
    assert lines.keys() == FIELDS.keys()
    for command, words in lines.items():
        answer = json.loads(call(command, *words.split(), "--format", "json").out)
        assert tuple(answer["rows"][0]) == FIELDS[command], command


def completed(command: str, name: str, begun: str, **typed: str) -> list[str]:
    found = group.get_command(click.Context(group), command)
    assert found is not None
    context = click.Context(found, info_name=command)
    context.params = typed
    (parameter,) = [each for each in found.params if each.name == name]
    return [item.value for item in parameter.shell_complete(context, begun)]


def test_fields_and_layers_are_completed() -> None:
    assert completed("cost", "fields", "ma") == ["macs"]
    assert completed("shape", "fields", "name,output") == ["name,output_shape", "name,output_size"]
    assert completed("kernels", "fields", "output") == []
    assert completed("filter", "layer", "block6", network="mobilenet-v1")[:2] == ["block6", "block6.dwconv1"]
    assert completed("draw", "of_layer", "fi", network="none.onnx") == []


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
