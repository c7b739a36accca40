"""A path always has the complete old file, the complete new one, or none."""

import errno
import fcntl
import os
import stat
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from convcli import files
from convcli.files import WriteError, flush_folders, write_whole
from convcli.jobs.job import DASH, Source
from convcli.jobs.save import Save
from convcli.remote_files import file_path
from tests.conftest import Call
from tests.paths import ROOT


def test_a_new_file_has_the_mode_that_the_umask_leaves(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_whole(tmp_path / "new", b"data", overwrite=False)
    finally:
        os.umask(before)
    assert (tmp_path / "new").read_bytes() == b"data"
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o640


def test_a_replaced_file_keeps_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "old"
    path.write_bytes(b"old")
    path.chmod(0o604)
    write_whole(path, b"new", overwrite=True)
    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o604


def test_missing_folders_are_made(tmp_path: Path) -> None:
    write_whole(tmp_path / "a/b/c", b"data", overwrite=False)
    assert (tmp_path / "a/b/c").read_bytes() == b"data"


def test_an_existing_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "old"
    path.write_bytes(b"old")
    with pytest.raises(WriteError, match="old exists; give `force=True` to replace it, or another `output`"):
        write_whole(path, b"new", overwrite=False)
    assert path.read_bytes() == b"old"


def test_a_file_that_appears_meanwhile_is_not_overwritten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "late"
    fsync = os.fsync

    def appear(handle: int) -> None:
        path.write_bytes(b"somebody else's")
        fsync(handle)

    monkeypatch.setattr(os, "fsync", appear)
    with pytest.raises(WriteError, match="exists"):
        write_whole(path, b"ours", overwrite=False)
    assert path.read_bytes() == b"somebody else's"
    assert os.listdir(tmp_path) == ["late"]


def test_without_hard_links_a_new_file_is_still_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(errno.EPERM, "no links here")

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    write_whole(tmp_path / "new", b"data", overwrite=False)
    assert (tmp_path / "new").read_bytes() == b"data"
    assert os.listdir(tmp_path) == ["new"]


# Any failing system call at any time

OPERATIONS = (
    "open write fsync fchmod fchown utime close link replace unlink mkdir stat fstat scandir flock"
).split()
CASES = ["new", "folder", "replace", "preserve", "owner"]
PLACES = {"flock": "fcntl"}
ERRORS = [errno.ENOSPC, errno.EIO, errno.EACCES, errno.EINTR]
SHORT = 0  # no error: a write that writes only a part
# Failures without an error: locks and scans are optional, and an unneeded temporary file is removed later.
HARMLESS = {"flock", "scandir", "unlink", "stat", "fchown"}


class Faults:
    """Makes the k-th call of an operation of the system fail, and counts all calls."""

    def __init__(self, patch: pytest.MonkeyPatch, operation: str, error: int, number: int) -> None:
        self.calls = 0
        module = sys.modules[PLACES.get(operation, "os")]
        self.real = getattr(module, operation)
        self.operation, self.error, self.number = operation, error, number
        patch.setattr(module, operation, self)

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        self.calls += 1
        if self.calls != self.number:
            return self.real(*arguments, **options)
        if self.error == SHORT:
            return self.real(arguments[0], arguments[1][: len(arguments[1]) // 2])
        if self.operation == "close":  # which closes the file nevertheless
            self.real(*arguments, **options)
        raise OSError(self.error, os.strerror(self.error))


def faulty(case: str, path: Path, operation: str, error: int, number: int) -> int:
    """Write with one fault; return how often the operation was called."""
    like = Path(__file__).stat() if case == "preserve" else None
    files._swept.clear()
    with pytest.MonkeyPatch.context() as patch:
        if case == "owner":
            patch.setattr(os, "geteuid", lambda: -1)
        faults = Faults(patch, operation, error, number)
        failed = None
        try:
            write_whole(path, b"new" * 9, overwrite=case not in ("new", "folder"), like=like)
        except WriteError as caught:
            failed = str(caught)
    if failed is None:
        assert path.read_bytes() == b"new" * 9
        passed_over = operation in HARMLESS or (operation, error) in (
            ("open", errno.EACCES),
            ("write", SHORT),
        )
        assert faults.calls < number or passed_over or operation == "link"  # which replace is used instead of
    else:
        assert faults.calls >= number
        assert failed.startswith(f"cannot write {path}: ")
        assert os.strerror(error) in failed
        assert len(failed.splitlines()) == 1
    return faults.calls


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_any_failure_at_any_time_leaves_old_or_new_and_nothing_else(
    tmp_path: Path, operation: str, case: str
) -> None:
    for error in [*ERRORS, SHORT][: 5 if operation == "write" else 4]:
        number, calls = 1, 1
        while number <= calls:
            folder = tmp_path / f"{errno.errorcode.get(error)}{number}"
            folder.mkdir()
            path = folder / "sub" / "picture" if case == "folder" else folder / "picture"
            if case not in ("new", "folder"):
                path.write_bytes(b"old")
            calls = faulty(case, path, operation, error, number)
            if operation != "unlink":
                assert os.listdir(path.parent) in ([], ["picture"]) if path.parent.exists() else [[]]
            if path.exists():
                assert path.read_bytes() in (b"old", b"new" * 9)
            else:
                assert case in ("new", "folder")
            number += 1


def test_every_operation_is_tested(tmp_path: Path) -> None:
    reached = {}
    for operation in OPERATIONS:
        for case in CASES:
            path = tmp_path / f"{operation}-{case}" / "picture"
            if case != "folder":
                path.parent.mkdir()
            if case not in ("new", "folder"):
                path.write_bytes(b"old")
            reached[operation, case] = faulty(case, path, operation, errno.EIO, 99)
    assert {operation for (operation, _), calls in reached.items() if calls} == set(OPERATIONS)
    assert reached["fsync", "replace"] == 2
    assert reached["fsync", "folder"] == 3
    assert reached["replace", "replace"] == reached["link", "new"] == reached["utime", "preserve"] == 1


def test_a_written_part_is_followed_by_the_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = os.write
    monkeypatch.setattr(os, "write", lambda handle, data: write(handle, data[:3]))
    write_whole(tmp_path / "new", b"0123456789", overwrite=False)
    assert (tmp_path / "new").read_bytes() == b"0123456789"


@pytest.mark.parametrize(
    ("number", "hint"),
    [
        (errno.ENOSPC, "No space left on device; free some space there, or write elsewhere with `output`"),
        (errno.EFBIG, "File too large; the size of files is limited here; raise the limit (ulimit -f)"),
        (errno.EACCES, "Permission denied; write into another folder with `output`"),
        (errno.EIO, "Input/output error"),
    ],
)
def test_an_error_suggests_a_remedy(tmp_path: Path, number: int, hint: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        Faults(patch, "write", number, 1)
        with pytest.raises(WriteError) as error:
            write_whole(tmp_path / "new", b"data", overwrite=False)
    assert str(error.value) == f"cannot write {tmp_path / 'new'}: {hint}"


def test_a_folder_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(WriteError, match="it is a folder; end it with / to write into it"):
        write_whole(tmp_path, b"data", overwrite=True)


def test_only_regular_files_are_replaced(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"old")
    (tmp_path / "link").symlink_to(tmp_path / "file")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    os.mkfifo(tmp_path / "pipe")
    for name, why in (
        ("link", "it is a link"),
        ("loop", "it is a link"),
        ("pipe", "it is a device or a pipe"),
    ):
        with pytest.raises(WriteError, match=f"cannot write .*{name}: {why}"):
            write_whole(tmp_path / name, b"data", overwrite=True)
    assert (tmp_path / "file").read_bytes() == b"old"
    assert sorted(os.listdir(tmp_path)) == ["file", "link", "loop", "pipe"]


def test_a_folder_that_is_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"old")
    with pytest.raises(
        WriteError, match=r"cannot write .*file/sub/x: its folder cannot be created: Not a directory"
    ):
        write_whole(tmp_path / "file/sub/x", b"data", overwrite=False)


def test_a_name_of_255_bytes_fits(tmp_path: Path) -> None:
    write_whole(tmp_path / ("x" * 255), b"data", overwrite=False)
    assert os.listdir(tmp_path) == ["x" * 255]


# Links


def test_a_link_is_followed_on_request(tmp_path: Path) -> None:
    (tmp_path / "far").mkdir()
    (tmp_path / "far/file").write_bytes(b"old")
    (tmp_path / "middle").symlink_to("far/file")
    (tmp_path / "link").symlink_to(tmp_path / "middle")
    write_whole(tmp_path / "link", b"new", overwrite=True, follow_links=True)
    assert (tmp_path / "far/file").read_bytes() == b"new"
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "middle").is_symlink()
    with pytest.raises(WriteError, match="link exists; give `force=True`"):
        write_whole(tmp_path / "link", b"newer", overwrite=False, follow_links=True)


def test_a_dangling_link_creates_its_target(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("far/file")
    write_whole(tmp_path / "link", b"new", overwrite=False, follow_links=True)
    assert (tmp_path / "far/file").read_bytes() == b"new"
    assert (tmp_path / "link").is_symlink()


def test_links_that_cannot_be_followed(tmp_path: Path) -> None:
    (tmp_path / "one").symlink_to("other")
    (tmp_path / "other").symlink_to("one")
    (tmp_path / "folder").symlink_to(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "piped").symlink_to("pipe")
    for name, why in (
        ("one", "it is a link that leads to itself; remove it"),
        ("folder", "it is a folder"),
        ("piped", "it is a device or a pipe"),
    ):
        with pytest.raises(WriteError, match=f"cannot write .*{name}: {why}"):
            write_whole(tmp_path / name, b"data", overwrite=True, follow_links=True)
    assert sorted(os.listdir(tmp_path)) == ["folder", "one", "other", "pipe", "piped"]


# Modes, times and owners


def test_the_mode_and_times_of_another_file(tmp_path: Path) -> None:
    source, path = tmp_path / "source", tmp_path / "path"
    source.touch()
    source.chmod(0o640)
    path.touch(0o600)
    os.utime(source, ns=(1_000_000_007, 2_000_000_009))
    write_whole(path, b"data", overwrite=True, like=source.stat())
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert path.stat().st_mtime_ns == 2_000_000_009


def test_only_permissions_are_copied(tmp_path: Path) -> None:
    path = tmp_path / "path"
    path.touch()
    path.chmod(0o6755)
    write_whole(path, b"data", overwrite=True)
    assert stat.S_IMODE(path.stat().st_mode) == 0o755


def test_a_private_file_is_private_at_every_moment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "secret"
    path.touch(0o600)
    write = os.write

    def look(handle: int, data: bytes) -> int:
        assert stat.S_IMODE(os.fstat(handle).st_mode) == 0o600
        return write(handle, data)

    monkeypatch.setattr(os, "write", look)
    write_whole(path, b"data", overwrite=True)
    assert path.read_bytes() == b"data"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
def test_a_replaced_file_keeps_its_owner(tmp_path: Path) -> None:
    path = tmp_path / "theirs"
    path.touch()
    os.chown(path, 1234, 5678)
    write_whole(path, b"data", overwrite=True)
    assert (path.stat().st_uid, path.stat().st_gid) == (1234, 5678)


# Files left by killed processes

NAMES = [
    f".convcli-{files._HOST}-{1:016x}.tmp",
    f".convcli-0123abcd-{2:016x}.tmp",
]  # of this user, and of others


@pytest.fixture
def litter(tmp_path: Path) -> list[Path]:
    """Abandoned temporary files."""
    for name in NAMES:
        (tmp_path / name).write_bytes(b"half")
    return [tmp_path / name for name in NAMES]


def test_abandoned_files_are_removed(tmp_path: Path, litter: list[Path]) -> None:
    ours, foreign = litter
    write_whole(tmp_path / "first", b"data", overwrite=False)
    assert not ours.exists()
    assert foreign.exists()  # its lock may be invisible here
    os.utime(foreign, (0, 0))
    files._swept.clear()
    write_whole(tmp_path / "second", b"data", overwrite=False)
    assert sorted(os.listdir(tmp_path)) == ["first", "second"]


def test_files_that_are_being_written_are_not_removed(tmp_path: Path, litter: list[Path]) -> None:
    for path in litter:
        os.utime(path, (0, 0))
    with litter[0].open() as one, litter[1].open() as other:
        fcntl.flock(one, fcntl.LOCK_EX)
        fcntl.flock(other, fcntl.LOCK_EX)
        write_whole(tmp_path / "new", b"data", overwrite=False)
        assert all(path.exists() for path in litter)


def test_without_locks_only_old_files_are_removed(
    tmp_path: Path, litter: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", unknown)
    os.utime(litter[1], (0, 0))
    write_whole(tmp_path / "new", b"data", overwrite=False)
    assert sorted(os.listdir(tmp_path)) == sorted([NAMES[0], "new"])


def test_only_files_of_this_user_are_removed(tmp_path: Path) -> None:
    names = [
        ".convcli-.tmp",
        ".convcli-x.tmp",
        f"{NAMES[0]}.png",
        NAMES[0][1:],
        NAMES[0].replace(".tmp", ".TMP"),
    ]
    for name in names:
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (0, 0))
    (tmp_path / NAMES[0]).symlink_to(names[0])
    os.mkfifo(tmp_path / NAMES[1])
    os.utime(tmp_path / NAMES[1], (0, 0))
    write_whole(tmp_path / "new", b"data", overwrite=False)
    assert sorted(os.listdir(tmp_path)) == sorted([*names, *NAMES, "new"])


def test_a_file_removed_before_it_was_locked_is_written_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flock, calls = fcntl.flock, []

    def swept(handle: int, how: int) -> None:
        calls.append(how)
        if len(calls) == 1:  # the other process removes the file first
            (path,) = tmp_path.iterdir()
            path.unlink()
        if len(calls) == 2:  # the other process holds the lock
            raise BlockingIOError(errno.EWOULDBLOCK, "held")
        flock(handle, how)

    monkeypatch.setattr(fcntl, "flock", swept)
    write_whole(tmp_path / "new", b"data", overwrite=False)
    assert len(calls) == 3
    assert os.listdir(tmp_path) == ["new"]
    assert (tmp_path / "new").read_bytes() == b"data"


def test_many_writers_and_sweepers_of_one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, contents = tmp_path / "same", [bytes([number]) * 50_000 for number in range(8)]

    class Never(set):
        def add(self, _: object) -> None:
            """Remove abandoned files each time."""

    monkeypatch.setattr(files, "_swept", Never())
    seen: list[bytes] = []

    def work(data: bytes) -> None:
        for _ in range(20):
            write_whole(path, data, overwrite=True)
            seen.append(path.read_bytes())

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, contents))
    assert len(seen) == 160
    assert all(data in contents for data in seen)
    assert os.listdir(tmp_path) == ["same"]


def test_one_of_many_writers_of_a_new_file_wins(tmp_path: Path) -> None:
    def work(number: int) -> bool:
        try:
            write_whole(tmp_path / "same", bytes([number]), overwrite=False)
        except WriteError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(work, range(8)))
    assert won.count(True) == 1
    assert (tmp_path / "same").read_bytes() == bytes([won.index(True)])
    assert os.listdir(tmp_path) == ["same"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_in(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(WriteError, match="Permission denied; write into another folder with `output`"):
        write_whole(tmp_path / "new", b"data", overwrite=False)


def test_a_folder_that_is_removed_meanwhile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    monkeypatch.setattr(files, "_make", lambda _: folder.rmdir())
    with pytest.raises(
        WriteError, match="No such file or directory; its folder was removed during the run; run it again"
    ):
        write_whole(folder / "new", b"data", overwrite=False)
    assert os.listdir(tmp_path) == []


# The names of many files, flushed once per folder


def test_a_name_may_be_flushed_later_once_for_each_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced = []
    fsync = os.fsync

    def count(handle: int) -> None:
        synced.append(stat.S_ISDIR(os.fstat(handle).st_mode))
        fsync(handle)

    monkeypatch.setattr(os, "fsync", count)
    for name in "abc":
        write_whole(tmp_path / name, b"data", overwrite=False, flush_name=False)
    assert synced == [False] * 3
    flush_folders([tmp_path, tmp_path, tmp_path / "not there"])
    assert synced == [False] * 3 + [True]


def test_names_that_cannot_be_flushed_are_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", mock.Mock(side_effect=OSError(errno.EIO, os.strerror(errno.EIO))))
    with pytest.raises(WriteError) as caught:
        flush_folders([tmp_path])
    assert str(caught.value) == (
        f"cannot flush the names of the files in {tmp_path} to the disk: Input/output error; the files are complete, "
        "but may be missing after a power failure"
    )


def test_a_run_flushes_the_names_of_its_outputs_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: Call
) -> None:
    flushed = []
    monkeypatch.setattr(files, "_sync", flushed.append)
    inputs = [str(ROOT / "sample_images" / name) for name in ("logo.png", "ramp16.png")]
    line = ["--kernel", "box", "--jobs", 1, "-o"]
    assert call("filter", *inputs, *line, f"{tmp_path}/").code == 0
    assert flushed == [tmp_path]
    flushed.clear()
    assert call("filter", inputs[0], *line, tmp_path / "one.png").code == 0
    assert flushed == [tmp_path]  # with its file, as nothing follows
    flushed.clear()
    assert call("filter", *inputs, *line, f"{tmp_path}/dry/", "--dry-run").code == 0
    Save().flush([Source(Path(name)).to(DASH) for name in inputs])  # such as those of --show
    flush_folders([file_path("memory://out")])
    assert flushed == []
    (tmp_path / "far").mkdir()
    for name in ("logo.png", "ramp16.png"):
        (tmp_path / "far" / name).touch()
        (tmp_path / name).unlink()
        (tmp_path / name).symlink_to(tmp_path / "far" / name)
    assert call("filter", *inputs, *line, f"{tmp_path}/", "--force", "--follow-links").code == 0
    assert flushed == [tmp_path / "far"]


def test_only_a_run_of_several_pictures_keeps_freed_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: Call
) -> None:
    kept = []
    monkeypatch.setattr("convcli.cli.file_run.keep_freed", lambda: kept.append(True))
    inputs = [str(ROOT / "sample_images" / name) for name in ("logo.png", "ramp16.png")]
    assert call("filter", inputs[0], "--kernel", "box", "-o", tmp_path / "one.png").code == 0
    assert kept == []
    assert call("filter", *inputs, "--kernel", "box", "--jobs", 1, "-o", f"{tmp_path}/").code == 0
    assert kept == [True]
