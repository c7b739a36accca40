"""Test pictures of other projects: valid ones pass through unchanged, damaged and malicious ones give one error line.

PngSuite is tested in every run, the thousand files of Pillow with `pytest -m corpora` or `make corpora`.
"""

import importlib.util
import io
import os
import re
import resource
import subprocess
import sys
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from convcli.images.coding import Coded
from convcli.images.formats import FORMATS
from convcli.images.picture import Frame, ImageError, Picture
from convcli.images.read import read_picture
from tests.conftest import ROOT, Call
from tests.images.corpora import CannotFetchError, fetch

ENDINGS = {ending for form in FORMATS.values() for ending in form.endings}
MEMORY = 6 << 30  # bytes of address space for a malicious file
LOSS = 5  # mean difference out of 255, as chroma is written at half the resolution
SECONDS = 300  # for a folder of files


def corpus(name: str) -> Path:
    try:
        return fetch(name)
    except CannotFetchError as error:
        pytest.skip(str(error))


# PngSuite


@pytest.fixture(scope="module")
def suite() -> Path:
    return corpus("pngsuite")


def loaded(suite: Path, name: str) -> ModuleType:
    """Import a module of pypng from its path."""
    spec = importlib.util.spec_from_file_location(name, suite / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, name, module)  # it imports itself from there
        spec.loader.exec_module(module)
    return module


def by_another_reader(reader: ModuleType, data: bytes) -> np.ndarray:
    """The pixels that pypng finds: palettes and transparent colours expanded, fewer than 8 bits scaled to 8."""
    source = reader.Reader(bytes=data)
    source.preamble()
    source.sbit = None  # the number of significant bits does not change the samples
    width, height, rows, info = source.asDirect()
    top = 2 ** info["bitdepth"] - 1
    pixels = np.array([list(row) for row in rows]).reshape(height, width, info["planes"])
    return pixels if top >= 255 else pixels * 255 // top


def test_png_suite_passes_unchanged(suite: Path, call: Call, tmp_path: Path) -> None:
    reader, files = loaded(suite, "png"), loaded(suite, "pngsuite").png
    assert len(files) >= 28
    (tmp_path / "in").mkdir()
    for name, data in files.items():
        (tmp_path / "in" / f"{name}.png").write_bytes(data)
    inputs = [tmp_path / "in" / f"{name}.png" for name in files]
    result = call("filter", *inputs, "--kernel", "identity", "-o", f"{tmp_path}/out/")
    assert result.code == 0
    *notes, summary = result.err.splitlines()
    assert re.fullmatch(r"convcli: 28 done; \S+ megapixels per second", summary)
    assert {note.rpartition(".png: ")[2] for note in notes} == {"left out: the PNG chunk sBIT"}
    for path in inputs:
        before, after = read_picture(path), read_picture(tmp_path / "out" / path.name)
        (frame,) = before.frames
        wanted = by_another_reader(reader, path.read_bytes())
        assert (frame.pixels.reshape(wanted.shape) == wanted).all(), path.name
        assert frame.pixels.dtype == ("uint16" if path.read_bytes()[24] == 16 else "uint8"), path.name
        assert differences(before, after) == [], path.name


def test_damage_in_any_byte_is_one_error_or_a_picture(suite: Path) -> None:
    rng = np.random.default_rng(1)
    for name, data in loaded(suite, "pngsuite").png.items():
        for place in rng.integers(8, len(data), 12):
            damaged = bytearray(data)
            damaged[place] ^= rng.integers(1, 256)
            try:
                assert read_picture(io.BytesIO(bytes(damaged))).frames, name
            except ImageError as error:
                assert len(str(error).splitlines()) == 1


# Pillow's


def differences(before: Picture, after: Picture) -> list[str]:
    """Return how a picture that was only passed through differs."""
    found = []
    frames, wanted = (
        list(after.frames),
        list(stays(before)) if len(before.frames) > 1 else list(before.frames),
    )
    if len(before.frames) > 1 and len(frames) > 1:
        frames = list(stays(after))
    if len(frames) != len(wanted):
        return [f"{len(wanted)} frames became {len(frames)}"]
    for one, other in zip(wanted, frames):
        if before.format == "GIF":
            same = np.array_equal(as_shown(one), as_shown(other))
        else:
            same = one.mode == other.mode and one.pixels.shape == other.pixels.shape
            if same and before.coded is not None and before.coded != Coded():  # JPEG and lossy WebP
                same = np.abs(one.pixels.astype(int) - other.pixels).mean() < LOSS
            elif same:
                same = np.array_equal(one.pixels, other.pixels, equal_nan=one.pixels.dtype.kind == "f")
        if not same or (one.duration != other.duration and len(frames) > 1):
            found.append(
                f"{one.mode} {one.pixels.shape} {one.duration} became {other.mode} {other.pixels.shape} {other.duration}"
            )
            break
    for kind, value in before.metadata.items():
        if not alike(kind, value, after.metadata.get(kind), 0.51 if before.format == "JPEG" else 0.02):
            found.append(f"{kind} {value!r:.60} became {after.metadata.get(kind)!r:.60}")
    return found


def stays(picture: Picture) -> Iterator[Frame]:
    """The frames without the default image; equal successive frames are merged into one with a longer duration."""
    moving = picture.frames[picture.poster :]
    for _, group in groupby(moving, lambda frame: (frame.pixels.shape, frame.pixels.tobytes())):
        same = list(group)
        yield Frame(same[0].pixels, same[0].mode, sum(frame.duration or 0 for frame in same))


def as_shown(frame: Frame) -> np.ndarray:
    """RGBA pixels, with invisible ones black."""
    pixels = frame.pixels.reshape(*frame.pixels.shape[:2], -1)
    alpha = pixels[..., -1:] if frame.has_alpha else np.full_like(pixels[..., :1], 255)
    colour = pixels[..., : pixels.shape[2] - frame.has_alpha]
    return np.where(alpha > 0, np.dstack([np.broadcast_to(colour, (*pixels.shape[:2], 3)), alpha]), 0)


def alike(kind: str, one: object, other: object, tolerance: float) -> bool:
    if kind == "exif":
        return other is not None and one.removeprefix(b"Exif\0\0") == other.removeprefix(b"Exif\0\0")
    if kind == "dpi":
        return other is not None and np.allclose(one, other, atol=tolerance)
    return one == other


# Files that cannot pass unchanged, and why.
EXCEPTIONS = {
    "iss634.gif": "more than 256 colours a frame, of its local palettes",
}


@pytest.fixture(scope="module")
def images() -> Path:
    return corpus("pillow")


def limited() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


@pytest.mark.corpora
@pytest.mark.parametrize("codecs", [True, False], ids=["with codecs", "without codecs"])
def test_every_picture_of_pillow_passes_unchanged_or_gives_one_error(
    images: Path, tmp_path: Path, codecs: bool
) -> None:
    if codecs:
        pytest.importorskip("tifffile", reason="convcli[codecs] is not installed")
        pytest.importorskip("imagecodecs", reason="convcli[codecs] is not installed")
    else:
        (tmp_path / "tifffile.py").write_text("raise ImportError")  # the first that is found
    passed, wrong = 0, []
    for folder in sorted({file.parent for file in images.rglob("*") if file.is_file()}):
        inputs = sorted(file for file in folder.iterdir() if file.is_file())
        output = tmp_path / "out" / folder.relative_to(images)
        command = [sys.executable, "-m", "convcli", "filter", *inputs, "-k", "identity", "-o", f"{output}/"]
        done = subprocess.run(
            command,
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"},
            capture_output=True,
            timeout=SECONDS,
            preexec_fn=limited,
            check=False,
        )
        lines = done.stderr.decode().splitlines()
        assert done.returncode in (0, 1)
        wrong += [line for line in lines if not line.startswith("convcli: ")]
        errors = [line for line in lines if line.startswith("convcli: error: ")]
        written = done.stdout.decode().splitlines()
        assert len(errors) + len(written) == len(inputs)
        there = sorted(str(file) for file in output.iterdir() if file.is_file()) if output.exists() else []
        assert there == sorted(written)
        for file in inputs:
            if (output / file.name).exists() and file.name not in EXCEPTIONS:
                passed += 1
                found = differences(read_picture(file), read_picture(output / file.name))
                wrong += [f"{file.relative_to(images)}: {what}" for what in found]
    assert not wrong, "\n".join(wrong)
    assert passed > 600


@pytest.mark.corpora
def test_every_file_of_pillow_is_read_or_gives_one_error(
    images: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    kinds = {"picture": 0, "error": 0}
    for file in sorted(file for file in images.rglob("*") if file.is_file()):
        try:
            assert read_picture(file).frames
            kinds["picture"] += 1
        except ImageError as error:
            assert str(error).startswith(f"cannot read {file}: ")
            assert len(str(error).splitlines()) == 1
            kinds["error"] += 1
    assert capfd.readouterr() == ("", "")
    assert kinds["picture"] > 600
    assert kinds["error"] > 300
