"""--max-memory: estimated from headers, checked before anything is decoded, and shared by the jobs of a run."""

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from convcli.batch.budget import MEMORY
from convcli.memory import memory_size
from tests.conftest import Call, one_error

Program = Callable[..., subprocess.CompletedProcess[bytes]]

RNG = np.random.default_rng(12)
SIZE = (300, 400)  # rows, columns: 360,000 bytes in RGB


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "in.png"
    Image.fromarray(RNG.integers(0, 256, (*SIZE, 3), np.uint8)).save(path)
    return path


def enough(error: str) -> str:
    """Return the limit that an error suggests."""
    found = re.search(r"raise it with --max-memory (\d+[KMG])", error)
    assert found is not None, error
    return found[1]


def test_the_error_of_a_picture_that_is_too_large_suggests_a_limit(
    call: Call, picture: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.png"
    words = ("filter", picture, "-k", "sharpen", "-o", out, "--max-memory")
    refused = call(*words, "1M")
    assert refused.code == 1
    error = one_error(refused)
    needed = enough(error)
    assert error == (
        f"cannot filter {picture}: it would take about {needed} of memory, over the limit of 1M; raise it with "
        f"--max-memory {needed}, or use a smaller picture, or a larger --stride"
    )
    assert not out.exists()
    assert call(*words, needed).code == 0
    assert out.exists()


@pytest.mark.parametrize(
    "words",
    [
        "-k sharpen",
        "-k gaussian:sigma=2 --alpha premultiply",
        "-k sobel --range minmax",
        "-k sharpen --linear",
        "-k sharpen --stats",
        "-k sharpen -k sobel",
        "-k sharpen --channels r",
        "-k sharpen --gray",
    ],
)
@pytest.mark.parametrize("form", ["png", "jpg", "tiff", "npy", "gif", "webp", "bmp"])
def test_it_is_refused_before_it_is_decoded(call: Call, tmp_path: Path, words: str, form: str) -> None:
    """The file is truncated after its header, so decoding it would be another error."""
    source = tmp_path / f"in.{'png' if form in ('gif', 'webp', 'bmp') else form}"
    pixels = RNG.integers(0, 256, (*SIZE, 3), np.uint8)
    if form == "npy":
        np.save(source, pixels)
    else:
        Image.fromarray(pixels).save(source)
    data = source.read_bytes()
    if form not in ("npy", "tiff"):  # whose length is compared with their headers
        source.write_bytes(data[: 3 * len(data) // 4])
    out = tmp_path / f"out.{'png' if form == 'npy' else form}"
    result = call("filter", source, *words.split(), "-o", out, "--max-memory", "256K")
    assert result.code == 1
    assert "of memory, over the limit of 256K" in one_error(result)
    assert not out.exists()


def test_animations_are_counted_whole(call: Call, tmp_path: Path) -> None:
    frames = [Image.fromarray(RNG.integers(0, 256, (*SIZE, 3), np.uint8)) for _ in range(12)]
    path = tmp_path / "in.png"
    frames[0].save(path, save_all=True, append_images=frames[1:])

    def estimate(*words: object) -> int:
        result = call("filter", path, "-k", "box", "-o", tmp_path / "o.png", "--dry-run", "--stats", *words)
        memory: int = json.loads(result.out)["bytes"]
        return memory

    bytes_of_all = 12 * SIZE[0] * SIZE[1] * 3
    assert estimate() > 2 * bytes_of_all  # the input, or its copy for Pillow's encoder, and the result
    assert estimate() > 2 * estimate("--frame", 3)
    refused = call("filter", path, "-k", "box", "-o", tmp_path / "o.png", "--max-memory", "8M")
    assert "raise it with --max-memory" in one_error(refused)
    assert one_error(refused).endswith(
        "or use one frame with --frame, a smaller picture, or a larger --stride"
    )
    one = call("filter", path, "-k", "box", "-o", tmp_path / "o.png", "--max-memory", "8M", "--frame", 3)
    assert one.code == 0


def test_standard_input_is_read_no_further_than_the_limit(program: Program) -> None:
    for more in ((), ("--isolate",)):
        words = ("filter", "-", "-k", "box", "-o", "x.png", "--max-memory", "2M", *more)
        result = program(*words, input=bytes(3 << 20))
        assert result.returncode == 1
        assert result.stderr == (
            b"convcli: error: cannot read standard input: it is larger than the memory limit of 2M; raise it with "
            b"--max-memory, or name a file\n"
        )


@pytest.mark.parametrize("more", [(), ("--isolate",)], ids=["threads", "processes"])
def test_jobs_wait_for_each_other_if_only_one_fits(
    program: Program, picture: Path, tmp_path: Path, more: tuple[str, ...]
) -> None:
    names = [f"{number}.png" for number in range(6)]
    for name in names:
        (tmp_path / name).write_bytes(picture.read_bytes())
    words = ("filter", *names, "-k", "sharpen", "-o", "out/", "--jobs", 4, *more, "--max-memory")
    needed = enough(program(*words, "1M").stderr.decode())
    assert program(*words, needed).returncode == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == names
    smaller = memory_size(needed) // 2**20 - 1
    refused = program(*words, f"{smaller}M", "--force")
    assert refused.returncode == 1
    assert refused.stderr.count(b"over the limit of") == 6


def test_each_job_reserves_the_estimated_memory(
    call: Call, picture: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    requests: list[tuple[int, int]] = []
    monkeypatch.setattr(MEMORY, "take", lambda *how: requests.append(how))
    monkeypatch.setattr(MEMORY, "give", lambda held: requests.append((-held, 0)))
    words = ("filter", picture, "-k", "sharpen", "-o", tmp_path / "o.png", "--max-memory", "500M")
    estimate = json.loads(call(*words, "--dry-run", "--stats").out)["bytes"]
    assert requests == []
    assert call(*words).code == 0
    assert requests == [(estimate, 500 << 20), (-estimate, 0)]


@pytest.fixture
def template(tmp_path: Path, picture: Path) -> Path:
    path = tmp_path / "eye.png"
    Image.open(picture).crop((10, 20, 40, 45)).save(path)
    return path


@pytest.mark.parametrize("form", ["png", "tiff", "npy", "jpg"])
def test_the_error_of_a_search_suggests_a_limit(
    call: Call, picture: Path, template: Path, tmp_path: Path, form: str
) -> None:
    out = tmp_path / f"out.{form}"
    words = ("match", picture, "--template", template, "-o", out, "--max-memory")
    refused = call(*words, "2M")
    assert refused.code == 1
    error = one_error(refused)
    needed = enough(error)
    assert error == (
        f"cannot match {picture}: it would take about {needed} of memory, over the limit of 2M; raise it with "
        f"--max-memory {needed}, or use a smaller picture"
    )
    assert not out.exists()
    less = memory_size(needed) // 2**20 - 1
    assert call(*words, f"{less}M").code == 1
    assert call(*words, needed).code == 0
    assert out.exists()


def test_a_search_is_refused_before_the_picture_is_decoded(
    call: Call, picture: Path, template: Path, tmp_path: Path
) -> None:
    data = picture.read_bytes()
    picture.write_bytes(data[: 3 * len(data) // 4])
    words = ("match", picture, "--template", template, "-o", tmp_path / "out.png", "--max-memory")
    assert "of memory, over the limit of 2M" in one_error(call(*words, "2M"))
    assert "damaged or cut short" in one_error(call(*words, "500M"))


def test_a_template_counts_towards_the_limit(call: Call, picture: Path, tmp_path: Path) -> None:
    words = ("match", picture, "--template", picture, "-o", tmp_path / "out.png", "--max-memory", "1M")
    refused = call(*words)
    assert refused.code == 1
    assert one_error(refused).startswith(f"cannot match {picture}: it would take about ")


def test_a_search_takes_more_for_larger_pictures_templates_masks_and_for_more_threads(
    call: Call, tmp_path: Path
) -> None:
    noise = RNG.integers(0, 256, (1500, 1600, 3), np.uint8)

    def estimated(name: str, pixels: object, looked_for: object, threads: int = 1) -> int:
        source, sought = tmp_path / f"{name}.png", tmp_path / f"{name}-eye.png"
        Image.fromarray(pixels).save(source)
        Image.fromarray(looked_for).save(sought)
        words = ("match", source, "--template", sought, "-o", tmp_path / "out.png", "--threads", threads)
        return memory_size(enough(one_error(call(*words, "--max-memory", "20M"))))

    plain = estimated("plain", noise, noise[:30, :30])
    assert estimated("small", noise[:1000, :1000], noise[:30, :30]) < plain
    assert estimated("grey", noise[..., 0], noise[:30, :30, 0]) < plain
    assert estimated("large", noise, noise[:200, :200]) > plain
    assert estimated("two", noise, noise[:30, :30], threads=2) > plain
    seen = np.concatenate([noise[:30, :30], noise[:30, :30, :1]], axis=2)
    assert estimated("masked", noise, seen) > plain


def test_a_search_in_standard_input_reads_no_further_than_the_limit(program: Program, template: Path) -> None:
    words = ("match", "-", "--template", template, "-o", "x.png", "--max-memory", "2M")
    result = program(*words, input=bytes(3 << 20))
    assert result.returncode == 1
    assert b"standard input: it is larger than the memory limit of 2M" in result.stderr


def test_a_search_reserves_memory_of_the_run(
    call: Call, picture: Path, template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    requests: list[tuple[int, int]] = []
    monkeypatch.setattr(MEMORY, "take", lambda *how: requests.append(how))
    monkeypatch.setattr(MEMORY, "give", lambda held: requests.append((-held, 0)))
    words = ("match", picture, "--template", template, "-o", tmp_path / "o.png", "--max-memory")
    estimate = memory_size(enough(one_error(call(*words, "2M"))))
    assert requests == []
    assert call(*words, "500M").code == 0
    (wanted, limit), (given, _) = requests
    assert estimate - 2**20 < wanted <= estimate and limit == 500 << 20 and given == -wanted
