"""ImageMagick's kernels of even sides are rotated about their origin by every algorithm; computed by hand, as in ImageMagick 6."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.conftest import Call

PLACE = (5, 5)  # of the only bright pixel, far from every border


def by_hand(weights: np.ndarray, origin: tuple[int, int], *, flip: bool) -> np.ndarray:
    """Return the response to the dot: correlation reads it through each tap, convolution spreads the taps around it."""
    out = np.zeros((11, 11), np.uint8)
    for (y, x), weight in np.ndenumerate(weights):
        down, across = y - origin[0], x - origin[1]
        sign = 1 if flip else -1
        out[PLACE[0] + sign * down, PLACE[1] + sign * across] = weight
    return out


def dot(path: Path) -> Path:
    pixels = np.zeros((11, 11), np.uint8)
    pixels[PLACE] = 1
    Image.fromarray(pixels).save(path)
    return path


@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize("size", [(2, 2), (4, 4), (4, 3), (3, 2), (2, 5), (6, 1), (1, 4), (3, 3)])
@pytest.mark.parametrize(
    "how",
    [
        (),
        ("--variant", "standard"),
        ("--alpha", "filter", "--method", "direct"),
        ("--padding", "same-lower"),
        ("--range", "minmax"),
    ],
)
def test_both_forms_are_rotated_about_the_origin(
    call: Call, tmp_path: Path, size: tuple[int, int], flip: bool, how: tuple[str, ...]
) -> None:
    columns, rows = size
    weights = np.arange(1, columns * rows + 1).reshape(rows, columns)
    origin = (rows - 1) // 2, (columns - 1) // 2
    values = " ".join(map(str, weights.flat))
    right = by_hand(weights, origin, flip=flip).astype(float)
    if "minmax" in how:
        right = np.rint(right * 255 / weights.max())
    for head in (f"{columns}x{rows}", f"{columns}x{rows}+{origin[1]}+{origin[0]}"):
        words = ["filter", dot(tmp_path / "dot.png"), "--kernel", f"{head}: {values}", *how]
        words += ["--flip"] if flip else []
        assert call(*words, "-o", tmp_path / "out.png", "--force").code == 0
        assert np.array_equal(np.asarray(Image.open(tmp_path / "out.png")), right)


@pytest.mark.parametrize("along", ["rows", "columns"])
@pytest.mark.parametrize("flip", [False, True])
def test_of_one_axis(call: Call, tmp_path: Path, flip: bool, along: str) -> None:
    words = ["filter", dot(tmp_path / "dot.png"), "--kernel", "4x1: 1 2 3 4", "--dims", "1", "--along", along]
    words += ["--flip"] if flip else []
    assert call(*words, "-o", tmp_path / "out.png").code == 0
    weights = np.array([[1, 2, 3, 4]])
    right = by_hand(weights, (0, 1), flip=flip)
    if along == "columns":
        right = right.T
    assert np.array_equal(np.asarray(Image.open(tmp_path / "out.png")), right)


@pytest.mark.parametrize("flip", [False, True])
def test_of_three_axes(call: Call, tmp_path: Path, flip: bool) -> None:
    dot(tmp_path / "dot.png")
    page = Image.open(tmp_path / "dot.png")
    page.save(tmp_path / "in.tif", save_all=True, append_images=[page])
    words = ["filter", tmp_path / "in.tif", "--kernel", "2x2: 1 2 3 4", "--dims", "3"]
    words += ["--flip"] if flip else []
    assert call(*words, "-o", tmp_path / "out.tif").code == 0
    right = by_hand(np.array([[1, 2], [3, 4]]), (0, 0), flip=flip)
    with Image.open(tmp_path / "out.tif") as image:
        for number in range(2):
            image.seek(number)
            assert np.array_equal(np.asarray(image), right)
