"""A picture whose decoder crashes or hangs fails, and no other picture does."""

import os
from pathlib import Path

import pytest

from convcli.jobs.file_to_file import FileToFile
from tests.conftest import ROOT, Call
from tests.runs import Program, contents, draw


def test_a_crash_fails_one_picture(program: Program, tmp_path: Path, faults: dict[str, str]) -> None:
    names = draw(
        tmp_path / "in", "0.png", "log-exit.png", "2.png", "3.png", "log-kill.png", "5.png", "once.png"
    )
    run = program(
        "filter", *(f"in/{name}" for name in names), "--kernel", "box", "-o", "out/", "--isolate", env=faults
    )
    assert run.returncode == 1
    assert sorted(os.listdir(tmp_path / "out")) == ["0.png", "2.png", "3.png", "5.png", "once.png"]
    err = run.stderr.decode()
    assert "error: in/log-exit.png: its worker process, which ran no other job, ended with exit code 3" in err
    assert "error: in/log-kill.png: its worker process, which ran no other job, was killed by SIGKILL" in err
    assert "5 done, 2 failed; " in err
    assert "Traceback" not in err
    log = (tmp_path / "log").read_text()
    assert (log.count("log-exit.png"), log.count("log-kill.png")) == (2, 2)  # each was tried twice


@pytest.mark.parametrize("jobs", ["1", "3"])
def test_a_fault_in_the_program_fails_one_picture(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jobs: str
) -> None:
    draw(tmp_path / "in", "0.png", "1.png", "2.png", "3.png")
    monkeypatch.chdir(tmp_path)
    written = FileToFile._written

    def faulty(self: FileToFile, job: object, *arguments: object) -> object:
        if job.name == "in/1.png":
            raise IndexError("tuple index out of range")
        return written(self, job, *arguments)

    monkeypatch.setattr(FileToFile, "_written", faulty)
    words = ["filter", "in", "--kernel", "box", "-o", "out/", "--jobs", jobs]
    code, _, err = call(*words, "--report", "report.jsonl", faulty=True)
    first, last = err.splitlines()
    assert code == 1
    assert first == (
        "convcli: error: in/1.png: internal error (IndexError: tuple index out of range); --debug shows the traceback; "
        "please report it"
    )
    assert last.startswith("convcli: 3 done, 1 failed; ")
    assert sorted(os.listdir("out")) == ["0.png", "2.png", "3.png"]
    assert '"status": "failed"' in Path("report.jsonl").read_text()
    err = call(*words, "--force", "--debug", faulty=True).err
    assert "in faulty\n" in err and "IndexError: tuple index out of range" in err


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
        "filter", "in", "--kernel", "box", "--in-place", "--isolate",
        env={"PYTHONPATH": f"{tmp_path / 'site'}{os.pathsep}{ROOT}"},
    )  # fmt: skip
    assert run.returncode == 1
    assert run.stderr.startswith(b"convcli: error: in/after.png: its worker process was killed by SIGKILL")
    assert b"had begun to write" in run.stderr
    assert run.stdout.split() == [b"in/0.png", b"in/2.png"]
    assert {name: (tmp_path / "in" / name).read_bytes() for name in names} == contents(tmp_path / "once")


def test_a_decoder_that_loops_is_stopped(program: Program, tmp_path: Path, faults: dict[str, str]) -> None:
    draw(tmp_path, "a.png", "log-loop.png", "b.png")
    run = program("filter", "a.png", "log-loop.png", "b.png", "--kernel", "box", "--timeout", "1", env=faults)
    assert run.returncode == 1
    assert run.stdout == b"a.box.png\nb.box.png\n"
    assert (
        b"error: log-loop.png: it took longer than 1 s and was stopped; allow more time, or use a smaller"
        in run.stderr
    )
    assert (tmp_path / "log").read_text() == "log-loop.png"  # the failing picture is known
