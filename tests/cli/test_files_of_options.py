"""A picture that cannot be read gives exit code 1, any other file 2, as wrong words do, whichever option names it."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import click
import numpy as np
import pytest

from convcli.cli import COMMANDS, group
from tests.conftest import SAMPLES, Call, one_error

FILTER = "filter house.png -o out.png --force"
LAYERS = ("shape --n 4", "params", "cost --n 4", "draw --n 4 -o out.svg --force")
# The parameters that read files: the command line with {} for the file, and the endings to try.
READ = {
    ("filter", "names"): ("filter {} -k box -o out.png --force", "png npy"),
    ("filter", "kernels"): (FILTER + " -k {}", "csv npy txt json mat png"),
    ("filter", "weights"): (FILTER + " --weights {} --variant standard", "npy"),
    ("filter", "bias"): (FILTER + " --weights w.npy --variant standard --bias-file {}", "npy"),
    ("filter", "pointwise"): (FILTER + " --pointwise {} --variant pointwise", "csv npy json txt"),
    ("filter", "offsets"): (FILTER + " --offsets {} --variant deformable -k box", "npy"),
    ("filter", "local"): (FILTER + " --local {} --variant local", "npy"),
    ("filter", "mask"): (FILTER + " -k box --mask {}", "png npy"),
    ("filter", "network"): (FILTER + " --network {}", "onnx toml"),
    ("filter", "labels"): ("filter house.png --network classes.toml --seed 0 --labels {}", "txt"),
    ("filter", "files_from"): ("filter -o out/ -k box --files-from {}", "txt"),
    ("match", "names"): ("match {} -o out.png --force --template house.png", "png"),
    ("match", "template"): ("match house.png -o out.png --force --template {}", "png csv"),
    ("match", "files_from"): ("match -o out/ --template house.png --files-from {}", "txt"),
    ("diff", "operands"): ("diff house.png {}", "png"),
    ("learn", "names"): ("learn house.png {}", "png"),
    ("kernels", "spec"): ("kernels {}", "csv npy png"),
    ("kernels", "spectrum"): ("kernels sobel --spectrum {}", "png"),
    ("draw", "values"): ("draw --n 4 --k 3 -o out.svg --force --values {}", "csv npy"),
    ("draw", "kernel"): ("draw --n 4 -o out.svg --force --kernel {}", "csv npy"),
    ("draw", "offsets"): (
        "draw --n 4 --k 3 -o out.svg --force --variant deformable --offsets {}",
        "npy csv",
    ),
    ("compare", "subjects"): ("compare net.toml {}", "onnx toml"),
    ("compare", "kernel"): ("compare house.png --kernel {}", "csv"),
    ("draw", "network"): ("draw {} -o out.svg --force", "onnx toml"),
    **{(command, "network"): (command + " {}", "onnx toml") for command in ("shape", "params", "cost")},
    **{(line.split()[0], "chain"): (line + " --layers @{}", "txt") for line in LAYERS},
}
WEIGHTS = (FILTER + " --network net.toml --weights {}", "npz")  # the same option with a network
PICTURES = {  # diff has its own exit codes
    *(("filter", name) for name in ("names", "mask", "files_from")),
    *(("match", name) for name in ("names", "template", "files_from")),
    *(("learn", "names"), ("kernels", "spectrum")),
}
# Parameters of the same types that name no file to be read.
OTHERS = {
    *("output", "report", "bank_sheet", "bias_file", "trace"),  # files that are written
    *("include", "exclude", "cluster", "pool", "pool_channels", "layer", "of_layer"),
    ("networks", "word"),
    *(
        (name, "values") for name in ("filter", "match", "diff", "learn", "compare")
    ),  # numbers as they are typed
}
DAMAGED = b"\x80\x93?bad\x00\xff\xfe"


def of_text() -> Iterator[tuple[str, str]]:
    """Every command with each of its parameters that may be the name of a file."""
    for name in COMMANDS:
        command = group.get_command(click.Context(group), name)
        assert command is not None
        for parameter in command.params:
            may_be_file = parameter.type.name in ("text", "FILE", "NETWORK", "CHAIN")
            if may_be_file and parameter.expose_value:
                yield name, str(parameter.name)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    shutil.copy(SAMPLES / "house.png", "house.png")
    np.save("w.npy", np.ones((2, 1, 3, 3)))
    Path("net.toml").write_text('input = "3x8x8"\nlayers = ["conv k3 p1 o3"]\n')
    Path("classes.toml").write_text('input = "3x8x8"\nlayers = ["flatten, dense o3"]\n')
    return tmp_path


def test_every_parameter_that_may_be_a_file_is_tried() -> None:
    found = set(of_text())
    assert {each for each in found if each not in OTHERS and each[1] not in OTHERS} == set(READ)


@pytest.mark.parametrize(("command", "parameter"), [*READ, ("filter", "weights of a network")])
def test_a_file_that_is_missing_or_damaged_has_the_exit_code_of_its_kind(
    call: Call, here: Path, command: str, parameter: str
) -> None:
    line, endings = READ.get((command, parameter), WEIGHTS)
    for ending in endings.split():
        Path(f"bad.{ending}").write_bytes(DAMAGED)
        for name in (f"none.{ending}", f"bad.{ending}"):
            if (name, parameter) == ("bad.txt", "files_from"):
                continue  # a list may have any bytes
            found = call(*(word.replace("{}", name) if "{}" in word else word for word in line.split()))
            assert found.code == (1 if (command, parameter) in PICTURES else 2), (name, found)
            assert name in one_error(found)
    assert not {"out.png", "out.svg"} & {each.name for each in here.iterdir()}


@pytest.mark.parametrize("line", [
    "filter house.png --network net.toml --seed 0 -o out.png --layer conv9",
    "filter house.png --network net.toml --seed 0 -o out.npy --layer conv9 --jobs 2",
    "draw net.toml --receptive --layer conv9 -o out.svg",
])  # fmt: skip
def test_an_unknown_layer_is_wrong_usage(call: Call, here: Path, line: str) -> None:
    found = call(*line.split())
    assert (found.code, one_error(found)) == (
        2,
        "the network has no layer 'conv9'; did you mean 'conv1'?",
    )


def test_a_wrong_value_in_a_file_of_settings_is_wrong_usage(
    call: Call, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (here / "convcli.toml").write_text('[filter]\njobs = "two"\n[diff]\ntolerance = "x"\n')
    codes = [call(*words).code for words in (["filter", "house.png", "-k", "box"], ["config"])]
    assert (codes, call("diff", "house.png", "house.png").code) == ([2, 2], 2)
    (here / "convcli.toml").unlink()
    for variable in ("CONVCLI_JOBS", "CONVCLI_FILTER_JOBS"):
        monkeypatch.setenv(variable, "two")
        for words in (["config"], ["filter", "house.png", "-k", "box"]):
            found = call(*words)
            assert (found.code, one_error(found)) == (
                2,
                "Invalid value for '--jobs': 'two' is not a whole number of at least 1; it is set in environment "
                f"variable {variable} (see convcli filter --help)",
            )
    monkeypatch.setenv("CONVCLI_FILTER_JOBS", "2")
    monkeypatch.setenv("CONVCLI_JOBS", "3")
    assert call("config", "--field", "command,value,source").out == (
        "filter\t2\tenvironment variable CONVCLI_FILTER_JOBS\nmatch\t3\tenvironment variable CONVCLI_JOBS\n"
    )
