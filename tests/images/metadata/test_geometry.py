"""The georeference of a picture follows its pixels; means of a ramp reveal where each pixel came from."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from convcli.images.metadata.entries import DOUBLE, Entry
from convcli.images.metadata.geometry import Move, Origin, kept_true
from convcli.images.picture import Frame, Picture
from tests.conftest import Call
from tests.images.metadata import sources

tifffile = pytest.importorskip("tifffile")
pytest.importorskip("imagecodecs")

ROWS, COLUMNS = 72, 90
Y, X = np.mgrid[:ROWS, :COLUMNS].astype(np.float64)
SCALE, TIE = (10.0, 20.0, 0.0), (3.0, 2.0, 0.0, 5e5, 4e6, 0.0)
MATRIX = (10.0, 1.0, 0.0, 5e5, 2.0, -20.0, 0.0, 4e6, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0)
AREA, POINT = 1, 2


def keys(kind: int) -> tuple[int, ...]:
    return (1, 1, 0, 2, 1024, 0, 1, 1, 1025, 0, 1, kind)


def geotiff(path: Path, array: np.ndarray, kind: int = AREA, *, matrix: bool = False, **more: object) -> None:
    tags = [(34735, "H", 12, keys(kind), True)]
    if matrix:
        tags.append((34264, "d", 16, MATRIX, True))
    else:
        tags += [(33550, "d", 3, SCALE, True), (33922, "d", 6, TIE, True)]
    tags += more.pop("extratags", [])
    tifffile.imwrite(path, array, photometric="minisblack", metadata=None, extratags=tags, **more)


def tags_of(path: Path, page: int = 0) -> dict[int, object]:
    with tifffile.TiffFile(path) as file:
        return {tag.code: tag.value for tag in file.pages[page].tags.values()}


def on_earth(tags: dict[int, object], row: np.ndarray, column: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the map coordinates of pixel centres, by GeoTIFF 1.1."""
    half = 0.5 if tags[34735][11] == AREA else 0.0
    i, j = column + half, row + half
    if 34264 in tags:
        a, b, _, c, d, e, _, f = tags[34264][:8]
        return a * i + b * j + c, d * i + e * j + f
    (across, down, _), (at, line, _, x, y, _) = tags[33550], tags[33922]
    return x + (i - at) * across, y - (j - line) * down


OPTIONS = [
    ["-k", "box:3"],
    ["-k", "box:5", "--stride", "2"],
    ["-k", "box:3", "--stride", "3x2"],
    ["-k", "box:4", "--padding", "valid"],
    ["-k", "box:3", "--padding", "1:2x0:3"],
    ["-k", "box:5", "--padding", "full", "--stride", "2"],
    ["-k", "box:3", "--dilation", "3", "--padding", "valid"],
    ["-k", "box:3", "--pool", "avg:2"],
    ["-k", "box:3", "--repeat", "3", "--stride", "2"],
    ["-k", "gaussian:1", "--variant", "separable", "--stride", "2"],
    ["-k", "identity", "--variant", "resize-conv", "--stride", "2"],
    ["-k", "box:3", "--variant", "resize-conv", "--stride", "3"],
    ["-k", "4 4; 4 4", "--variant", "transposed", "--stride", "4", "--pool", "avg:4"],
    ["-k", "0.25 0.5 0.25; 0.5 1 0.5; 0.25 0.5 0.25", "--variant", "transposed", "--stride", "2"],
]


@pytest.mark.parametrize("matrix", [False, True], ids=["tie point", "matrix"])
@pytest.mark.parametrize("kind", [AREA, POINT], ids=["areas", "points"])
@pytest.mark.parametrize("options", OPTIONS, ids=" ".join)
def test_the_georeference_follows_the_pixels(
    call: Call, tmp_path: Path, options: list[str], kind: int, matrix: bool
) -> None:
    places = []
    for ramp in (Y, X):
        source, target = tmp_path / "in.tif", tmp_path / "out.tif"
        geotiff(source, ramp, kind, matrix=matrix)
        result = call("filter", source, *options, "-o", target, "--force")
        assert (result.code, "left out" in result.err) == (0, False), result.err
        places.append(tifffile.imread(target))
    rows, columns = places
    inner = slice(4, -4), slice(4, -4)  # near the border, values are not means of a ramp
    y, x = np.indices(rows.shape)
    blocks = 1.0 if "resize-conv" in options else 1e-6  # pixels are repeated before filtering
    there = on_earth(tags_of(target), y[inner], x[inner])
    right = on_earth(tags_of(source), rows[inner], columns[inner])
    assert np.abs(there[0] - right[0]).max() < blocks * 6
    assert np.abs(there[1] - right[1]).max() < blocks * 12
    if blocks == 1.0:  # as far to one side as to the other
        assert abs((there[0] - right[0]).mean()) < 0.5


@pytest.mark.parametrize(
    "words",
    [
        ["-k", "box"],
        ["--local", "tilt-shift"],
        ["-k", "identity", "-k", "emboss", "-k", "outline", "-k", "box:9", "--tile", "2x2"],
        ["-k", "box", "--variant", "standard"],
        ["-k", "box", "--variant", "depthwise-separable", "--pointwise", "sepia"],
        ["-k", "sobel", "--pool-channels", "max"],
        ["-k", "box", "--activation", "relu", "--pool", "adaptive-max:3"],
    ],
    ids=" ".join,
)
def test_colours_are_moved_like_grey(call: Call, tmp_path: Path, words: list[str]) -> None:
    source, target = tmp_path / "in.tif", tmp_path / "out.tif"
    ramp = (X + 2 * Y).astype(np.uint8)
    tags = [(33550, "d", 3, SCALE, True), (33922, "d", 6, TIE, True), (34735, "H", 12, keys(AREA), True)]
    tifffile.imwrite(source, np.dstack([ramp] * 3), photometric="rgb", metadata=None, extratags=tags)
    assert call("filter", source, *words, "-o", target).code == 0
    size = tifffile.imread(target).shape
    assert tags_of(target)[33550] == pytest.approx((10 * COLUMNS / size[1], 20 * ROWS / size[0], 0))


def test_an_unmoved_picture_keeps_its_numbers(call: Call, tmp_path: Path) -> None:
    source, target = tmp_path / "in.tif", tmp_path / "out.tif"
    rpc = (50844, "d", 92, tuple(map(float, range(92))), True)
    geotiff(source, X.astype(np.uint8), extratags=[rpc])
    for kernel in ("box:3", "box:4", "gaussian:2"):
        assert call("filter", source, "-k", kernel, "-o", target, "--force").err == ""
        assert {33550: SCALE, 33922: TIE, 50844: rpc[3]}.items() <= tags_of(target).items()


@pytest.mark.parametrize(
    ("options", "lost"),
    [
        (
            ["-k", "box", "--offsets", "swirl"],
            "the georeference: its pixels were moved irregularly",
        ),
        (
            ["-k", "box", "--pool", "global-avg"],
            "the georeference: its pixels were moved irregularly",
        ),
        (["-k", "box", "--stride", "2"], "RPCCoefficient (50844), which is for pixels of another size"),
    ],
    ids=["swirl", "global", "rpc"],
)
def test_georeferences_that_cannot_be_adjusted_are_left_out(
    call: Call, tmp_path: Path, options: list[str], lost: str
) -> None:
    source, target = tmp_path / "in.tif", tmp_path / "out.tif"
    extra = [(50844, "d", 92, tuple(map(float, range(92))), True)]
    geotiff(source, X.astype(np.uint8), extratags=extra)
    result = call("filter", source, *options, "-o", target)
    assert result.err.endswith(f"in.tif: left out: {lost}\n")
    found = tags_of(target)
    assert 50844 not in found
    assert (33550 in found) == ("RPC" in lost)
    assert found[34735] == keys(AREA)


def test_each_page_has_its_own_georeference(call: Call, tmp_path: Path) -> None:
    source, target = tmp_path / "in.tif", tmp_path / "out.tif"
    other = (7.0, 7.0, 0.0)
    with tifffile.TiffWriter(source) as writer:
        for scale, name in ((SCALE, "first"), (other, "second")):
            tags = [(33550, "d", 3, scale, True), (33922, "d", 6, TIE, True), (285, "s", 0, name, True)]
            writer.write(X.astype(np.uint8), photometric="minisblack", metadata=None, extratags=tags)
    assert call("filter", source, "-k", "box", "--stride", "2", "-o", target).err == ""
    pages = [tags_of(target, number) for number in (0, 1)]
    assert [page[33550] for page in pages] == [(20.0, 40.0, 0.0), (14.0, 14.0, 0.0)]
    assert [page[285] for page in pages] == ["first", "second"]
    png = tmp_path / "out.png"
    assert "PNG does not carry" in (message := call("filter", source, "-k", "box", "-o", png).err)
    assert "the metadata of its other pages" in message
    one = tmp_path / "one.tif"
    assert call("filter", source, "--frame", 1, "-k", "box", "-o", one).err == ""
    assert tags_of(one)[285] == "second"


# Missing data


@pytest.mark.parametrize("value", ["-9999", "nan"])
def test_filtered_missing_data_is_reported(call: Call, tmp_path: Path, value: str) -> None:
    source, target = tmp_path / "in.tif", tmp_path / "out.tif"
    array = X.astype(np.float32)
    tag = [(42113, "s", 0, value, True)]
    geotiff(source, array, extratags=tag)
    assert call("filter", source, "-k", "box", "-o", target).err == ""
    array[5, 5] = float(value)
    geotiff(source, array, extratags=tag)
    result = call("filter", source, "-k", "box", "-o", target, "--force")
    message = (
        f"its value for missing data, {value}, was filtered like any sample; results near it are unreliable\n"
    )
    assert result.err.endswith(message)
    assert tags_of(target)[42113] == value
    result = call("filter", source, "-k", "box", "--range", "minmax", "-o", target, "--force")
    assert tags_of(target)[42113] == value  # TIFF holds floats


def test_a_missing_data_value_outside_the_dtype_is_left_out(call: Call, tmp_path: Path) -> None:
    source, target = tmp_path / "in.tif", tmp_path / "out.tif"
    geotiff(source, X.astype(np.uint8), extratags=[(42113, "s", 0, "-9999", True)])
    result = call("filter", source, "-k", "box", "-o", target)
    assert result.err.endswith("in.tif: left out: GDAL_NODATA, -9999, which uint8 cannot hold\n")
    assert 42113 not in tags_of(target)


def test_statistics_of_the_samples_are_left_out(call: Call, tmp_path: Path) -> None:
    source, target = tmp_path / "in.tif", tmp_path / "out.tif"
    text = (
        '<GDALMetadata>\n  <Item name="OWNER">me</Item>\n  <Item name="STATISTICS_MAXIMUM" sample="0">29</Item>\n'
        '  <Item name="STATISTICS_MEAN" sample="0">14.5</Item>\n</GDALMetadata>'
    )
    geotiff(source, X.astype(np.uint8), extratags=[(42112, "s", 0, text, True)])
    result = call("filter", source, "-k", "box", "-o", target)
    assert result.err.endswith("in.tif: left out: the statistics in GDAL's metadata\n")
    assert tags_of(target)[42112] == '<GDALMetadata>\n  <Item name="OWNER">me</Item>\n</GDALMetadata>'


# Sizes in other metadata


def test_descriptions_that_state_another_size_are_left_out(call: Call, tmp_path: Path) -> None:
    source, target = tmp_path / "in.tif", tmp_path / "out.tif"
    tifffile.imwrite(source, X.astype(np.uint8))  # whose description is {"shape": [72, 90]}
    assert call("filter", source, "-k", "box", "-o", target).err == ""
    assert tags_of(target)[270] == '{"shape": [72, 90]}'
    result = call("filter", source, "-k", "box", "--stride", "2", "-o", target, "--force")
    assert result.err.endswith("in.tif: left out: the description, which states another size\n")
    assert 270 not in tags_of(target)
    assert tifffile.imread(target).shape == (36, 45)


def test_a_changed_pixel_aspect_ratio_is_written(call: Call, tmp_path: Path) -> None:
    source, target = tmp_path / "in.png", tmp_path / "out.png"
    Image.fromarray(X.astype(np.uint8)).save(source, dpi=(300, 300))
    for words, dpi in (
        ("--stride 2", (300, 300)),
        ("--stride 1x2", (150, 300)),
        ("--stride 3x1", (300, 100)),
        ("--pool max:1x2", (150, 300)),
        (
            "--resize 50%",
            (300, 300),
        ),  # a picture that is resized keeps its resolution, also if it is stretched
        ("--resize 31x50", (300, 300)),
        ("--stride 1x2 --resize 200x77", (150, 300)),
        ("--resize 200x77 --stride 3x1", (300, 100)),
    ):
        run = ("filter", source, "-k", "box", *words.split(), "-o", target, "--force")
        assert call(*run).code == 0
        with Image.open(target) as image:
            assert image.info["dpi"] == pytest.approx(dpi, abs=0.05), words


def test_sizes_in_xmp_are_those_of_the_picture(call: Call, tmp_path: Path) -> None:
    source, target = tmp_path / "in.jpg", tmp_path / "out.webp"
    xmp = sources.XMP.replace(
        b"dc:title",
        b'xmlns:exif="http://ns.adobe.com/exif/1.0/" xmlns:tiff="http://ns.adobe.com/tiff/1.0/" '
        b'exif:PixelXDimension="90" exif:PixelYDimension="72" tiff:Orientation="1" dc:title',
    )
    image = Image.fromarray(X.astype(np.uint8))
    image.save(source, xmp=xmp)
    assert call("filter", source, "-k", "box", "--stride", "2", "-o", target).code == 0
    with Image.open(target) as image:
        assert image.info["xmp"] == xmp.replace(b'"90"', b'"45"').replace(b'"72"', b'"36"')


def test_a_matrix_of_a_wrong_length_is_left_out() -> None:
    frame = Frame(np.zeros((2, 2), np.uint8), "L")
    picture = Picture((frame,), "TIFF", {"tags": {34264: Entry.of(DOUBLE, 1, 2), 33550: Entry.of(DOUBLE, 1)}})
    moved = kept_true(picture, [Origin((4, 4))], [(Move(1.0, 2), Move(1.0, 2))])
    assert moved.metadata["tags"] == {33550: Entry.of(DOUBLE, 1)}
