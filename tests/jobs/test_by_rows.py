"""Large pictures filtered by rows: the results equal those of the whole picture, and failures leave nothing behind."""

import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from convcli import filter_file
from convcli.files import WriteError
from convcli.filters import plain_rows
from convcli.filters.tiles import tile_plan
from convcli.images.picture import ImageError
from convcli.images.read import read_picture
from convcli.jobs import file_to_file, read_ahead
from tests.conftest import SAMPLES, Call, one_error
from tests.runs import soon

tifffile = pytest.importorskip("tifffile", reason="convcli[codecs] is not installed")
pytest.importorskip("imagecodecs", reason="convcli[codecs] is not installed")

RNG = np.random.default_rng(16)
ICC = read_picture(SAMPLES / "landscape.jpg").metadata["icc"]
SIZE = (150, 90)
CHOOSE = file_to_file.by_rows

# Process all pictures by rows, whatever their memory, and slowly.
ALWAYS = """
import os, time
import convcli.jobs.file_to_file as jobs
import convcli.images.stored_pixels as pixels
jobs.LARGE, found = 0, jobs.by_rows
jobs.by_rows = lambda *arguments: found(*arguments)._replace(memory=0)
read = pixels.SharedFile.read
pixels.SharedFile.read = lambda *arguments: time.sleep(float(os.environ["PAUSE"])) or read(*arguments)
"""


@pytest.fixture(autouse=True)
def small_bands() -> Iterator[None]:
    """Divide a small picture into several bands."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (("SAMPLES", 400), ("WIDE", 40), ("TALL", 9), ("BAND", 200)):
            patch.setattr(tile_plan, name, value)
        for name, value in (("BAND", 300), ("MIN_SPANS", 1)):
            patch.setattr(plain_rows, name, value)
        yield


@pytest.fixture
def by_rows(monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[Any]]:
    """Process all pictures by rows; return the choices that were made."""
    found: list[Any] = []

    def always() -> list[Any]:
        def chosen(*arguments: Any) -> Any:
            found.append(CHOOSE(*arguments))
            return found[-1] and found[-1]._replace(memory=0)

        monkeypatch.setattr(file_to_file, "LARGE", 0)
        monkeypatch.setattr(file_to_file, "by_rows", chosen)
        monkeypatch.setattr(read_ahead, "MAX_IN_BLOCKS", 0)
        return found

    return always


def picture(path: Path, dtype: str = "uint8", channels: int = 1, **options: Any) -> Path:
    """Write a picture of smooth noise."""
    pixels = RNG.integers(0, 256, (*SIZE, channels)).cumsum(0) % 251
    pixels = (pixels / 251 * (1 if dtype == "float32" else 250 if dtype == "uint8" else 60000)).astype(dtype)
    pixels = pixels[..., 0] if channels == 1 else pixels
    if path.suffix == ".npy":
        np.save(path, pixels)
    elif path.suffix == ".png":
        Image.fromarray(pixels).save(path, icc_profile=ICC, dpi=(200, 200))
    else:
        alpha = {"extrasamples": ["unassalpha"]} if channels in (2, 4) else {}
        tifffile.imwrite(
            path,
            pixels,
            photometric="rgb" if channels > 2 else "minisblack",
            rowsperstrip=7,
            compression="zlib",
            metadata=None,
            description="a field",
            resolution=(300, 300),
            extratags=[(34675, 7, len(ICC), ICC, True)] if channels == 3 else [],
            **alpha,
            **options,
        )
    return path


WORKS: list[tuple[str, str, str, int, dict[str, Any]]] = [
    ("tiff", "tiff", "uint8", 1, {"kernel": "gaussian:sigma=2"}),
    ("tiff", "tiff", "uint8", 1, {"kernel": ["gaussian:sigma=2", "sobel"], "pool": "max:2"}),
    ("tiff", "tiff", "uint16", 1, {"kernel": ["box:3", "sharpen", "laplacian"], "value_range": "offset"}),
    ("tiff", "tiff", "uint8", 1, {"kernel": "sobel", "value_range": "minmax"}),
    ("tiff", "tiff", "uint8", 3, {"kernel": "emboss", "padding_mode": "circular", "stride": 2}),
    ("tiff", "tiff", "uint16", 3, {"kernel": "gaussian:sigma=1", "linear": True}),
    ("tiff", "tiff", "uint8", 4, {"kernel": "gaussian:sigma=1"}),
    ("tiff", "tiff", "uint8", 3, {"kernel": "sobel", "gray": True}),
    ("tiff", "tiff", "uint8", 3, {"kernel": "sobel", "channels": "b"}),
    ("tiff", "tiff", "uint8", 3, {"variant": "pointwise", "pointwise": "sepia"}),
    ("tiff", "tiff", "uint8", 1, {"kernel": "box", "variant": "transposed"}),
    ("tiff", "tiff", "float32", 1, {"kernel": ["gaussian:sigma=1", "sobel"]}),
    ("tiff", "tiff", "uint16", 3, {"kernel": "sharpen", "depth": "8"}),
    ("npy", "tiff", "float32", 1, {"kernel": "gaussian:sigma=1", "depth": 8}),
    ("tiff", "npy", "uint8", 1, {"kernel": "sobel"}),
    ("npy", "npy", "uint8", 3, {"kernel": "sobel"}),
    ("npy", "npy", "float32", 1, {"kernel": ["sobel", "box:3"], "activation": "abs"}),
    ("npy", "tiff", "uint16", 1, {"kernel": "sharpen", "value_range": "abs"}),
    ("npy", "png", "uint8", 1, {"kernel": ["gaussian:sigma=1", "sharpen"]}),
    ("tiff", "png", "uint8", 3, {"kernel": "sharpen"}),
    ("png", "tiff", "uint8", 3, {"kernel": "sharpen"}),
    ("png", "npy", "uint8", 1, {"kernel": ["sharpen", "box"]}),
]


@pytest.mark.parametrize(("source", "target", "dtype", "channels", "options"), WORKS)
def test_results_by_rows_equal_the_whole(
    tmp_path: Path,
    by_rows: Callable[[], list[Any]],
    source: str,
    target: str,
    dtype: str,
    channels: int,
    options: dict[str, Any],
) -> None:
    path = picture(tmp_path / f"in.{source}", dtype, channels)
    whole = filter_file(path, tmp_path / f"whole.{target}", **options)
    found = by_rows()
    made = filter_file(path, tmp_path / f"rows.{target}", **options)
    (chosen,) = found
    assert (chosen.stored is not None, chosen.written) == (source != "png", target != "png")
    expected, result = read_picture(whole.path), read_picture(made.path)
    assert np.array_equal(result.frames[0].pixels, expected.frames[0].pixels)
    metadata_in = {
        kind: value for kind, value in result.metadata.items() if (kind, value) != ("aspect", (1, 1))
    }
    assert (result.frames[0].mode, metadata_in) == (expected.frames[0].mode, expected.metadata)
    assert made.notes == whole.notes


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_threads_change_nothing(tmp_path: Path, by_rows: Callable[[], list[Any]], threads: int) -> None:
    path = picture(tmp_path / "in.tiff", channels=3)
    by_rows()
    first = filter_file(path, tmp_path / "a.tiff", ["gaussian:2", "sobel"], threads=3).path.read_bytes()
    again = filter_file(path, tmp_path / "b.tiff", ["gaussian:2", "sobel"], threads=threads).path.read_bytes()
    assert first == again


def test_animations_sheets_and_regions_are_processed_whole(
    tmp_path: Path, by_rows: Callable[[], list[Any]]
) -> None:
    many = tmp_path / "many.tiff"
    pages = [Image.fromarray(RNG.integers(0, 256, SIZE, np.uint8)) for _ in range(2)]
    pages[0].save(many, save_all=True, append_images=pages[1:])
    found = by_rows()
    filter_file(many, tmp_path / "a.tiff", "box")
    filter_file(picture(tmp_path / "in.tiff", channels=3), tmp_path / "b.tiff", "box", sheet=True)
    assert found == []
    filter_file(many, tmp_path / "c.tiff", "box", frame=1)
    assert [chosen.stored is not None for chosen in found] == [True]


def test_statistics_are_those_of_the_whole(
    call: Call, tmp_path: Path, by_rows: Callable[[], list[Any]]
) -> None:
    path = picture(tmp_path / "in.tiff")
    for kernels in (("-k", "sobel"), ("-k", "sobel", "-k", "sharpen"), ("-k", "sobel", "--range", "minmax")):
        words = ("filter", path, *kernels, "-o", tmp_path / "out.tiff", "--force", "--stats", "--threads", 1)
        whole = json.loads(call(*words).out)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(file_to_file, "LARGE", 0)
            patch.setattr(file_to_file, "by_rows", lambda *arguments: CHOOSE(*arguments)._replace(memory=0))
            found = json.loads(call(*words).out)
        assert found.pop("mean") == pytest.approx(whole.pop("mean"))
        assert found == whole


def test_a_dry_run_reports_what_is_decoded_and_written_by_rows(
    call: Call, tmp_path: Path, by_rows: Callable[[], list[Any]]
) -> None:
    tiff, png = picture(tmp_path / "in.tiff"), picture(tmp_path / "in.png")

    def reported(path: Path, target: str) -> tuple[str, str]:
        facts = json.loads(call(*words(path, target), "--dry-run", "--stats").out)
        return facts["decoded"], facts["written"]

    def words(path: Path, target: str) -> tuple[object, ...]:
        return "filter", path, "-k", "sobel", "-o", tmp_path / target

    assert reported(tiff, "out.tiff") == ("whole", "whole")
    assert "decoded whole; run" in call(*words(png, "out.png"), "--dry-run").out
    by_rows()
    assert reported(tiff, "out.tiff") == ("by rows", "by rows")
    assert reported(tiff, "out.png") == ("by rows", "whole")
    assert reported(png, "out.tiff") == ("whole", "by rows")
    assert reported(png, "out.png") == ("whole", "whole")
    metadata_in = call(*words(tiff, "out.tiff"), "--dry-run").out
    assert "would read TIFF, L, 90 wide and 150 high, decoded by rows; run" in metadata_in
    assert metadata_in.endswith("out.tiff: TIFF, L, 90 wide and 150 high, written by rows\n")
    assert "decoded by rows, written by rows" in call(*words(tiff, "out.tiff"), "-v").err
    report = tmp_path / "run.jsonl"
    call(*words(tiff, "other.tiff"), "--report", report)
    facts = json.loads(report.read_text())
    assert facts["output_bytes"] == (tmp_path / "other.tiff").stat().st_size


def test_pictures_decoded_ahead_are_processed_whole(
    call: Call, tmp_path: Path, by_rows: Callable[[], list[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    words = (
        "filter",
        picture(tmp_path / "in.tiff"),
        "-k",
        "sobel",
        "-o",
        tmp_path / "out.tiff",
        "-v",
        "--force",
    )
    found = by_rows()
    assert ", decoded by rows, written by rows, " in call(*words).err
    monkeypatch.setattr(read_ahead, "MAX_IN_BLOCKS", 1 << 27)
    assert "thread(s), written by rows, " in call(*words).err
    assert [chosen.stored is None for chosen in found] == [False, True]


def test_standard_input_and_output_by_rows_if_possible(
    tmp_path: Path, by_rows: Callable[[], list[Any]], monkeypatch: pytest.MonkeyPatch, call: Call
) -> None:
    path = picture(tmp_path / "in.tiff")
    expected = read_picture(filter_file(path, tmp_path / "whole.tiff", "sobel").path)
    found = by_rows()
    with path.open("rb") as file:
        monkeypatch.setattr("sys.stdin", type("Input", (), {"buffer": file}))
        assert call("filter", "-", "-k", "sobel", "-o", tmp_path / "out.tiff").code == 0
    result = read_picture(tmp_path / "out.tiff")
    assert np.array_equal(result.frames[0].pixels, expected.frames[0].pixels)
    assert found[0].stored is not None and found[0].written


def damaged(path: Path, strip: int) -> None:
    """Damage a strip of a TIFF."""
    with tifffile.TiffFile(path) as file:
        offset, count = file.pages[0].dataoffsets[strip], file.pages[0].databytecounts[strip]
    data = bytearray(path.read_bytes())
    data[offset : offset + count] = bytes(count)
    path.write_bytes(data)


@pytest.mark.parametrize("kernels", ["-k gaussian:2", "-k gaussian:2 -k sobel"])
@pytest.mark.parametrize("target", ["tiff", "npy", "png"])
def test_a_damaged_strip_leaves_the_old_output(
    call: Call, tmp_path: Path, by_rows: Callable[[], list[Any]], kernels: str, target: str
) -> None:
    path, out = picture(tmp_path / "in.tiff"), tmp_path / f"out.{target}"
    damaged(path, 15)
    out.write_bytes(b"precious")
    by_rows()
    result = call("filter", path, *kernels.split(), "-o", out, "--force")
    assert result.code == 1
    assert one_error(result).startswith(f"cannot read {path}: the file is damaged or cut short (")
    assert out.read_bytes() == b"precious"
    assert sorted(os.listdir(tmp_path)) == sorted(["in.tiff", out.name])
    with pytest.raises(ImageError, match="damaged or cut short"):
        filter_file(path, tmp_path / f"new.{target}", "gaussian:2")
    assert sorted(os.listdir(tmp_path)) == sorted(["in.tiff", out.name])


def test_a_full_disk_leaves_the_old_output(tmp_path: Path, by_rows: Callable[[], list[Any]]) -> None:
    path, out = picture(tmp_path / "in.npy"), tmp_path / "out.npy"
    out.write_bytes(b"precious")
    by_rows()
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20000, before[1]))
    try:
        with pytest.raises(
            WriteError, match=r"cannot write .*out.npy: File too large; the size of files is limited"
        ):
            filter_file(path, out, "gaussian:2", force=True)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert out.read_bytes() == b"precious"
    assert sorted(os.listdir(tmp_path)) == ["in.npy", "out.npy"]


def test_missing_data_in_the_file_are_respected(tmp_path: Path, by_rows: Callable[[], list[Any]]) -> None:
    extra = [(42113, 2, 0, b"7\0", True)]  # GDAL_NODATA
    path = tmp_path / "in.tiff"
    pixels = np.full(SIZE, 9, np.uint8)
    by_rows()
    for value in (9, 7):
        pixels[100, 50] = value
        tifffile.imwrite(path, pixels, rowsperstrip=7, compression="zlib", metadata=None, extratags=extra)
        notes = filter_file(path, tmp_path / "out.tiff", "box", force=True).notes
        assert any("missing data" in note for note in notes) == (value == 7)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("options", [["--jobs", "1"], ["--jobs", "2"], ["--jobs", "2", "--isolate"]])
def test_a_signal_leaves_nothing_behind(
    tmp_path: Path, options: list[str], number: signal.Signals, code: int
) -> None:
    site, work = tmp_path / "site", tmp_path / "work"
    site.mkdir()
    work.mkdir()
    (site / "sitecustomize.py").write_text(ALWAYS)
    for name in ("a.tiff", "b.tiff"):
        picture(work / name)
    (work / "out").mkdir()
    (work / "out" / "a.tiff").write_bytes(b"precious")
    root = Path(file_to_file.__file__).parents[2]
    patience = "import convcli.batch.parallel_jobs as jobs; jobs.GRACE = 0.1; from convcli.__main__ import run; run()"
    words = [
        "filter",
        "a.tiff",
        "b.tiff",
        "-k",
        "gaussian:2",
        "-k",
        "sobel",
        "-o",
        "out/",
        "--force",
        *options,
    ]
    environment = {**os.environ, "PYTHONPATH": f"{site}{os.pathsep}{root}", "PAUSE": "0.5"}
    process = subprocess.Popen(
        [sys.executable, "-c", patience, *words], cwd=work, env=environment, stderr=subprocess.PIPE
    )
    assert soon(lambda: any(name.endswith(".tmp") for name in os.listdir(work / "out")))
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    assert process.returncode == code
    assert b"Traceback" not in err
    assert os.listdir(work / "out") == ["a.tiff"]
    assert (work / "out" / "a.tiff").read_bytes() == b"precious"
