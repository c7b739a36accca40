"""Outputs of the program: preserved attributes, rejected targets, and what signals and full disks leave behind."""

import ctypes
import os
import random
import resource
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from convcli import files
from convcli.images.read import read_picture
from tests.conftest import ROOT, Call, one_error

Program = Callable[..., subprocess.CompletedProcess[bytes]]

KILLED_AT = range(1, 96, 5)  # of a hundred calls
PR_CAPBSET_DROP, CAP_DAC_OVERRIDE = 24, 1  # linux/prctl.h, linux/capability.h


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.png"
    noise = np.random.default_rng(1).integers(0, 256, (60, 80, 3), dtype=np.uint8)
    Image.fromarray(noise).save(path)
    return path


# What is kept


def test_preserve_keeps_times_and_mode(call: Call, photo: Path, tmp_path: Path) -> None:
    photo.chmod(0o640)
    os.utime(photo, ns=(1_000_000_000_000_000_001, 1_100_000_000_000_000_003))
    target = tmp_path / "out.png"
    assert call("filter", photo, "-k", "box", "-o", target, "--preserve").code == 0
    assert target.stat().st_mtime_ns == 1_100_000_000_000_000_003
    assert stat.S_IMODE(target.stat().st_mode) == 0o640
    other = tmp_path / "other.png"
    assert call("filter", photo, "-k", "box", "-o", other).code == 0
    assert other.stat().st_mtime_ns > 1_100_000_000_000_000_003
    assert call("match", photo, "--template", photo, "-o", other, "--force", "--preserve").code == 0
    assert other.stat().st_mtime_ns == 1_100_000_000_000_000_003


@pytest.mark.parametrize(
    ("words", "what"), [(["-", "-o", "x.png"], "standard input"), (["PHOTO", "-o", "-"], "standard output")]
)
def test_preserve_needs_files(call: Call, photo: Path, words: list[str], what: str) -> None:
    result = call(
        "filter", *(photo if word == "PHOTO" else word for word in words), "-k", "box", "--preserve"
    )
    assert result.code == 2
    assert (
        one_error(result)
        == f"--preserve keeps the times and the mode of files and does not apply to {what}; leave it out"
    )


def test_links_are_written_through_only_if_asked(call: Call, photo: Path, tmp_path: Path) -> None:
    (tmp_path / "file.png").write_bytes(b"old")
    link = tmp_path / "link.png"
    link.symlink_to("file.png")
    result = call("filter", photo, "-k", "box", "-o", link, "--force")
    assert (result.code, one_error(result)) == (
        1,
        f"cannot write {link}: it is a link; name the file that it points to",
    )
    assert call("filter", photo, "-k", "box", "-o", link, "--follow-links").code == 1  # and --force
    assert (tmp_path / "file.png").read_bytes() == b"old"
    assert call("filter", photo, "-k", "box", "-o", link, "--force", "--follow-links").code == 0
    assert link.is_symlink()
    assert read_picture(tmp_path / "file.png").frames[0].pixels.shape == (60, 80, 3)


def test_a_link_to_the_input_is_the_input(call: Call, photo: Path, tmp_path: Path) -> None:
    before = photo.read_bytes()
    (tmp_path / "link.png").symlink_to(photo)
    result = call("filter", photo, "-k", "box", "-o", tmp_path / "link.png", "--force", "--follow-links")
    assert result.code == 2
    assert "is an input and would be overwritten" in one_error(result)
    assert photo.read_bytes() == before


# Limits, full disks, unusual targets


def failure(done: subprocess.CompletedProcess[bytes]) -> str:
    """Return the error line of a run that failed."""
    assert (done.returncode, done.stdout) == (1, b"")
    (line,) = done.stderr.decode().splitlines()
    assert line.startswith("convcli: error: ")
    return line.removeprefix("convcli: error: ")


@pytest.mark.parametrize("name", ["out.png", "out.jpg"])
def test_a_limit_on_file_sizes_is_one_error_line(
    name: str, program: Program, photo: Path, tmp_path: Path
) -> None:
    done = program(
        "filter", "photo.png", "-k", "identity", "-o", name,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096)),
        env={"PYTHONDONTWRITEBYTECODE": "1"},
    )  # fmt: skip
    assert failure(done) == (
        f"cannot write {name}: File too large; the size of files is limited here; raise the limit (ulimit -f)"
    )
    assert os.listdir(tmp_path) == ["photo.png"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_a_full_disk_at_the_end_of_the_picture(photo: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "convcli", "filter", "photo.png", "-k", "box", "-o", "-"],
            cwd=photo.parent,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=full,
            stderr=subprocess.PIPE,
            timeout=60,
            check=False,
        )
    assert done.returncode == 1
    (line,) = done.stderr.decode().splitlines()
    assert line == "convcli: error: cannot write to standard output: No space left on device"


def test_devices_are_not_replaced(program: Program, photo: Path, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    assert failure(program("filter", "photo.png", "-k", "box", "-o", "pipe.png", "--force")) == (
        "cannot write pipe.png: it is a device or a pipe; write to - and redirect that"
    )


def test_a_read_only_folder_is_one_error_line(program: Program, photo: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir(0o555)

    def powerless() -> None:
        if os.geteuid() == 0:  # which modes do not restrict while it has this capability
            ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, 0, 0, 0)

    done = program("filter", "photo.png", "-k", "box", "-o", "out/", preexec_fn=powerless)
    assert failure(done) == "cannot write out/photo.png: Permission denied; write into another folder with -o"
    assert os.listdir(tmp_path / "out") == []


@pytest.mark.parametrize(
    "name", [b"a\nb.png", b"\xff\xfe.png", b"-o.png", b" .png", b"x" * 251 + b".png", "🙂é.png".encode()]
)
def test_names_of_any_bytes(program: Program, photo: Path, tmp_path: Path, name: bytes) -> None:
    out = tmp_path / "out"
    photo.rename(tmp_path / os.fsdecode(name))
    command = ["filter", "-k", "box", "-o", "out/", "--", os.fsdecode(name)]
    done = program(*command)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout == b"out/" + name + b"\n"
    assert os.listdir(os.fsencode(out)) == [name]
    assert len(program(*command).stderr.splitlines()) == 1
    assert program(*command[:1], "--force", *command[1:]).returncode == 0
    assert os.listdir(os.fsencode(out)) == [name]


# Signals, and concurrent runs


@pytest.fixture(scope="module")
def album(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Enough pictures to end a run in the middle."""
    folder = tmp_path_factory.mktemp("album")
    rng = np.random.default_rng(2)
    for number in range(16):
        noise = rng.integers(0, 256, (96, 128, 3), dtype=np.uint8)
        Image.fromarray(noise).save(folder / f"{number}.png")
    return folder


def batch(
    album: Path, out: Path, *options: str, existing: str = "--force", **environment: str
) -> subprocess.Popen[bytes]:
    """Start a run over the album; `out` ends in a slash."""
    pictures = sorted(str(path) for path in album.glob("*.png"))
    command = [
        sys.executable,
        "-m",
        "convcli",
        "filter",
        *pictures,
        "-k",
        "box",
        "-q",
        "-o",
        f"{out}/",
        existing,
        *options,
    ]
    return subprocess.Popen(
        command,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def tree(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()} if folder.exists() else {}


@pytest.fixture(scope="module")
def undisturbed(album: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    out = tmp_path_factory.mktemp("undisturbed")
    run = batch(album, out)
    assert run.communicate(timeout=60)[1] == b""
    found = tree(out)
    assert sorted(found) == sorted(os.listdir(album))
    return found


def begun(run: subprocess.Popen[bytes], out: Path) -> None:
    """Wait until something is written, or the run has ended."""

    def there() -> set[tuple[str, int]]:
        return {(entry.name, entry.inode()) for entry in os.scandir(out)}

    before, deadline = there(), time.monotonic() + 30
    while run.poll() is None and there() <= before and time.monotonic() < deadline:
        time.sleep(0.001)


# Put on the path of the program: it is killed before its nth call on files, counted from the first write.
KILL_SCRIPT = """
import itertools, os, signal
calls, began = itertools.count(1), False
def mortal(whole):
    def call(*arguments, **options):
        global began
        began = began or ".convcli-" in str(arguments[0])
        if began and next(calls) == int(os.environ["NTH"]): os.kill(os.getpid(), signal.SIGKILL)
        return whole(*arguments, **options)
    return call
for name in ("open", "write", "fsync", "fchmod", "link", "replace", "unlink", "close"):
    setattr(os, name, mortal(getattr(os, name)))
"""


def test_killed_at_any_time_each_output_is_absent_or_whole(
    album: Path, undisturbed: dict[str, bytes], tmp_path: Path
) -> None:
    out, site = tmp_path / "out", tmp_path / "site"
    for folder in (out, site):
        folder.mkdir()
    (site / "sitecustomize.py").write_text(KILL_SCRIPT)
    partial = litter = 0
    for attempt, nth in enumerate(KILLED_AT):
        for name in undisturbed:  # the killed run has left its temporary file
            (out / name).unlink(missing_ok=True)
            if attempt % 2:
                (out / name).write_bytes(b"old")
        run = batch(album, out, "--jobs", "3", NTH=str(nth), PYTHONPATH=f"{site}{os.pathsep}{ROOT}")
        run.communicate(timeout=60)
        assert run.returncode == -signal.SIGKILL
        found = tree(out)
        temporary = {name for name in found if name.startswith(".convcli-")}
        for name in found.keys() - temporary:
            assert found[name] == undisturbed[name] or (attempt % 2 and found[name] == b"old"), name
        partial += 0 < sum(found.get(name) == data for name, data in undisturbed.items()) < len(undisturbed)
        litter += bool(temporary)
    for name, data in tree(out).items():
        if data == b"old":
            (out / name).unlink()
    run = batch(album, out, existing="--skip-existing")
    assert run.communicate(timeout=60)[1] == b""
    assert tree(out) == undisturbed
    assert partial >= len(KILLED_AT) // 2, "the runs were not killed in the midst of it"
    assert litter, "no run was killed while it wrote"


@pytest.mark.parametrize("words", [("filter", "-k", "box"), ("match", "--template", "eye.png")])
def test_a_resumed_run_without_work_removes_temporary_files(
    program: Program, photo: Path, tmp_path: Path, words: tuple[str, ...]
) -> None:
    (tmp_path / "eye.png").write_bytes(photo.read_bytes())
    command, *options = words
    run = [command, photo, *options, "-o", "out/", "--skip-existing"]
    assert program(*run).returncode == 0
    (tmp_path / "out" / f".convcli-{files._HOST}-{1:016x}.tmp").write_bytes(b"half")
    assert program(*run, "--dry-run").returncode == 0
    assert len(os.listdir(tmp_path / "out")) == 2
    assert program(*run).returncode == 0
    assert os.listdir(tmp_path / "out") == [photo.name]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_leaves_no_partial_output(
    album: Path, undisturbed: dict[str, bytes], tmp_path: Path, number: signal.Signals
) -> None:
    rng = random.Random(4)
    for attempt in range(4):
        out = tmp_path / f"out{attempt}"
        out.mkdir()
        run = batch(album, out)
        begun(run, out)
        time.sleep(rng.uniform(0, 0.06))
        run.send_signal(number)
        run.communicate(timeout=30)
        assert run.returncode in (128 + number, 0)
        assert all(undisturbed[name] == data for name, data in tree(out).items())


def test_two_runs_that_write_the_same_files(
    album: Path, undisturbed: dict[str, bytes], tmp_path: Path
) -> None:
    runs = [batch(album, tmp_path / "out") for _ in range(2)]
    for run in runs:
        assert run.communicate(timeout=60)[1] == b""
        assert run.returncode == 0
    assert tree(tmp_path / "out") == undisturbed
