"""The report of a run: a line of JSON for each picture, on disk as soon as the picture is done."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from tests.conftest import ROOT, Call, one_error
from tests.runs import Program, contents, draw, lines


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
        == f"--report {report} exists; give --force to replace it, --skip-existing to continue it, or another name"
    )
    assert report.read_text() == "precious"
    assert not (tmp_path / "out.png").exists()
    assert call(*words, "--force").code == 0
    (line,) = lines(report)
    assert line["status"] == "done"


def test_a_resumed_report_continues_after_its_last_whole_line(tmp_path: Path) -> None:
    from convcli.batch.outcome import Outcome
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
        ("a.png", 2, "--report {} is also an input or an output; name another file"),
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


def test_only_a_report_is_continued(call: Call, tmp_path: Path) -> None:
    (name,) = draw(tmp_path, "a.png")
    precious = tmp_path / "precious"
    precious.write_bytes(b"one line\nand half of another")
    words = ["filter", tmp_path / name, "--kernel", "box", "--skip-existing", "--report", precious]
    result = call(*words)
    assert result.code == 1
    assert (
        one_error(result)
        == f"--report {precious} exists and is not a report that can be continued; give another name"
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
def test_a_resumed_run_continues_its_report(program: Program, tmp_path: Path, words: tuple[str, ...]) -> None:
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


def test_a_report_includes_files_that_cannot_be_read(program: Program, tmp_path: Path) -> None:
    draw(tmp_path, "a.png")
    unreadable = "/proc/self/mem"  # a regular file whose first byte cannot be read, even by root
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
    assert one_error(result) == f"--report {tmp_path / name} is also an input or an output; name another file"
    assert contents(tmp_path) == before
