"""Outputs, inputs and the report of a run must differ; otherwise the run is rejected before it writes anything."""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from convcli.jobs import collisions
from tests.conftest import SAMPLES, Call, one_error

HOUSE = (SAMPLES / "house.png").read_bytes()


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with pictures and kernels, which is the working directory."""
    monkeypatch.chdir(tmp_path)
    Path("in").mkdir()
    for name in ("in/a.png", "in/b.png", "x.png"):
        Path(name).write_bytes(HOUSE)
    Image.new("L", (3, 3), 9).save("eye.png")
    Path("k.csv").write_text("1 2 1")
    Path("k.json").write_text("[[1, 2, 1]]")
    np.save("w.npy", np.ones((1, 1, 3, 3)))
    np.save("bias.npy", np.ones(1))
    np.save("field.npy", np.zeros((1, 2, 3, 3)))
    Path("m.csv").write_text("1")
    Path("list.txt").write_text("in/a.png\n")
    Path("hard.jsonl").hardlink_to("x.png")
    Path("link.jsonl").symlink_to("in/b.png")
    Path("again").symlink_to("in")
    return tmp_path


def tree(folder: Path) -> dict[str, bytes | None]:
    """Everything below a folder, with the contents of files."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in sorted(folder.rglob("*"))
    }


def refusal(call: Call, here: Path, *words: str, command: str = "filter") -> str:
    """Return the usage error of a run, and check that nothing has changed on the disk."""
    before = tree(here)
    result = call(command, *words)
    assert result.code == 2, result.err
    assert tree(here) == before
    return one_error(result)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("x.png -o r/ --report r", "--report r is a folder of inputs or outputs"),
        ("x.png -o r/s/{name} --report ./r", "--report r is a folder of inputs or outputs"),
        ("x.png -o r/s/{name} --report again/../r/s", "--report again/../r/s is a folder of"),
        ("x.png in/a.png -o {parent}/r/{name} --report in/r", "--report in/r is a folder of"),
        ("in -o r/ --report in", "--report in is a folder of"),
        ("x.png -o r.png --report r.png", "--report r.png is also an input or an output"),
        (
            "x.png -o r.png --report r.png/run.jsonl",
            "--report r.png/run.jsonl would be in r.png, which is a file",
        ),
        ("x.png -o r.png --report r.png/a/b", "--report r.png/a/b would be in r.png"),
        ("x.png -o r/ --report r/x.png", "--report r/x.png is also an input or an output"),
        ("x.png -o r/ --report r/../r/x.png/y", "would be in r/x.png, which is a file"),
        (
            "x.png -o {stem}.{kernel}.png --report x.box.png",
            "--report x.box.png is also an input or an output",
        ),
        ("x.png --report x.box.png", "--report x.box.png is also an input or an output"),
        ("x.png -o r.png --report x.png", "--report x.png is also an input or an output"),
        ("x.png -o r.png --report x.png/y", "--report x.png/y would be in x.png, which is a file"),
        ("x.png -o - --report x.png", "--report x.png is also an input or an output"),
        ("in -o r/ --report again/a.png", "--report again/a.png is also an input or an output"),
        ("in -o r/ --report link.jsonl", "--report link.jsonl is also an input or an output"),
        ("x.png -o r.png --report hard.jsonl", "--report hard.jsonl is also an input or an output"),
        ("x.png --in-place --report x.png", "--report x.png is also an input or an output"),
        ("x.png -o r.png --report -", "--report - would mix the report with other output"),
    ],
)
@pytest.mark.parametrize("more", [[], ["--force"]])
def test_a_report_must_differ_from_inputs_and_outputs(
    call: Call, here: Path, words: str, message: str, more: list[str]
) -> None:
    if "--in-place" in words:
        more = []
    assert message in refusal(call, here, *words.split(), "-k", "box", *more)


def test_a_report_may_be_in_the_folder_of_outputs_or_inputs(call: Call, here: Path) -> None:
    for report in ("r/run.jsonl", "in/run.jsonl", "r/x.png.jsonl", "x", "R/run.jsonl"):
        assert call("filter", "x.png", "-k", "box", "-o", "r/", "--report", report, "--force").code == 0
        assert Path(report).is_file()


@pytest.mark.parametrize("folds", [True, False])
@pytest.mark.parametrize(
    ("output", "report"), [("r.png", "R.PNG"), ("r/", "R"), ("é.png", "e\u0301.png"), ("r.png", "R.png/y")]
)
def test_names_that_only_some_file_systems_tell_apart(
    call: Call, here: Path, monkeypatch: pytest.MonkeyPatch, output: str, report: str, folds: bool
) -> None:
    monkeypatch.setattr(collisions, "_folds", lambda folder: folds)
    words = ["x.png", "-k", "box", "-o", output, "--report", report]
    if folds:
        assert f"--report {report} " in refusal(call, here, *words)
    elif not (here / "IN").exists():
        assert call("filter", *words).code == 0


READ = [
    ("-k k.csv", "k.csv", "a kernel"),
    ("-k box -k k.json", "k.json", "a kernel"),
    ("-k k.csv;k.json", "k.json", "a kernel"),
    ("-k eye.png", "eye.png", "a kernel"),
    ("--gray --weights w.npy", "w.npy", "the file of --weights"),
    ("--gray --weights w.npy --bias-file bias.npy", "bias.npy", "the file of --bias-file"),
    ("--gray --offsets field.npy -k box", "field.npy", "the file of --offsets"),
    ("--gray --local field.npy", "field.npy", "the file of --local"),
    ("--gray --pointwise m.csv", "m.csv", "the file of --pointwise"),
    ("-k box --files-from list.txt", "list.txt", "the list of inputs"),
    ("match --template x.png", "x.png", "the template"),
    ("match --template x.png --files-from list.txt", "list.txt", "the list of inputs"),
]


@pytest.mark.parametrize(("words", "path", "what"), READ)
def test_files_that_are_read_are_not_overwritten(
    call: Call, here: Path, words: str, path: str, what: str
) -> None:
    arguments = [word.replace(";", "; ") for word in words.split()]
    command = arguments.pop(0) if arguments[0] == "match" else "filter"
    more = ["-o", "r.png", "--report", f"./in/../{path}", "--force"]
    message = refusal(call, here, "in/a.png", *arguments, *more, command=command)
    assert message == f"in/../{path} is {what} and would be overwritten; choose another --report"
    if Path(path).suffix in (".npy", ".png"):
        message = refusal(call, here, "in/a.png", *arguments, "-o", path, "--force", command=command)
        assert message == f"{path} is {what} and would be overwritten; choose another -o"


@pytest.mark.parametrize(
    ("words", "path", "what"),
    [
        (["kernels", "k.csv"], "k.csv", "the kernel"),
        (["kernels", "eye.png"], "./eye.png", "the kernel"),
        (["diff", "x.png", "in/a.png"], "again/a.png", "compared"),
        (["compare", "x.png", "--kernel", "box"], "x.png", "compared"),
        (["compare", "x.png", "--kernel", "k.csv"], "k.csv", "the kernel"),
    ],
)
def test_an_answer_does_not_overwrite_its_inputs(
    call: Call, here: Path, words: list[str], path: str, what: str
) -> None:
    before = tree(here)
    result = call(*words, "-o", path, "--force")
    assert result.code == 2
    assert one_error(result) == f"{Path(path)} is {what} and would be overwritten; choose another -o"
    assert tree(here) == before


@pytest.mark.parametrize(
    ("report", "message"),
    [
        ("in", "it is a folder; name a file in it"),
        ("/dev/null", "it is a device or a pipe; name a file"),
        ("pipe", "it is a device or a pipe; name a file"),
        ("k.csv/run.jsonl", "its folder cannot be created: File exists"),
        ("k.csv/a/run.jsonl", "its folder cannot be created: Not a directory"),
        ("n" * 300, "File name too long"),
    ],
)
@pytest.mark.parametrize("more", [[], ["--force"], ["--skip-existing"]])
def test_a_report_that_cannot_be_written_is_one_error_line(
    call: Call, here: Path, report: str, message: str, more: list[str]
) -> None:
    os.mkfifo("pipe")
    result = call("filter", "x.png", "-k", "box", "-o", "r.png", "--report", report, *more)
    assert result.code == 1
    line = one_error(result)
    assert line.startswith("cannot write --report ") and message in line
    assert not Path("r.png").exists()
