"""Batches through real processes: the same bytes wherever they run, and what crashes, hangs or is stopped."""

import hashlib
import json
import os
import pickle
import pty
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.conftest import ROOT, SAMPLE_NAMES, SAMPLES, Call, one_error
from tests.test_imports import modules

Program = Callable[..., subprocess.CompletedProcess[bytes]]

# Names that make Pillow misbehave, in whichever process: put on the path of the program, never into it.
FAULTS = """
import os, signal, sys, time
from pathlib import Path
try:
    from PIL import Image
except ImportError:
    Image = None
if Image is not None:
    whole = Image.open
    def opened(file, *arguments, **options):
        name = Path(str(getattr(file, "name", ""))).name
        if name.startswith("log-"): Path("log").open("a").write(name)
        if "exit" in name: os._exit(3)
        if "kill" in name: os.kill(os.getpid(), signal.SIGKILL)
        if "once" in name and not Path("marked").exists():
            Path("marked").touch()
            os.abort()
        if "loop" in name:
            while True: pass
        if "slow" in name: time.sleep(0.3)
        if "stuck" in name: time.sleep(600)
        return whole(file, *arguments, **options)
    Image.open = opened
"""


@pytest.fixture
def faults(tmp_path: Path) -> dict[str, str]:
    """The environment of a program in which pictures fail by their names."""
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(FAULTS)
    return {"PYTHONPATH": f"{folder}{os.pathsep}{ROOT}"}


def draw(folder: Path, *names: str) -> list[str]:
    """Draw tiny pictures, each another one."""
    folder.mkdir(exist_ok=True)
    for number, name in enumerate(names):
        pixels = np.random.default_rng(number).integers(0, 256, (12, 14, 3), np.uint8)
        Image.fromarray(pixels).save(folder / name, "PNG")
    return list(names)


def contents(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in sorted(os.listdir(folder))}


def lines(path: Path) -> list[dict[str, object]]:
    text = path.read_bytes()
    assert text.isascii()
    assert text.endswith(b"\n")
    return [json.loads(line) for line in text.splitlines()]


# The same everywhere


ORDERS = ["--jobs 2", "--jobs 3", "--jobs 8", "--jobs 2 --threads 3", "--isolate", "--isolate --jobs 3"]


NAMES = [name for name in SAMPLE_NAMES if name not in ("landscape.png", "zoneplate.png")]  # the larger ones


def filtered(program: Program, tmp_path: Path, options: str) -> tuple[bytes, list[str], dict[str, bytes]]:
    """Filter samples and two bad files; return stdout, the lines of stderr, and the pictures."""
    (tmp_path / "bad.png").write_text("bad")
    inputs = [str(SAMPLES / name) for name in NAMES]
    inputs[1:1], inputs[4:4] = ["bad.png"], ["none.png"]
    run = program("filter", *inputs, "--kernel", "gaussian:3", "-o", "out/", "--stats", *options.split())
    assert run.returncode == 1
    out = run.stdout.replace(json.dumps(f"{tmp_path}/")[1:-1].encode(), b"")  # a cluster names whole paths
    return out, run.stderr.decode().replace(f"{tmp_path}/", "").splitlines(), contents(tmp_path / "out")


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, list[str], dict[str, bytes]]:
    """What one job after the other makes."""
    folder = tmp_path_factory.mktemp("serial")

    def here(*arguments: str) -> subprocess.CompletedProcess[bytes]:
        command = [sys.executable, "-m", "convcli", *arguments]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        return subprocess.run(command, cwd=folder, env=environment, capture_output=True, check=False)

    return filtered(here, folder, "--jobs 1")


@pytest.mark.parametrize("options", ORDERS)
def test_bytes_and_words_are_the_same_for_any_number_of_jobs(
    program: Program, tmp_path: Path, options: str, expected: tuple[bytes, list[str], dict[str, bytes]]
) -> None:
    out, err, made = filtered(program, tmp_path, options)
    assert made == expected[2]
    assert list(made) == sorted(NAMES)
    assert out == expected[0]
    assert err[:-1] == expected[1][:-1]
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
    from convcli.cli.running import Running

    monkeypatch.chdir(tmp_path)
    with Image.open(SAMPLES / "landscape.png") as image:
        image.crop((20, 20, 90, 80)).save("x.png")
        image.crop((25, 27, 50, 51)).save("template.png")
    command, *words = layer if layer[0] == "match" else ["filter", *layer]
    assert call(command, "x.png", "template.png", *words, "-o", "here/").code == 0
    run = Running.run

    def sent(self: Running, conversation: object, jobs: object, work: object, **options: object) -> int:
        jobs, work = pickle.loads(pickle.dumps((jobs, work)))
        return run(self, conversation, jobs, work, **options)

    monkeypatch.setattr(Running, "run", sent)
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
    assert summary.endswith("megapixels a second; failed: in/007.png, in/250.png, in/499.png")
    assert sum(line.startswith("convcli: error: ") for line in run.stderr.decode().splitlines()) == 3
    before = {name: (tmp_path / "out" / name).stat() for name in good}
    draw(tmp_path / "in", *names)
    again = program("filter", "in", "--kernel", "sobel", "-o", "out/", "--skip-existing")
    assert again.returncode == 0
    assert again.stdout.decode().split() == [f"out/{name}" for name in bad]
    assert again.stderr.decode().splitlines()[-1].startswith("convcli: 3 done, 497 skipped; ")
    assert {name: (tmp_path / "out" / name).stat() for name in good} == before


# Processes that crash or hang


def test_a_crash_costs_one_picture(program: Program, tmp_path: Path, faults: dict[str, str]) -> None:
    names = draw(
        tmp_path / "in", "0.png", "log-exit.png", "2.png", "3.png", "log-kill.png", "5.png", "once.png"
    )
    run = program(
        "filter", *(f"in/{name}" for name in names), "--kernel", "box", "-o", "out/", "--isolate", env=faults
    )
    assert run.returncode == 1
    assert sorted(os.listdir(tmp_path / "out")) == ["0.png", "2.png", "3.png", "5.png", "once.png"]
    err = run.stderr.decode()
    assert (
        "error: in/log-exit.png: the process that worked on it, and on nothing else, ended with exit code 3"
        in err
    )
    assert (
        "error: in/log-kill.png: the process that worked on it, and on nothing else, was killed by SIGKILL"
        in err
    )
    assert "5 done, 2 failed; " in err
    assert "Traceback" not in err
    log = (tmp_path / "log").read_text()
    assert (log.count("log-exit.png"), log.count("log-kill.png")) == (2, 2)  # each had a second chance


def test_what_was_replaced_is_not_filtered_again(program: Program, tmp_path: Path) -> None:
    names = draw(tmp_path / "in", "0.png", "after.png", "2.png")
    assert program("filter", "in", "--kernel", "box", "-o", "once/").returncode == 0
    (tmp_path / "site").mkdir()
    (tmp_path / "site/sitecustomize.py").write_text(
        "import os, signal\nfrom pathlib import Path\nwhole = os.replace\n"
        "def replace(old, new, **options):\n"
        "    whole(old, new, **options)\n"
        "    if Path(new).name == 'after.png' and not Path('marked').exists():\n"
        "        Path('marked').touch()\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "os.replace = replace\n"
    )
    run = program(
        "filter", "in", "--kernel", "box", "--in-place", "--isolate", "-q",
        env={"PYTHONPATH": f"{tmp_path / 'site'}{os.pathsep}{ROOT}"},
    )  # fmt: skip
    assert run.returncode == 1
    assert run.stderr.startswith(
        b"convcli: error: in/after.png: the process that worked on it was killed by SIGKILL"
    )
    assert b"had begun to write" in run.stderr
    assert run.stdout.split() == [b"in/0.png", b"in/2.png"]
    assert {name: (tmp_path / "in" / name).read_bytes() for name in names} == contents(tmp_path / "once")


def test_a_decoder_that_loops_is_stopped(program: Program, tmp_path: Path, faults: dict[str, str]) -> None:
    draw(tmp_path, "a.png", "log-loop.png", "b.png")
    run = program("filter", "a.png", "log-loop.png", "b.png", "--kernel", "box", "--timeout", "1", env=faults)
    assert run.returncode == 1
    assert run.stdout == b"a.box.png\nb.box.png\n"
    assert (
        b"error: log-loop.png: it took longer than 1 s and was stopped; give it more time, or a smaller"
        in run.stderr
    )
    assert (tmp_path / "log").read_text() == "log-loop.png"  # whose fault it is is known


# Signals


# The program with a grace, after the first signal, that no test waits for.
PATIENT = "import convcli.batch.crowd as crowd; crowd.GRACE = 600; from convcli.__main__ import run; run()"


def started(
    tmp_path: Path, faults: dict[str, str], *arguments: str, program: Sequence[str] = ("-m", "convcli")
) -> subprocess.Popen[bytes]:
    words = ["filter", *arguments, "--kernel", "box", "-o", "out/"]
    return subprocess.Popen(
        [sys.executable, *program, *words],
        cwd=tmp_path,
        env={**os.environ, **faults},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=0,  # so that what stands behind a line is not lost
        start_new_session=True,
    )


def family(leader: int) -> list[int]:
    """Return the processes of a session: all that a program has left behind, whoever is their parent now."""
    members = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            words = path.read_text().rpartition(")")[2].split()
        except OSError:  # it has ended meanwhile
            continue
        if int(words[3]) == leader and words[0] != "Z":
            members.append(int(path.parent.name))
    return members


def soon(true: Callable[[], bool]) -> bool:
    """Tell whether something is true, now or within a minute."""
    until = time.monotonic() + 60
    while not true() and time.monotonic() < until:
        time.sleep(0.02)
    return true()


def gone(leader: int) -> bool:
    """Tell whether the session is empty, now or soon."""
    return soon(lambda: not family(leader))


ENDINGS = pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
PLACES = pytest.mark.parametrize("options", [["--jobs", "1"], ["--jobs", "3"], ["--jobs", "3", "--isolate"]])


@ENDINGS
@PLACES
def test_a_signal_finishes_what_is_under_way(
    tmp_path: Path, faults: dict[str, str], options: list[str], number: signal.Signals, code: int
) -> None:
    names = draw(tmp_path, *(f"slow{number:03}.png" for number in range(200)))
    process = started(tmp_path, faults, *names, *options)
    assert process.stdout is not None
    assert process.stdout.readline() == b"out/slow000.png\n"
    os.killpg(process.pid, number)  # as a terminal does: all of the group
    out, err = process.communicate(timeout=60)
    assert process.returncode == code
    printed = ["slow000.png", *(Path(line).name for line in out.decode().splitlines())]
    assert len(printed) < 100
    assert sorted(os.listdir(tmp_path / "out")) == printed  # no more, no less, nothing half written
    assert all(Image.open(tmp_path / "out" / name).load() for name in printed)
    assert b"Traceback" not in err
    last = err.decode().splitlines()[-1]
    assert last.startswith(f"convcli: stopped by {number.name}, {len(printed)} done, ")
    assert f"{200 - len(printed)} not begun or not finished" in last
    assert gone(process.pid)


@PLACES
def test_a_signal_waits_for_nobody_who_is_stuck(
    tmp_path: Path, faults: dict[str, str], options: list[str]
) -> None:
    names = draw(tmp_path, "a.png", "log-stuck1.png", "log-stuck2.png", "log-stuck3.png", "b.png")
    process = started(tmp_path, faults, *names, *options)
    assert process.stdout is not None
    assert process.stdout.readline() == b"out/a.png\n"
    assert soon((tmp_path / "log").exists)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert b"stopped by SIGINT, 1 done, 4 not begun or not finished" in err
    assert os.listdir(tmp_path / "out") == ["a.png"]
    assert gone(process.pid)


@PLACES
def test_a_second_signal_does_not_wait(tmp_path: Path, faults: dict[str, str], options: list[str]) -> None:
    names = draw(tmp_path, "a.png", "log-stuck1.png", "log-stuck2.png", "log-stuck3.png", "b.png")
    process = started(tmp_path, faults, *names, *options, program=("-c", PATIENT))
    assert process.stdout is not None
    assert process.stdout.readline() == b"out/a.png\n"
    assert soon((tmp_path / "log").exists)
    process.send_signal(signal.SIGINT)
    time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    # One that comes while Python shuts down ends it before it can exit, which is 130 to a shell, too.
    assert process.wait(60) in (130, -signal.SIGINT)
    process.communicate()
    assert os.listdir(tmp_path / "out") == ["a.png"]
    assert gone(process.pid)


def test_processes_end_when_the_run_is_killed(tmp_path: Path, faults: dict[str, str]) -> None:
    names = draw(tmp_path, "a.png", "loop.png", "stuck.png", "b.png")
    process = started(tmp_path, faults, *names, "--jobs", "3", "--isolate")
    assert process.stdout is not None
    assert process.stdout.readline() == b"out/a.png\n"
    assert soon(lambda: len(family(process.pid)) >= 3)
    process.kill()
    process.wait()
    assert gone(process.pid)
    process.communicate()


@PLACES
def test_a_broken_pipe_ends_quietly(tmp_path: Path, faults: dict[str, str], options: list[str]) -> None:
    names = draw(tmp_path, *(f"slow{number:03}.png" for number in range(100)))
    process = started(tmp_path, faults, *names, *options)
    assert process.stdout is not None
    process.stdout.readline()
    process.stdout.close()
    assert process.wait(60) == 141
    assert process.stderr is not None
    err = process.stderr.read().decode().splitlines()
    assert not [line for line in err if "clipped" not in line]
    process.stderr.close()
    assert len(os.listdir(tmp_path / "out")) < 50
    assert gone(process.pid)


# The report


@pytest.mark.parametrize("options", [["--jobs", "1"], ["--jobs", "3"], ["--isolate"]])
def test_a_report_has_a_line_for_each_picture(program: Program, tmp_path: Path, options: list[str]) -> None:
    draw(tmp_path, "a.png", "b.png")
    (tmp_path / "bad.png").write_bytes(b"bad")
    name = os.fsdecode(b"caf\xe9 \n.png")
    (tmp_path / "b.png").rename(tmp_path / name)
    run = program(
        "filter", "a.png", "bad.png", name, "none.png", "--kernel", "sobel", "-o", "out/", "--report",
        "reports/run.jsonl", *options,
    )  # fmt: skip
    assert run.returncode == 1
    found = sorted(lines(tmp_path / "reports/run.jsonl"), key=lambda line: line["number"])
    assert [line["number"] for line in found] == [1, 2, 3, 4]
    assert [os.fsencode(line["input"]) for line in found] == [
        b"a.png",
        b"bad.png",
        b"caf\xe9 \n.png",
        b"none.png",
    ]
    assert [line["status"] for line in found] == ["done", "failed", "done", "failed"]
    for line in (found[0], found[2]):
        for end, key in (("input", "input"), ("output", "output")):
            data = (tmp_path / os.fsencode(line[key]).decode("utf-8", "surrogateescape")).read_bytes()
            assert line[f"{end}_sha256"] == hashlib.sha256(data).hexdigest()
            assert line[f"{end}_bytes"] == len(data)
        assert (line["input_size"], line["size"], line["frames"], line["mode"]) == (
            [12, 14],
            [12, 14],
            1,
            "RGB",
        )
        assert 0 < line["clipped"] < 1
        assert line["plan"].startswith("separable")
        assert line["error"] is None
    assert found[1]["input_sha256"] == hashlib.sha256(b"bad").hexdigest()
    assert found[1]["error"].startswith("cannot read bad.png: it is not a picture")
    assert "there is no such file" in found[3]["error"]
    assert all(0 <= line["seconds"] < 60 for line in found)


def test_a_report_that_exists_is_refused_or_replaced(call: Call, tmp_path: Path) -> None:
    draw(tmp_path, "a.png", "b.png")
    report = tmp_path / "run.jsonl"
    report.write_text("precious")
    words = ["filter", tmp_path / "a.png", "--kernel", "box", "-o", tmp_path / "out.png", "--report", report]
    result = call(*words)
    assert result.code == 1
    assert (
        one_error(result)
        == f"--report {report} exists; give --force to replace it, --skip-existing to go on with it, or another name"
    )
    assert report.read_text() == "precious"
    assert not (tmp_path / "out.png").exists()
    assert call(*words, "--force").code == 0
    (line,) = lines(report)
    assert line["status"] == "done"


def test_a_resumed_report_goes_on_after_its_last_whole_line(tmp_path: Path) -> None:
    from convcli.batch import Outcome
    from convcli.jobs.job import Job
    from convcli.jobs.report import START, Report

    path, job = tmp_path / "run.jsonl", Job(Path("a"), Path("b"))
    for start in (
        "",
        '{"number": 1}\n',
        '{"number": 1}\n{"num',
        START.decode() + "x" * 9000,
        '{"number": 1}\n' + "x" * 9000,
    ):
        path.write_text(start)
        with Report(path, force=False, resume=True) as report:
            report.write(2, job, Outcome(facts={"seconds": 1.5}))
        assert [line["number"] for line in lines(path)] == [1] * start.count("\n") + [2]


@pytest.mark.parametrize(
    ("name", "code", "message"),
    [
        ("a.png", 2, "--report {} is an input or an output, too; name another file"),
        ("other", 1, "cannot write --report {}: it is a link; name the file that it points to"),
    ],
)
def test_a_report_is_not_written_through_a_link(
    call: Call, tmp_path: Path, name: str, code: int, message: str
) -> None:
    draw(tmp_path, "a.png")
    (tmp_path / "other").write_bytes(b"precious")
    before, link = contents(tmp_path), tmp_path / "run.jsonl"
    link.symlink_to(name)
    for option in ("--force", "--skip-existing", "-q"):
        result = call("filter", tmp_path / "a.png", "-k", "box", "--report", link, option)
        assert (result.code, one_error(result)) == (code, message.format(link))
        link.unlink()
        assert contents(tmp_path) == before
        link.symlink_to(name)


def test_a_report_is_not_the_template(call: Call, tmp_path: Path) -> None:
    eye, name = draw(tmp_path, "eye.png", "a.png")
    before = (tmp_path / eye).read_bytes()
    words = ["--template", tmp_path / eye, "--report", tmp_path / eye, "--force"]
    result = call("match", tmp_path / name, *words)
    assert result.code == 2
    assert one_error(result) == (
        f"{tmp_path / eye} is the template and would be overwritten; choose another --report"
    )
    assert (tmp_path / eye).read_bytes() == before


def test_only_a_report_is_gone_on_with(call: Call, tmp_path: Path) -> None:
    (name,) = draw(tmp_path, "a.png")
    precious = tmp_path / "precious"
    precious.write_bytes(b"one line\nand half of another")
    words = ["filter", tmp_path / name, "--kernel", "box", "--skip-existing", "--report", precious]
    result = call(*words)
    assert result.code == 1
    assert (
        one_error(result) == f"--report {precious} exists and is no report to go on with; give another name"
    )
    assert precious.read_bytes() == b"one line\nand half of another"


def test_a_report_of_match_has_the_sums_too(program: Program, tmp_path: Path) -> None:
    draw(tmp_path, "eye.png", "a.png")
    grey = Image.new("L", (20, 20))
    grey.save(tmp_path / "grey.png")
    run = program(
        "match", "a.png", "grey.png", "--template", "eye.png", "-o", "out/", "--report", "run.jsonl"
    )
    assert run.returncode == 1
    done, failed = sorted(lines(tmp_path / "run.jsonl"), key=lambda line: line["number"])
    for line, path, end in [
        (done, "a.png", "input"),
        (done, "out/a.png", "output"),
        (failed, "grey.png", "input"),
    ]:
        data = (tmp_path / path).read_bytes()
        assert (line[f"{end}_bytes"], line[f"{end}_sha256"]) == (len(data), hashlib.sha256(data).hexdigest())
    assert (done["input_size"], done["size"], done["frames"], done["mode"]) == ([12, 14], [1, 1], 1, "L")
    assert done["seconds"] > 0 and failed["seconds"] > 0
    assert "output_sha256" not in failed


@pytest.mark.parametrize("words", [("filter", "--kernel", "box"), ("match", "--template", "eye.png")])
def test_a_resumed_run_goes_on_with_its_report(
    program: Program, tmp_path: Path, words: tuple[str, ...]
) -> None:
    draw(tmp_path, "eye.png")
    names = draw(tmp_path / "in", *(f"{number}.png" for number in range(9)))
    for name in ("3.png", "7.png"):
        (tmp_path / "in" / name).write_bytes(b"bad")
    command, *options = words
    run = [command, "in", *options, "-o", "out/", "--skip-existing", "--report", "run.jsonl"]
    assert program(*run).returncode == 1
    draw(tmp_path / "in", *names)
    second = program(*run)
    assert second.returncode == 0, second.stderr
    assert second.stdout.count(b"\n") == 2
    first, again = lines(tmp_path / "run.jsonl")[:9], lines(tmp_path / "run.jsonl")[9:]
    assert {line["input"] for line in first if line["status"] == "failed"} == {"in/3.png", "in/7.png"}
    assert {line["input"] for line in again if line["status"] == "done"} == {"in/3.png", "in/7.png"}
    assert sum(line["status"] == "skipped" for line in again) == 7


def test_a_report_tells_of_a_file_that_cannot_be_read(program: Program, tmp_path: Path) -> None:
    draw(tmp_path, "a.png")
    unreadable = "/proc/self/mem"  # a regular file whose first byte nobody can read, not even root
    run = program("filter", unreadable, "a.png", "-k", "box", "-o", "{stem}.out.png", "--report", "run.jsonl")
    assert run.returncode == 1
    assert run.stdout == b"a.out.png\n"
    assert b"Traceback" not in run.stderr
    failed, done = sorted(lines(tmp_path / "run.jsonl"), key=lambda line: line["number"])
    assert (failed["status"], done["status"]) == ("failed", "done")
    assert failed["error"].startswith(f"cannot read {unreadable}")


def test_a_report_on_a_full_disk_ends_the_run(program: Program, tmp_path: Path) -> None:
    draw(tmp_path, "a.png", "b.png")
    code = (
        "import resource, signal, sys; from convcli.cli import main; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000)); main(sys.argv[1:])"
    )
    words = ["filter", "a.png", "b.png", "--kernel", "box", "--report", "run.jsonl"]
    (tmp_path / "run.jsonl").write_text('{"number": 0}\n' * 140)
    run = subprocess.run(
        [sys.executable, "-c", code, *words, "--force"], cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode in (0, 1)  # two lines may fit
    assert "Traceback" not in run.stderr
    assert all(lines(tmp_path / "run.jsonl"))


@pytest.mark.parametrize("name", ["a.png", "out/a.png"])
def test_a_report_is_no_picture_of_the_run(call: Call, tmp_path: Path, name: str) -> None:
    draw(tmp_path, "a.png", "b.png")
    before = contents(tmp_path)
    result = call(
        "filter", tmp_path / "a.png", tmp_path / "b.png", "--kernel", "box", "-o", f"{tmp_path}/out/",
        "--report", tmp_path / name, "--force",
    )  # fmt: skip
    assert result.code == 2
    assert one_error(result) == f"--report {tmp_path / name} is an input or an output, too; name another file"
    assert contents(tmp_path) == before


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
            "--isolate is about processes of this machine; leave it out beside --cluster",
        ),
        ("--cluster tcp://x:1 --timeout 3", "--timeout is about processes of this machine"),
        (
            "--cluster 127.0.0.1",
            "--cluster 127.0.0.1 is no address of a scheduler; write it as tcp://host:8786",
        ),
        ("--report x.jsonl --dry-run", "--report tells what was done, and --dry-run does nothing"),
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


@pytest.mark.parametrize(
    ("cores", "count", "jobs", "threads", "width", "share"),
    [
        (8, 1, None, None, 1, None),
        (8, 100, None, None, 8, 1),
        (8, 3, None, None, 3, 2),
        (8, 100, 3, None, 3, 2),
        (8, 100, 1, None, 1, None),
        (8, 100, 20, None, 20, 1),
        (8, 100, None, 3, 2, 3),
        (8, 100, 4, 3, 4, 3),
        (2, 100, None, 9, 1, 9),
    ],
)
def test_jobs_times_threads_are_no_more_than_the_cores(
    monkeypatch: pytest.MonkeyPatch,
    cores: int,
    count: int,
    jobs: int | None,
    threads: int | None,
    width: int,
    share: int | None,
) -> None:
    from convcli.cli import running

    monkeypatch.setattr(running, "cores", lambda: cores)
    options = running.Running(jobs=jobs)
    assert options.width(count, threads) == width
    assert options.share(count, threads) == share


# How loud


def test_one_picture_has_no_summary_and_many_have_one(call: Call, tmp_path: Path) -> None:
    draw(tmp_path, "a.png", "b.png")
    words = ["--kernel", "box", "--force"]
    assert call("filter", tmp_path / "a.png", *words).err == ""
    assert call("filter", tmp_path / "a.png", tmp_path / "b.png", *words).err.startswith("convcli: 2 done; ")
    assert call("filter", tmp_path / "a.png", tmp_path / "b.png", *words, "-q").err == ""


def test_v_says_how_far_it_is(call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("convcli.cli.telling.EVERY", -1.0)
    names = draw(tmp_path, "a.png", "b.png")
    words = ["filter", *(tmp_path / name for name in names), "--kernel", "box", "--force", "--jobs", "1"]
    assert ": 1 of 2, " in call(*words, "-v").err.replace("convcli", "")
    assert " of 2" not in call(*words).err


def test_a_terminal_is_shown_how_far_it_is(tmp_path: Path, faults: dict[str, str]) -> None:
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
    assert text.count("\x1b[?25l") == text.count("\x1b[?25h") > 0  # the cursor is there again
    assert text.count("error: cannot read slow4.png") == 1
    assert out.decode().split() == [f"slow{number}.box.png" for number in range(12) if number != 4]
    assert "11 done, 1 failed" in text.splitlines()[-1]


def test_one_picture_pays_for_no_machinery(tmp_path: Path) -> None:
    code = "from convcli.cli import main\ntry: main(sys.argv[1:])\nexcept SystemExit as end: assert not end.code, end.code"
    names = modules(
        code, "filter", str(SAMPLES / "house.png"), "-k", "sobel", "-o", str(tmp_path / "x.png"), "-q"
    )
    assert not names & {
        "multiprocessing.connection",
        "rich",
        "convcli.batch.crowd",
        "convcli.batch.isolated",
        "convcli.batch.cluster",
        "convcli.cli.progress",
        "convcli.jobs.report",
    }


# A cluster


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a scheduler with two workers, each a process of its own."""
    pytest.importorskip("distributed", reason="the extra convcli[cluster] is not installed")
    folder = tmp_path_factory.mktemp("cluster")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    dask = [sys.executable, "-m", "dask"]
    written = folder / "scheduler.json"
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": folder, "env": environment}
    words = ["scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--no-show"]
    processes = [subprocess.Popen([*dask, *words, "--scheduler-file", str(written)], **quiet)]
    try:
        until = time.monotonic() + 30
        while not (written.exists() and written.read_text().endswith("}")):
            assert time.monotonic() < until, "the scheduler does not start"
            time.sleep(0.1)
        address = json.loads(written.read_text())["address"]
        words = ["worker", address, "--nthreads", "1", "--no-nanny", "--no-dashboard", "--local-directory"]
        processes += [subprocess.Popen([*dask, *words, str(folder / name)], **quiet) for name in "ab"]
        yield address
    finally:
        for process in processes:  # nothing of theirs is to be kept, and a worker's farewell takes long
            process.kill()
            process.wait()


def test_a_cluster_makes_the_same_bytes(
    program: Program, tmp_path: Path, cluster: str, expected: tuple[bytes, list[str], dict[str, bytes]]
) -> None:
    out, err, made = filtered(program, tmp_path, f"--cluster {cluster}")
    assert made == expected[2]
    assert out == expected[0]
    assert err[:-1] == expected[1][:-1]


def test_a_cluster_takes_relative_names_and_standard_input(
    program: Program, tmp_path: Path, cluster: str
) -> None:
    draw(tmp_path, "a.png", "b.png")
    run = program("filter", "a.png", "b.png", "--kernel", "box", "-o", "out/", "--cluster", cluster)
    assert run.stdout.decode().splitlines() == [f"{tmp_path}/out/a.png", f"{tmp_path}/out/b.png"]
    data = (tmp_path / "a.png").read_bytes()
    runs = [
        program("filter", "-", "--kernel", "box", *options, input=data)
        for options in ([], ["--cluster", cluster])
    ]
    assert runs[0].stdout == runs[1].stdout


def test_a_cluster_that_does_not_answer_is_one_line(tmp_path: Path) -> None:
    pytest.importorskip("distributed", reason="the extra convcli[cluster] is not installed")
    draw(tmp_path, "a.png")
    with socket.socket() as nobody:  # who has the port, and does not listen
        nobody.bind(("127.0.0.1", 0))
        address = "tcp://{}:{}".format(*nobody.getsockname())
        impatient = (
            "import convcli.batch.cluster as c; c.PATIENCE = 0.5; from convcli.__main__ import run; run()"
        )
        run = subprocess.run(
            [sys.executable, "-c", impatient, "filter", "a.png", "--kernel", "box", "--cluster", address],
            cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=60,
        )  # fmt: skip
    assert run.returncode == 1
    assert run.stderr == (
        f"convcli: error: --cluster {address}: no scheduler answers there within 0.5 s; start one: dask scheduler\n"
    )


def test_a_cluster_needs_its_extra(call: Call, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    result = call(
        "filter", SAMPLES / "house.png", "--kernel", "box", "-o", tmp_path / "x.png", "--cluster", "tcp://x:1"
    )
    assert result.code == 1
    assert (
        "--cluster needs Dask, which is not installed; install the extra: pip install 'convcli[cluster]'"
        in one_error(result)
    )
