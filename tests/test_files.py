"""A path holds the whole old file, the whole new one, or nothing."""

import errno
import os
import stat
from pathlib import Path

import pytest

from convcli.files import WriteError, write_whole


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
    with pytest.raises(WriteError, match="old exists; give --force to replace it, or another -o"):
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


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("step", ["fsync", "write", "place"])
def test_a_failure_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, overwrite: bool
) -> None:
    path = tmp_path / "picture"
    if overwrite:
        path.write_bytes(b"old")

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    if step == "fsync":
        monkeypatch.setattr(os, "fsync", full)
    elif step == "write":
        real = os.fdopen

        class Full:
            def __init__(self, handle: int, mode: str) -> None:
                self.file = real(handle, mode)

            def __enter__(self) -> "Full":
                return self

            def __exit__(self, *_: object) -> None:
                self.file.close()

            write = full

        monkeypatch.setattr(os, "fdopen", Full)
    else:
        monkeypatch.setattr(Path, "replace", full)
        monkeypatch.setattr(Path, "hardlink_to", full)
    with pytest.raises(WriteError, match=r"cannot write .*picture: No space left on device"):
        write_whole(path, b"new", overwrite=overwrite)
    assert os.listdir(tmp_path) == (["picture"] if overwrite else [])
    assert not overwrite or path.read_bytes() == b"old"


def test_a_folder_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(WriteError, match="it is a folder; end it with / to write into it"):
        write_whole(tmp_path, b"data", overwrite=True)


def test_what_is_no_regular_file_is_never_replaced(tmp_path: Path) -> None:
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
        WriteError, match=r"cannot write .*file/sub/x: its folder cannot be made: Not a directory"
    ):
        write_whole(tmp_path / "file/sub/x", b"data", overwrite=False)


def test_a_name_of_255_bytes_fits(tmp_path: Path) -> None:
    write_whole(tmp_path / ("x" * 255), b"data", overwrite=False)
    assert os.listdir(tmp_path) == ["x" * 255]
