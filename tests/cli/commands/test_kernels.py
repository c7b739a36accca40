"""convcli kernels: the list, one kernel, its frequency response as a picture."""

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from convcli.filters.kernel_pictures import grey_rows
from convcli.images import read
from convcli.images.picture import Frame, Picture
from convcli.images.read import read_picture
from convcli.images.write import encode
from convcli.kernels import KERNELS, parse_kernel
from tests.conftest import SAMPLES, Call, one_error
from tests.test_imports import loaded


def rows(call: Call, *arguments: object) -> list[dict]:
    code, out, err = call("kernels", *arguments, "--format", "json")
    assert (code, err) == (0, "")
    return json.loads(out)["rows"]


def test_all_are_listed_with_arguments_meaning_and_source(call: Call) -> None:
    listed = rows(call)
    assert [row["name"] for row in listed] == list(KERNELS)
    assert all(row["meaning"].endswith(".") and row["source"] for row in listed)
    by_name = {row["name"]: row for row in listed}
    assert by_name["gaussian"]["arguments"] == "sigma=1, size"
    assert by_name["dog"]["arguments"] == "sigma=1, ratio=1.6, size"
    assert by_name["emboss"]["arguments"] == ""
    lines = call("kernels").out.splitlines()
    assert [line.split()[0] for line in lines[2:] if line[0] != " "] == list(KERNELS)
    assert max(map(len, lines)) <= 120
    reported = " ".join(" ".join(line[38:] for line in lines).split())
    assert all(row["meaning"] in reported for row in listed)
    wide = call("kernels", "-v").out
    assert all(row["source"] in wide for row in listed)
    assert call("kernels", "--format", "value").out.split() == list(KERNELS)


def test_the_list_of_other_axes_leaves_out_what_has_no_form(call: Call) -> None:
    for dims in (1, 3):
        names = [row["name"] for row in rows(call, "--dims", dims)]
        assert "gaussian" in names
        assert "motion" not in names
        assert ("sobel-y" in names) == (dims == 3)
        assert all(parse_kernel(name, dims=dims) for name in names)


def test_one_is_shown_with_its_grid_and_factors(call: Call) -> None:
    assert call("kernels", "sobel-x") == (
        0,
        "name     shape  sum  rank  symmetry             smooths\n"
        "-------  -----  ---  ----  -------------------  -------\n"
        "sobel-x    3x3    0     1  odd in x, even in y       no\n"
        "\n"
        "-1   0   1\n"
        "-2   0   2\n"
        "-1   0   1\n"
        "\n"
        "separable: (1, 2, 1) x (-1, 0, 1)\n"
        "\n"
        "source: Sobel & Feldman (1968), A 3x3 isotropic gradient operator; OpenCV Sobel\n",
        "",
    )


def test_every_field_is_given(call: Call) -> None:
    (row,) = rows(call, "3x3+0+1: 1,2,1 2,4,2 1,2,1")
    assert row == {
        "name": "kernel",
        "matrix": 1,
        "shape": [3, 3],
        "weights": [[1, 2, 1], [2, 4, 2], [1, 2, 1]],
        "divisor": 1,
        "offset": 0,
        "anchor": [1, 0],
        "combine": "none",
        "threshold": 0,
        "sum": 16,
        "rank": 1,
        "factors": [[1, 2, 1], [1, 2, 1]],
        "symmetry": "even in x, even in y, even when transposed",
        "smooths": True,
        "source": "given inline, in ImageMagick's form",
    }
    (row,) = rows(call, "box:2")
    assert (row["divisor"], row["sum"]) == (4, 1)
    (row,) = rows(call, "laplacian", "--dims", "3")
    assert (row["rank"], row["factors"], row["shape"]) == (None, [], [3, 3, 3])


@pytest.mark.parametrize("name", KERNELS)
def test_the_weights_as_a_value_are_read_back(call: Call, name: str) -> None:
    code, out, _ = call("kernels", name, "--format", "value")
    assert code == 0
    assert tuple(parse_kernel(line).matrices[0] for line in out.splitlines()) == parse_kernel(name).matrices
    table = call("kernels", name).out
    assert parse_kernel(name).source in table


def test_a_table_of_three_axes_and_csv(call: Call) -> None:
    code, out, _ = call("kernels", "1 2 | 3 4", "--dims", "3")
    assert code == 0
    assert "\n\n1  2\n\n3  4\n\n" in out
    line = list(
        csv.DictReader(io.StringIO(call("kernels", "1 2 | 3 4", "--dims", "3", "--format", "csv").out))
    )
    assert line[0]["weights"] == "1 2 | 3 4"
    assert line[0]["smooths"] == "yes"
    assert call("kernels", "1 2 3", "--dims", "1", "--format", "value").out == "1 2 3\n"
    assert "\n\n1  2  3\n\n" in call("kernels", "1 2 3", "--dims", "1").out


def test_lists_and_magnitudes_have_a_row_for_each_matrix(call: Call) -> None:
    code, out, _ = call("kernels", "sobel; kirsch; 1 2")
    assert code == 0
    assert "sobel, matrix 2:\n-1  -2  -1\n" in out
    assert "sobel: the result is the root of the sum of squared responses\n" in out
    assert "kirsch: the result is the largest of the responses\n3 kernels, applied in this order\n" in out
    assert len(rows(call, "sobel; kirsch; 1 2")) == 2 + 8 + 1


def test_large_kernels_are_not_printed(call: Call) -> None:
    out = call("kernels", "box:27").out
    assert "the kernel is too large to print (27x27); use --field weights" in out
    assert "1  1" not in out
    assert call("kernels", "box:27", "--field", "weights").out.count(";") == 26


def test_quiet_prints_the_table_only(call: Call) -> None:
    assert len(call("kernels", "box", "-q").out.splitlines()) == 3


def test_files_and_pictures_are_shown(call: Call, tmp_path: Path) -> None:
    (tmp_path / "soft.mat").write_text("3 1 4 10\n1 2 1\n")
    (row,) = rows(call, tmp_path / "soft.mat")
    assert (row["name"], row["divisor"], row["offset"], row["source"]) == ("soft", 4, 10, "file soft.mat")
    Image.fromarray(np.array([[0, 200], [3, 255]], np.uint8)).save(tmp_path / "grey.png")
    (row,) = rows(call, tmp_path / "grey.png")
    assert row["weights"] == [[0, 200], [3, 255]]


def test_the_answer_goes_to_a_file(call: Call, tmp_path: Path) -> None:
    for ending in ("json", "csv", "md", "txt"):
        path = tmp_path / f"box.{ending}"
        assert call("kernels", "box", "-o", path) == (0, "", f"convcli: wrote {path}\n")
        assert "box" in path.read_text()


def test_the_frequency_response_is_drawn(call: Call, tmp_path: Path) -> None:
    path = tmp_path / "response.png"
    code, out, err = call("kernels", "box:4", "-o", path)
    assert (code, out) == (0, "")
    assert err == (
        f"convcli: wrote {path}: the frequency response of box:4, from -1/2 to 1/2 cycles per pixel on both axes, "
        "with zero frequency in the middle; black is 0, white is 1\n"
    )
    with Image.open(path) as image:
        assert (image.mode, image.size) == ("L", (256, 256))
        pixels = np.asarray(image)
    assert pixels[128, 128] == 255
    # the mean of 4 pixels removes waves of 4 and of 2 pixels
    assert not pixels[:, [0, 64, 192]].any()
    wave = (np.arange(256) - 128) / 256
    expected = np.abs(sum(np.exp(2j * np.pi * wave * tap) for tap in range(4))) / 4
    assert np.abs(pixels[128] - 255 * expected).max() <= 0.5 + 1e-9
    result = call("kernels", "box", "-o", path)
    assert result.code == 1
    assert one_error(result) == f"{path} exists; give --force to replace it, or another -o"
    assert call("kernels", "0 0", "-o", path, "--force").code == 0
    with Image.open(path) as image:
        assert not np.asarray(image).any()
    assert call("kernels", "box:301", "--max-kernel", "999", "-o", tmp_path / "large.png").code == 0
    with Image.open(tmp_path / "large.png") as image:
        assert image.size == (301, 301)


def test_the_spectrum_of_a_picture_before_and_after(call: Call, tmp_path: Path) -> None:
    words = ("kernels", "gaussian:sigma=2", "--spectrum", SAMPLES / "house.png")
    code, out, err = call(*words, "--format", "json")
    assert (code, err) == (0, "")
    rows = json.loads(out)["rows"]
    with Image.open(SAMPLES / "house.png") as image:
        values = np.asarray(image).astype(float)
    after = ndimage.correlate(values, gaussian(2), mode="wrap")
    y, x = (np.fft.fftfreq(n) for n in values.shape)
    radius = np.hypot(y[:, None], x)
    powers = [np.abs(np.fft.fft2(each - each.mean())) ** 2 for each in (values, after)]
    rings = [(radius > 0) & (radius >= n / 32) & (radius < (n + 1) / 32) for n in range(16)]
    most = max(powers[0][ring].mean() for ring in rings)
    for number, ring in enumerate(rings[:-1]):
        right = [10 * np.log10(power[ring].mean() / most) for power in powers]
        assert [rows[number]["before"], rows[number]["after"]] == pytest.approx(right, abs=1e-6)
        assert rows[number]["gain"] == pytest.approx(right[1] - right[0])
        assert rows[number]["frequency"] == (number + 0.5) / 32
    assert call(*words, "--field", "gain").out.count("\n") == 16
    for name in ("x.png", "x.svg"):
        target = tmp_path / name
        assert call(*words, "--theme", "dark", "-o", target) == (0, "", f"convcli: wrote {target}\n")
    with Image.open(tmp_path / "x.png") as image:
        assert image.convert("RGB").getpixel((0, 0)) == (16, 22, 29)


def gaussian(sigma: float) -> "np.ndarray[tuple[int, int], np.dtype[np.float64]]":
    line = np.exp(-(np.arange(-6, 7) ** 2) / (2 * sigma**2))
    plane = np.outer(line, line)
    return plane / plane.sum()


def test_a_spectrum_reports_what_it_leaves_out(call: Call, tmp_path: Path) -> None:
    pages = [Image.new("LA", (9, 9), (n * 90, 128)) for n in range(2)]
    pages[0].save(tmp_path / "x.tif", save_all=True, append_images=pages[1:])
    code, out, err = call("kernels", "box", "--spectrum", tmp_path / "x.tif", "--format", "json")
    assert code == 0
    assert err.splitlines() == [
        f"convcli: {tmp_path}/x.tif: only the first of its 2 frames is used",
        f"convcli: {tmp_path}/x.tif: its alpha is left out",
    ]
    assert {row["before"] for row in json.loads(out)["rows"]} == {None}, "it is flat"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--spectrum", "h.png"], "--spectrum shows a picture before and after a kernel; name a kernel"),
        (["box", "--dims", "3", "--spectrum", "h.png"], "--spectrum filters a picture, which a kernel with 3 axes cannot; use --dims 1 or --dims 2"),
        (["box", "--spectrum", "h.png", "-o", "h.png"], "h.png is the picture and would be overwritten; choose another -o"),
        (["box", "--spectrum", "h.png", "-o", "x.jpg"], "x.jpg has no known ending; end it in .txt .json .csv .md .png .svg; .png"),
        (["box", "--spectrum", "h.png", "--theme", "dark"], "--theme applies to drawings, such as -o answer.png; leave it out"),
        (["box", "-o", "x.png", "--theme", "dark"], "--theme applies to the drawing of --spectrum; leave it out"),
        (["box", "--spectrum", "cmyk.jpg"], "cmyk.jpg has the pixel mode CMYK; a spectrum needs grey, RGB or RGBA"),
        (["box", "--spectrum", "none.png"], "cannot read none.png: there is no such file"),
    ],
)  # fmt: skip
def test_errors_of_spectra(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Image.new("L", (8, 8)).save("h.png")
    Image.new("CMYK", (8, 8)).save("cmyk.jpg")
    result = call("kernels", *arguments)
    assert result.code != 0
    assert message in one_error(result)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cmyk.jpg", "h.png"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["sobbel"], "unknown kernel 'sobbel'; did you mean 'sobel'?"),
        (["box:300"], "a kernel of size 300 is over the limit of 255; raise it with --max-kernel 300"),
        (["motion", "--dims", "1"], "kernel 'motion' has no 1-D form; use one of identity, box"),
        (["-o", "x.png"], "-o x.png draws the frequency response of a kernel; name a kernel"),
        (
            ["box", "-o", "x.png", "--format", "json"],
            "--format and --field apply to text, and x.png is a picture",
        ),
        (
            [" ".join("1" * 4097), "--max-kernel", "5000", "-o", "x.png"],
            "the frequency response of a kernel 4097 wide is too large to draw; use one of at most 4096",
        ),
        (
            ["box", "--dims", "3", "-o", "x.png"],
            "the frequency response of a kernel with 3 axes cannot be drawn",
        ),
        (["box", "-o", "x.doc"], "x.doc has no known ending; end it in .txt .json .csv .md"),
        (
            ["box", "--field", "wieghts"],
            "there is no field 'wieghts'; did you mean 'weights'?",
        ),
        (["dilate"], "it takes maxima; --pool max:3,stride=1,padding=1 of convcli filter takes the maximum"),
        (["box", "--dims", "4"], "'4' is not a whole number from 1 to 3"),
    ],
)
def test_errors_are_one_line(call: Call, arguments: list[str], message: str) -> None:
    result = call("kernels", *arguments)
    assert result.code == 2
    assert message in one_error(result)


def test_the_list_loads_no_arrays() -> None:
    assert not loaded("kernels") & {"numpy", "scipy", "PIL", "rich"}
    assert not loaded("kernels", "sobel") & {"scipy", "PIL", "rich"}


# Pictures as kernels


@pytest.mark.parametrize(
    ("mode", "pixel", "grey"),
    [
        ("L", 77, 77),
        ("LA", (77, 1), 77),
        ("LA", (77, 0), 0),
        ("RGB", (255, 0, 0), 76),
        ("RGB", (10, 20, 30), 18),
        ("RGBA", (10, 20, 30, 255), 18),
        ("RGBA", (10, 20, 30, 0), 0),
        ("I;16", 40000, 40000),
        ("F", 0.5, 0.5),
    ],
)
def test_grey_values(tmp_path: Path, mode: str, pixel: object, grey: float) -> None:
    path = tmp_path / "a.tiff"
    Image.new(mode, (2, 1), pixel).save(path)
    assert grey_rows(path, 255) == [[grey, grey]]


def test_grey_is_pillows(tmp_path: Path) -> None:
    with Image.open(SAMPLES / "landscape.png") as image:
        cut = image.convert("RGB").crop((50, 50, 90, 70))
    cut.save(tmp_path / "a.png")
    assert grey_rows(tmp_path / "a.png", 255) == np.asarray(cut.convert("L")).tolist()


def test_pictures_that_cannot_be_kernels(call: Call, tmp_path: Path) -> None:
    result = call("kernels", SAMPLES / "spinner.gif")
    assert result.code == 2
    assert "frames; a kernel needs a still picture" in one_error(result)
    Image.new("CMYK", (2, 2)).save(tmp_path / "a.tiff")
    result = call("kernels", tmp_path / "a.tiff")
    assert "has the pixel mode CMYK; a kernel needs grey, RGB or RGBA" in one_error(result)
    (tmp_path / "b.png").write_text("no picture")
    result = call("kernels", tmp_path / "b.png")
    assert result.code == 2
    assert "it is not a picture in a supported format" in one_error(result)


def test_a_large_picture_is_no_kernel_and_is_not_decoded(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Image.new("L", (300, 2)).save(tmp_path / "a.png")
    monkeypatch.setattr(read, "read_picture", lambda *_, **__: pytest.fail("it is decoded"))
    result = call("kernels", tmp_path / "a.png")
    assert result.code == 2
    assert one_error(result) == (
        "a kernel of size 300 is over the limit of 255; raise it with --max-kernel 300"
    )


def test_floats_and_deep_colours_keep_their_grey(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.full((1, 2, 3), (0.5, 0.25, 0.75)))
    picture = read_picture(tmp_path / "a.npy")
    (tmp_path / "a.tiff").write_bytes(encode(picture, "TIFF", "a.tiff")[0])
    assert grey_rows(tmp_path / "a.tiff", 9)[0] == pytest.approx(
        [0.299 * 0.5 + 0.587 * 0.25 + 0.114 * 0.75] * 2, abs=1e-5
    )
    frame = Frame(np.full((1, 2, 3), (0, 65535, 0), np.uint16), "RGB;16")
    (tmp_path / "b.png").write_bytes(encode(Picture((frame,), "PNG"), "PNG", "b.png")[0])
    assert grey_rows(tmp_path / "b.png", 9) == [[round(0.587 * 65535)] * 2]
