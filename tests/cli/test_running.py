"""Many pictures at once: the same bytes for any number of jobs, options, and messages."""

import os
import pickle
import pty
import select
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from convcli.batch.run_jobs import Batch
from convcli.jobs.job import Job
from tests.conftest import SAMPLES, Call, one_error
from tests.runs import NAMES, Program, contents, draw, filtered
from tests.test_imports import modules

ORDERS = ["--jobs 2", "--jobs 3", "--jobs 8", "--jobs 2 --threads 3", "--isolate", "--isolate --jobs 3"]


@pytest.mark.parametrize("options", ORDERS)
def test_bytes_and_words_are_the_same_for_any_number_of_jobs(
    program: Program, tmp_path: Path, options: str, serial: tuple[bytes, list[str], dict[str, bytes]]
) -> None:
    out, err, made = filtered(program, tmp_path, options)
    assert made == serial[2]
    assert list(made) == sorted(NAMES)
    assert out == serial[0]
    assert err[:-1] == serial[1][:-1]
    assert err[-1].startswith(f"convcli: {len(NAMES)} done, 2 failed; ")
    assert err[-1].endswith("failed: bad.png, none.png")


@pytest.mark.parametrize(
    "layer",
    [
        ["--kernel", "box", "--pool", "max:2"],
        ["--kernel", "box", "--pool", "global-avg"],
        ["--kernel", "box", "--pool", "adaptive-max:3"],
        ["--offsets", "swirl"],
        ["--offsets", "lens"],
        ["--offsets", "random:seed=3"],
        ["--local", "tilt-shift"],
        ["--local", "vignette-blur"],
        ["--pointwise", "sepia"],
        ["--kernel", "sobel", "--pool-channels", "max", "--activation", "relu"],
        ["match", "--template", "template.png"],
    ],
    ids=" ".join,
)
def test_every_layer_can_be_sent_to_another_process(
    call: Call, tmp_path: Path, layer: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from convcli.jobs.workers import Workers

    monkeypatch.chdir(tmp_path)
    with Image.open(SAMPLES / "landscape.png") as image:
        image.crop((20, 20, 90, 80)).save("x.png")
        image.crop((25, 27, 50, 51)).save("template.png")
    command, *words = layer if layer[0] == "match" else ["filter", *layer]
    assert call(command, "x.png", "template.png", *words, "-o", "here/").code == 0
    run = Workers.run

    def sent(self: Workers, batch: Batch[Job], work: object, *others: object) -> bool:
        jobs, work = pickle.loads(pickle.dumps((list(batch.left), work)))
        batch.left = iter(jobs)
        return run(self, batch, work, *others)

    monkeypatch.setattr(Workers, "run", sent)
    assert call(command, "x.png", "template.png", *words, "-o", "there/", "--jobs", "1").code == 0
    assert contents(tmp_path / "here") == contents(tmp_path / "there")


def test_standard_input_and_output_reach_a_process(program: Program) -> None:
    data = (SAMPLES / "house.png").read_bytes()
    runs = [
        program("filter", "-", "--kernel", "box", *options, input=data) for options in ([], ["--isolate"])
    ]
    assert runs[0].stdout == runs[1].stdout
    assert runs[0].stdout.startswith(b"\x89PNG")


def test_three_bad_files_among_five_hundred(program: Program, tmp_path: Path) -> None:
    names = draw(tmp_path / "in", *(f"{number:03}.png" for number in range(500)))
    for name in (bad := ["007.png", "250.png", "499.png"]):
        (tmp_path / "in" / name).write_bytes(b"bad")
    run = program("filter", *(f"in/{name}" for name in names), "--kernel", "sobel", "-o", "out/")
    good = [name for name in names if name not in bad]
    assert run.returncode == 1
    assert sorted(os.listdir(tmp_path / "out")) == good
    assert run.stdout.decode().split() == [f"out/{name}" for name in good]
    *_, summary = run.stderr.decode().splitlines()
    assert summary.startswith("convcli: 497 done, 3 failed; ")
    assert summary.endswith("megapixels per second; failed: in/007.png, in/250.png, in/499.png")
    assert sum(line.startswith("convcli: error: ") for line in run.stderr.decode().splitlines()) == 3
    before = {name: (tmp_path / "out" / name).stat() for name in good}
    draw(tmp_path / "in", *names)
    again = program("filter", "in", "--kernel", "sobel", "-o", "out/", "--skip-existing")
    assert again.returncode == 0
    assert again.stdout.decode().split() == [f"out/{name}" for name in bad]
    assert again.stderr.decode().splitlines()[-1].startswith("convcli: 3 done, 497 skipped; ")
    assert {name: (tmp_path / "out" / name).stat() for name in good} == before


# Options


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--jobs 0", "(env var: 'CONVCLI_JOBS'): '0' is not a whole number of at least 1"),
        ("--timeout 0", "'0' is not a number of seconds above 0; write 30 or 0.5"),
        ("--timeout soon", "'soon' is not a number of seconds above 0; write 30 or 0.5"),
        ("--timeout nan", "'nan' is not a number of seconds above 0"),
        (
            "--cluster tcp://x:1 --isolate",
            "--isolate starts processes on this machine and cannot be used with --cluster; leave it out",
        ),
        ("--cluster tcp://x:1 --timeout 3", "--timeout starts processes on this machine"),
        (
            "--cluster 127.0.0.1",
            "--cluster 127.0.0.1 is not the address of a scheduler; write one like tcp://host:8786",
        ),
        ("--report x.jsonl --dry-run", "--report describes finished jobs, and --dry-run does nothing"),
    ],
)
def test_wrong_usage_is_one_line(call: Call, options: str, message: str) -> None:
    result = call("filter", SAMPLES / "house.png", "--kernel", "box", *options.split())
    assert result.code == 2
    assert message in one_error(result)


def test_the_environment_sets_the_jobs(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONVCLI_JOBS", "many")
    message = one_error(call("filter", SAMPLES / "house.png", "--kernel", "box", "--dry-run"))
    assert "'many' is not a whole number of at least 1" in message
    monkeypatch.setenv("CONVCLI_JOBS", "2")
    assert call("match", SAMPLES / "house.png", "--template", SAMPLES / "house.png", "-o", "-").code == 0


# Verbosity


def test_one_picture_has_no_summary_and_many_have_one(call: Call, tmp_path: Path) -> None:
    draw(tmp_path, "a.png", "b.png")
    words = ["--kernel", "box", "--force"]
    assert call("filter", tmp_path / "a.png", *words).err == ""
    assert call("filter", tmp_path / "a.png", tmp_path / "b.png", *words).err.startswith("convcli: 2 done; ")
    assert call("filter", tmp_path / "a.png", tmp_path / "b.png", *words, "-q").err == ""


def test_v_reports_progress(call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("convcli.cli.run_messages.EVERY", -1.0)
    names = draw(tmp_path, "a.png", "b.png")
    words = ["filter", *(tmp_path / name for name in names), "--kernel", "box", "--force", "--jobs", "1"]
    assert ": 1 of 2, " in call(*words, "-v").err.replace("convcli", "")
    assert " of 2" not in call(*words).err


def test_a_terminal_shows_progress(tmp_path: Path, faults: dict[str, str]) -> None:
    names = draw(tmp_path, *(f"slow{number}.png" for number in range(12)))
    (tmp_path / names[4]).write_bytes(b"bad")
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "convcli", "filter", *names, "--kernel", "box", "--jobs", "2"],
        cwd=tmp_path,
        env={**os.environ, **faults, "TERM": "xterm", "COLUMNS": "100"},
        stdout=subprocess.PIPE,
        stderr=theirs,
    )
    os.close(theirs)
    shown = b""
    while select.select([ours], [], [], 20)[0]:
        try:
            shown += os.read(ours, 4096)
        except OSError:  # its other end is closed
            break
    os.close(ours)
    out, _ = process.communicate(timeout=20)
    assert process.returncode == 1
    text = shown.decode()
    assert "/12" in text
    assert "/s" in text
    assert "1 failed" in text
    assert text.count("\x1b[?25l") == text.count("\x1b[?25h") > 0  # the cursor is visible again
    assert text.count("error: cannot read slow4.png") == 1
    assert out.decode().split() == [f"slow{number}.box.png" for number in range(12) if number != 4]
    assert "11 done, 1 failed" in text.splitlines()[-1]


def test_one_picture_starts_no_executor(tmp_path: Path) -> None:
    code = "from convcli.cli import main\ntry: main(sys.argv[1:])\nexcept SystemExit as end: assert not end.code, end.code"
    names = modules(
        code, "filter", str(SAMPLES / "house.png"), "-k", "sobel", "-o", str(tmp_path / "x.png"), "-q"
    )
    assert not names & {
        "multiprocessing.connection",
        "rich",
        "convcli.batch.parallel_jobs",
        "convcli.batch.isolated",
        "convcli.batch.cluster",
        "convcli.cli.progress",
        "convcli.jobs.report",
    }
