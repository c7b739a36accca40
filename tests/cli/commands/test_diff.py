"""convcli diff from end to end: compared with plain loops and scikit-image's definitions; and errors."""

import csv
import io
import json
import os
import re
import shlex
import subprocess
from collections.abc import Callable
from itertools import product
from math import log10
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from convcli.analysis.difference_map import drawn
from convcli.analysis.similarity import ssim
from convcli.images.modes import CHANNELS, channels_of, dtype_of
from convcli.images.picture import Frame, Picture
from convcli.images.read import read_picture
from convcli.images.write import encode
from tests.conftest import SAMPLES, Call, one_error
from tests.test_ci_reports import check_schema

RNG = np.random.default_rng(5)


def saved(path: Path, *arrays: np.ndarray, mode: str | None = None) -> Path:
    """Write pixels as a picture of the format of the extension."""
    modes = {(2, "uint8"): "L", (3, "uint8"): "RGB", (2, "uint16"): "I;16", (2, "float32"): "F"}
    form = {".png": "PNG", ".gif": "GIF", ".tiff": "TIFF", ".npy": "NPY", ".webp": "WEBP"}[path.suffix]
    frames = tuple(
        Frame(each, mode or modes[each.ndim, each.dtype.name], 100 if len(arrays) > 1 else None)
        for each in arrays
    )
    path.write_bytes(encode(Picture(frames, form), form, str(path))[0])
    return path


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path, np.ndarray, np.ndarray]:
    """Two pictures that differ by a few levels at some pixels, and by 40 at one."""
    a = RNG.integers(50, 200, (20, 30, 3), dtype=np.uint8)
    b = a.copy()
    b[3:6, 7:11] += RNG.integers(0, 4, (3, 4, 3), dtype=np.uint8)
    b[12, 13, 1] = a[12, 13, 1] - 40
    return saved(tmp_path / "a.png", a), saved(tmp_path / "b.png", b), a, b


def test_every_number_by_plain_loops(call: Call, pair: tuple) -> None:
    first, second, a, b = pair
    code, out, err = call("diff", first, second, "--tolerance", 1, "--format", "json")
    answer = json.loads(out)
    assert (code, answer["command"], list(answer)) == (1, "diff", ["command", "version", "rows", "totals"])
    (row,) = answer["rows"]
    apart = {place: abs(int(a[place]) - int(b[place])) for place in product(*map(range, a.shape))}
    beyond = sum(distance > 1 for distance in apart.values())
    error = sum(distance**2 for distance in apart.values()) / a.size
    assert row == {
        "frame": 0, "row": 12, "column": 13, "channel": "G", "first": int(a[12, 13, 1]), "second": int(b[12, 13, 1]),
        "difference": 40, "mean_squared_error": pytest.approx(error),
        "psnr": pytest.approx(20 * log10(255) - 10 * log10(error)), "ssim": pytest.approx(ssim(a, b, 255)),
        "beyond": beyond, "samples": a.size, "share": pytest.approx(beyond / a.size), "tolerance": 1, "within": False,
    }  # fmt: skip
    assert {**answer["totals"], "frame": 0} == row
    assert err == (
        f"convcli: {first} and {second} differ by up to 40: {beyond:,} of 1,800 samples by more than 1\n"
    )


@pytest.mark.parametrize(("tolerance", "code"), [("0", 1), ("39.9", 1), ("40", 0), ("1e9", 0)])
def test_the_exit_code_depends_on_the_tolerance(call: Call, pair: tuple, tolerance: str, code: int) -> None:
    assert call("diff", *pair[:2], "--tolerance", tolerance).code == code
    assert call("diff", *pair[:2][::-1], "--tolerance", tolerance, "-q").code == code


def test_a_picture_equals_itself(call: Call) -> None:
    for name in ("logo.png", "ramp16.png", "spinner.gif", "landscape.jpg"):
        code, out, err = call("diff", SAMPLES / name, SAMPLES / name, "--format", "json")
        assert (code, err) == (0, "")
        for row in json.loads(out)["rows"]:
            assert (row["difference"], row["beyond"], row["psnr"], row["row"]) == (0, 0, None, None)
            assert (row["mean_squared_error"], row["ssim"], row["within"]) == (0, 1, True)


def test_forms(call: Call, pair: tuple, tmp_path: Path) -> None:
    words = ["diff", *pair[:2], "--tolerance", "50"]
    assert call(*words, "--format", "value").out == "40.0\n"
    assert call(*words, "--field", "row,column,channel,within").out == "12\t13\tG\tyes\n"
    (row,) = csv.DictReader(io.StringIO(call(*words, "--format", "csv").out))
    assert (row["difference"], row["first"], row["beyond"]) == ("40.0", str(pair[2][12, 13, 1]), "0")
    assert "| difference | row | column | channel |" in call(*words, "--format", "markdown").out.replace(
        "---", ""
    )
    table = call(*words).out.splitlines()
    assert (
        table[0].split() == "difference row column channel mean squared error psnr ssim beyond share".split()
    )
    assert table[2].split()[:4] == ["40", "12", "13", "G"]
    assert len(call(*words, "-q").out.splitlines()) == 3
    assert call(*words, "-o", tmp_path / "rows.json") == (0, "", f"convcli: wrote {tmp_path}/rows.json\n")
    assert json.loads((tmp_path / "rows.json").read_text())["rows"][0]["difference"] == 40
    assert "there is no field 'rank'; the fields are frame, row" in call(*words, "--field", "rank").err


# Kinds of pictures


def test_invisible_colours_are_equal(call: Call, tmp_path: Path) -> None:
    a = RNG.integers(0, 256, (12, 12, 4), dtype=np.uint8)
    a[:4, ..., 3], a[4:, ..., 3] = 0, 9
    b = a.copy()
    b[:4, ..., :3] = 255 - a[:4, ..., :3]
    one, other = saved(tmp_path / "a.png", a, mode="RGBA"), saved(tmp_path / "b.png", b, mode="RGBA")
    code, out, _ = call("diff", one, other)
    assert code == 0
    assert "the colours of 48 pixels that are fully transparent in both count as equal" in out
    b[0, 0, 3] = 1  # now it is visible in one of them
    saved(other, b, mode="RGBA")
    row = json.loads(call("diff", one, other, "--format", "json").out)["rows"][0]
    assert (row["row"], row["column"]) == (0, 0)
    assert row["beyond"] == 1 + (a[0, 0, :3] != b[0, 0, :3]).sum()
    b[0, 0, 3], b[5, 6, 3] = 0, 12
    saved(other, b, mode="RGBA")
    assert call("diff", one, other, "--field", "difference,row,column,channel").out == "3.0\t5\t6\tA\n"


def test_all_channels_of_an_array_are_compared(call: Call, tmp_path: Path) -> None:
    a = np.zeros((3, 3, 4), np.float32)
    b = a.copy()
    b[1, 2, 0] = -0.5
    np.save(tmp_path / "a.npy", a)
    np.save(tmp_path / "b.npy", b)
    code, out, err = call(
        "diff", tmp_path / "a.npy", tmp_path / "b.npy", "--field", "difference,row,channel,ssim"
    )
    assert (code, out) == (1, "0.5\t1\tR\t\n")
    assert "alpha" not in err


def test_sixteen_bits_and_floats_are_measured_in_their_units(call: Call, tmp_path: Path) -> None:
    for dtype, peak in (("uint16", 65535), ("float32", 1)):
        a = (RNG.random((12, 12)) * peak).astype(dtype)
        b = a.copy()
        b[2, 3] = a[2, 3] + (300 if dtype == "uint16" and a[2, 3] < 65000 else -(2.0**-9) * peak)
        one, other = saved(tmp_path / "a.tiff", a), saved(tmp_path / "b.tiff", b)
        row = json.loads(call("diff", one, other, "--format", "json").out)["rows"][0]
        apart = abs(float(a[2, 3]) - float(b[2, 3]))
        assert row["difference"] == pytest.approx(apart)
        assert row["psnr"] == pytest.approx(10 * log10(peak**2 / (apart**2 / a.size)))


def test_nan_and_infinity(call: Call, tmp_path: Path) -> None:
    a = np.ones((12, 12), np.float32)
    a[1, 1], a[2, 2] = np.nan, np.inf
    b = a.copy()
    np.save(tmp_path / "a.npy", a)
    np.save(tmp_path / "b.npy", b)
    words = ["diff", tmp_path / "a.npy", tmp_path / "b.npy", "--format", "json", "-q"]
    assert call(*words).code == 0
    b[3, 4] = np.nan
    np.save(tmp_path / "b.npy", b)
    code, out, _ = call(*words, "--tolerance", "1e300", "-o", tmp_path / "d.png")
    row = json.loads(out)["rows"][0]
    assert (code, row["difference"], row["row"], row["column"], row["second"]) == (1, "inf", 3, 4, "nan")
    assert (row["mean_squared_error"], row["psnr"], row["ssim"], row["beyond"]) == ("inf", "-inf", None, 1)
    picture = read_picture(tmp_path / "d.png").frames[0].pixels
    assert picture[3, 4] == 255
    assert picture.sum() == 255


def test_animations_frame_by_frame(call: Call, tmp_path: Path) -> None:
    frames = [RNG.integers(0, 200, (12, 14, 3), dtype=np.uint8) for _ in range(3)]
    others = [frame.copy() for frame in frames]
    others[1][4, 5, 2] += 7
    others[2][1, 1, 0] += 30
    one, other = saved(tmp_path / "a.webp", *frames), saved(tmp_path / "b.webp", *others)
    code, out, _ = call("diff", one, other, "--format", "json")
    answer = json.loads(out)
    assert [row["difference"] for row in answer["rows"]] == [0, 7, 30]
    assert [row["frame"] for row in answer["rows"]] == [0, 1, 2]
    whole = answer["totals"]
    assert (code, whole["difference"], whole["row"], whole["beyond"]) == (1, 30, 1, 2)
    assert whole["mean_squared_error"] == pytest.approx((49 + 900) / (3 * frames[0].size))
    assert call("diff", one, other, "--field", "frame,difference", "--format", "value").out == "2\t30.0\n"
    assert call("diff", one, other).out.splitlines()[5].split()[:2] == ["total", "30"]


# The picture of the differences


def test_differences_are_drawn_so_that_the_largest_is_white(call: Call, pair: tuple, tmp_path: Path) -> None:
    first, second, a, b = pair
    target = tmp_path / "diff.png"
    code, out, err = call("diff", first, second, "-o", target, "--tolerance", "99")
    assert (code, err) == (0, f"convcli: wrote {target}: |A - B| times 6.375: white is 40\n")
    assert "difference" in out
    shown = read_picture(target).frames[0]
    assert (shown.pixels == np.rint(np.abs(a.astype(float) - b) * 255 / 40)).all()
    again = call("diff", first, second, "-o", target)
    assert (again.code, one_error(again)) == (
        2,
        f"{target} exists; give --force to replace it, or another -o",
    )
    assert call("diff", first, first, "-o", target, "--force").err == (
        f"convcli: wrote {target}: |A - B|, black: nothing differs\n"
    )
    assert not read_picture(target).frames[0].pixels.any()


def test_an_array_of_differences_is_signed(call: Call, pair: tuple, tmp_path: Path) -> None:
    first, second, a, b = pair
    assert "d.npy: A - B\n" in call("diff", first, second, "-o", tmp_path / "d.npy", "--tolerance", 40).err
    assert (np.load(tmp_path / "d.npy") == a.astype(int) - b).all()


def test_differences_of_alpha_are_grey() -> None:
    a = np.zeros((1, 2, 4), np.uint8)
    b = np.array([[[10, 0, 0, 5], [0, 0, 0, 10]]], np.uint8)
    lit = drawn(a, b, 10.0, has_alpha=True, in_colours=True)
    assert lit.tolist() == [[[255, 128, 128], [255, 255, 255]]]
    assert drawn(a, b, 10.0, has_alpha=True, in_colours=False).tolist() == [[255, 255]]


def test_a_still_difference_of_an_animation_shows_the_worst_frame(call: Call, tmp_path: Path) -> None:
    frames = [RNG.integers(0, 99, (12, 14), dtype=np.uint8) for _ in range(3)]
    others = [frame + np.uint8(number) for number, frame in enumerate(frames)]
    one, other = saved(tmp_path / "a.tiff", *frames), saved(tmp_path / "b.tiff", *others)
    err = call("diff", one, other, "-o", tmp_path / "d.bmp", "--tolerance", 9).err
    assert err == (
        f"convcli: wrote {tmp_path}/d.bmp: frame 2, where it is largest, |A - B| times 127.5: white is 2\n"
    )
    assert (read_picture(tmp_path / "d.bmp").frames[0].pixels == 255).all()
    call("diff", one, other, "-o", tmp_path / "d.tiff")
    assert [frame.pixels[0, 0] for frame in read_picture(tmp_path / "d.tiff").frames] == [0, 128, 255]


def test_what_is_compared_is_not_overwritten(call: Call, pair: tuple) -> None:
    first, second = pair[:2]
    before = first.read_bytes()
    result = call("diff", first, second, "-o", first, "--force")
    assert (result.code, one_error(result)) == (
        2,
        f"{first} is compared and would be overwritten; choose another -o",
    )
    assert first.read_bytes() == before


# Errors


@pytest.mark.parametrize(
    ("one", "other"),
    [("L", "I;16"), ("F", "RGB"), ("RGBA", "L"), ("RGB;F", "RGB;16"), ("RGBA;16", "RGB"), ("LA", "RGBA"), ("L", "F")],
)  # fmt: skip
def test_the_command_that_converts_a_picture_works(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, one: str, other: str
) -> None:
    monkeypatch.chdir(tmp_path)
    names = []
    for name, mode in (("a one", one), ("b", other)):
        np.save(f"{name}.npy", np.ones((5, 6, CHANNELS[channels_of(mode)]), dtype_of(mode)))
        names.append(f"{name}.{'pfm' if mode.endswith('F') else 'png'}")
        assert call("filter", f"{name}.npy", "-k", "identity", "-o", names[-1]).code == 0
    refused = call("diff", *names)
    command = shlex.split(re.search(r"convert one first, as with convcli (filter .*)", refused.err)[1])
    assert call(*command).code == 0
    left = [name for name in names if name not in command]
    assert call("diff", *left, command[-1]).code in (0, 1)


SMALL, WIDE = np.zeros((3, 4), np.uint8), np.zeros((3, 5), np.uint8)


@pytest.mark.parametrize(
    ("a", "b", "message"),
    [
        ([SMALL], [WIDE], "a.tiff is 4 wide and 3 high and b.tiff 5 wide and 3 high; only pictures of the same size are compared"),
        ([SMALL], [SMALL.astype(np.uint16)], "a.tiff has the pixel mode L and b.tiff I;16; only pictures of the same mode"),
        ([SMALL], [np.dstack([SMALL] * 3)], "a.tiff has the pixel mode L and b.tiff RGB; only pictures of the same mode are compared: convert one first"),
        ([SMALL], [SMALL, SMALL + 1], "a.tiff has 1 frame(s) and b.tiff 2; only pictures with the same number of frames are compared: extract one frame"),
        ([SMALL, SMALL], [SMALL, WIDE], "a.tiff is 4 wide and 3 high in frame 1 and b.tiff 5 wide and 3 high"),
    ],
)  # fmt: skip
def test_pictures_without_counterpart_are_beyond_any_tolerance(
    call: Call, tmp_path: Path, a: list[np.ndarray], b: list[np.ndarray], message: str
) -> None:
    one, other = saved(tmp_path / "a.tiff", *a), saved(tmp_path / "b.tiff", *b)
    result = call("diff", one, other, "--tolerance", "1e9", "-o", tmp_path / "d.png")
    assert result.code == 1
    assert message in one_error(result).replace(f"{tmp_path}/", "")
    assert not (tmp_path / "d.png").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["A", "B", "A"], "3 pictures are given, and two are needed; name A and B"),
        (["A"], "1 picture is given, and two are needed; name A and B"),
        (["A", "B", "--kernel", "box"], "No such option '--kernel'"),
        (["A", "B", "--tolerance", "-1"], "'-1' is not a difference of samples; give a number of at least 0"),
        (["A", "B", "--tolerance", "nan"], "'nan' is not a finite number; give a difference of samples of at least 0"),
        (["A", "none.png"], "cannot read none.png: there is no such file"),
        (["A", "B", "--max-pixels", "99"], "its 600 pixels are over the limit of 99; raise it with --max-pixels 600"),
        (["A", "B", "--max-memory", "1M"], "of memory, over the limit of 1M; raise it with --max-memory "),
        (["-", "-"], "- is given twice, and standard input holds one picture; name a file"),
        (["A", "B", "-o", "d.xyz"], "has no known ending"),
    ],
)  # fmt: skip
def test_errors_have_their_own_exit_code(call: Call, pair: tuple, words: list[str], message: str) -> None:
    named = {"A": pair[0], "B": pair[0]}
    result = call("diff", *(named.get(word, word) for word in words))
    assert result.code == 2
    assert message in one_error(result)


def test_too_many_frames(call: Call) -> None:
    spinner = SAMPLES / "spinner.gif"
    result = call("diff", spinner, spinner, "--max-frames", 7)
    assert result.code == 2
    assert "its 8 frames are over the limit of 7; raise it with --max-frames 8" in one_error(result)


def test_standard_input(program: Callable[..., subprocess.CompletedProcess[bytes]], pair: tuple) -> None:
    first, second = pair[:2]
    done = program("diff", "-", os.fspath(second), "--format", "value", input=first.read_bytes())
    assert (done.returncode, done.stdout) == (1, b"40.0\n")
    assert done.stderr.startswith(b"convcli: standard input and ")
    assert program("diff", os.fspath(first), "-", input=first.read_bytes()).returncode == 0


def test_a_file_saved_by_another_program_is_the_same_picture(call: Call, tmp_path: Path) -> None:
    with Image.open(SAMPLES / "house.png") as image:
        image.save(tmp_path / "house.bmp")
        image.save(tmp_path / "house.tiff")
    for name in ("house.bmp", "house.tiff"):
        assert call("diff", SAMPLES / "house.png", tmp_path / name).code == 0


# Two folders, and what CI systems read


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """References and outputs: two equal, one different by 3, one of another size, one damaged, and one without a counterpart on each side."""
    goldens, made = tmp_path / "goldens", tmp_path / "made"
    square = np.full((12, 12), 100, np.uint8)
    for folder in (goldens, made):
        (folder / "sub").mkdir(parents=True)
        saved(folder / "same.png", square)
        saved(folder / "sub" / "a,b:100%.png", square + np.uint8(3 * (folder is made)))
        saved(folder / "size.png", square[: 12 - (folder is made)])
        (folder / "z<&>.png").write_bytes(
            (folder / "same.png").read_bytes()[: 40 if folder is made else None]
        )
    saved(goldens / "missing.png", square)
    saved(made / "new.png", square)
    (made / "notes.txt").write_text("no picture")
    return goldens, made


OUTCOMES = {
    "missing.png": "only in goldens", "new.png": "only in made", "same.png": "same",
    "size.png": "different", "sub/a,b:100%.png": "different",
    "z<&>.png": "trouble",
}  # fmt: skip


def test_two_folders_picture_by_picture(call: Call, folders: tuple[Path, Path], tmp_path: Path) -> None:
    code, out, err = call("diff", *folders, "--format", "json", "-o", f"{tmp_path}/maps/")
    answer = json.loads(out)
    assert code == 2
    assert {row["picture"]: row["outcome"] for row in answer["rows"]} == OUTCOMES
    apart = next(row for row in answer["rows"] if row["outcome"] == "different" and row["samples"])
    assert (apart["difference"], apart["beyond"], apart["samples"], apart["within"]) == (3, 144, 144, False)
    assert answer["totals"] == {
        "difference": 3, "beyond": 144, "samples": 288, "share": 0.5, "tolerance": 0, "within": False
    }  # fmt: skip
    goldens, made = folders
    wrote, *errors, note, damaged = err.splitlines()
    assert wrote.startswith(f"convcli: wrote {tmp_path}/maps/sub/a,b:100%.png: |A - B| times 85: white is 3")
    assert [each.name for each in (tmp_path / "maps").rglob("*.*")] == ["a,b:100%.png"]
    assert [line.removeprefix("convcli: error: ").partition(":")[0] for line in errors] == [
        f"{goldens}/missing.png has no counterpart",
        f"{made}/new.png has no counterpart",
        f"{goldens}/size.png is 12 wide and 12 high and {made}/size.png 12 wide and 11 high; only pictures of the same size are compared",
    ]
    assert "differ by up to 3: 144 of 144 samples by more than 0" in note
    assert damaged.startswith(f"convcli: error: cannot read {made}/z<&>.png: ")
    assert call("diff", *folders, "--format", "value", "--field", "picture,outcome").out == "".join(
        f"{name}\t{outcome}\n" for name, outcome in OUTCOMES.items()
    )
    # A picture and a folder compare the files of the same name; and exit codes without damage, and without a difference.
    assert call("diff", goldens / "same.png", made, "--field", "difference").out == "0.0\n"
    assert call("diff", made, goldens / "same.png").code == 0
    for folder in folders:
        (folder / "z<&>.png").unlink()
    assert call("diff", *folders, "-q", "--tolerance", 3).code == 1
    assert call("diff", made, made).code == 0
    for words, message in (
        (["-o", "maps.png"], "maps.png is a single picture, and the pictures of two folders are compared; name a folder: -o maps/"),
        (["-o", f"{made}/", "--force"], "is compared and would be overwritten; choose another -o"),
        (["-o", f"{tmp_path}/maps"], f"{tmp_path}/maps/sub/a,b:100%.png exists; give --force to replace it"),
    ):  # fmt: skip
        result = call("diff", *folders, *words)
        assert (result.code, message in one_error(result)) == (2, True)
    (tmp_path / "none").mkdir()
    assert "there is no picture in either of these folders" in one_error(
        call("diff", tmp_path / "none", tmp_path / "none")
    )


def test_reports_for_ci(call: Call, folders: tuple[Path, Path], tmp_path: Path) -> None:
    plain = call("diff", *folders)
    goldens, made = folders
    report = tmp_path / "report.xml"
    code, out, err = call("diff", *folders, "-o", report)
    assert (code, out, err) == (2, "", f"convcli: wrote {report}\n{plain.err}")
    root = ElementTree.parse(report).getroot()
    check_schema(root)
    cases = {case.attrib["name"]: case for case in root.iter("testcase")}
    missing = [("failure", "missing")]
    kinds = {"same": [], "different": [("failure", "different")], "trouble": [("error", "trouble")]}
    assert {name: [(each.tag, each.attrib["type"]) for each in case] for name, case in cases.items()} == {
        name: kinds.get(outcome, missing) for name, outcome in OUTCOMES.items()
    }
    failure = cases["sub/a,b:100%.png"][0]
    assert failure.attrib["message"].endswith("differ by up to 3: 144 of 144 samples by more than 0")
    assert {"difference: 3.0", "beyond: 144", "row: 0", "first: 100", "second: 103", "tolerance: 0.0"} <= set(
        failure.text.splitlines()
    )
    assert cases["z<&>.png"][0].attrib["message"].startswith(f"cannot read {made}/z<&>.png")

    code, out, err = call("diff", *folders, "--format", "github")
    assert (code, err) == (2, plain.err)
    lines = out.splitlines()
    assert len(lines) == 5
    assert lines[3].startswith(
        f"::error file={goldens}/sub/a%2Cb%3A100%25.png,title=convcli diff%3A sub/a%2Cb%3A100%25.png::"
        f"{goldens}/sub/a,b:100%25.png and {made}/sub/a,b:100%25.png differ by up to 3: 144 of 144 samples by more"
    )
    assert "%0Adifference: 3.0%0A" in lines[3]
    assert lines[1].startswith(f"::error file={made}/new.png,")  # the one that exists

    # Two pictures are one case, also where one cannot be read; and the same exit codes.
    assert (
        call("diff", goldens / "same.png", made / "same.png", "--format", "junit").out.count("<testcase") == 1
    )
    bad = call("diff", goldens / "same.png", "none.png", "--format", "junit")
    assert (bad.code, bad.err) == (2, call("diff", goldens / "same.png", "none.png").err)
    assert ElementTree.fromstring(bad.out).find(".//error").attrib["type"] == "trouble"

    # A folder that does not exist is an error of its own, also in the reports.
    gone = tmp_path / "gone"
    message = f"cannot compare the folder {goldens}: there is no folder or file {gone}; check the spelling, or make it first"
    for words in ((goldens, gone), (gone, goldens), (goldens, gone, "-o", f"{tmp_path}/maps/")):
        result = call("diff", *words)
        assert (result.code, result.err) == (2, f"convcli: error: {message}\n")
    out = call("diff", goldens, gone, "--format", "github", "-o", f"{tmp_path}/maps/").out
    assert out == f"::error file={goldens},title=convcli diff%3A {gone}::{message}\n"
    assert not (tmp_path / "maps").exists()
    (error,) = ElementTree.fromstring(call("diff", goldens, gone, "--format", "junit").out).iter("error")
    assert error.attrib == {"message": message, "type": "trouble"}
    refused = call("diff", *folders, "--format", "github", "--field", "beyond")
    assert (refused.code, one_error(refused)) == (
        2,
        "--field selects columns of a table, and --format github has none; leave it out",
    )


def test_the_axes_of_arrays_are_as_the_layout_has_them(call: Call, tmp_path: Path) -> None:
    first = np.zeros((3, 4, 5), np.float32)
    second = first.copy()
    second[2, 1, 3] = 7
    np.save(tmp_path / "a.npy", first)
    np.save(tmp_path / "b.npy", second)
    files = (tmp_path / "a.npy", tmp_path / "b.npy")
    fields = ["--field", "row,column,channel", "-q", "--format", "json"]
    for layout, place in (("hwc", (2, 1, 3)), ("chw", (1, 3, "B"))):
        (row,) = json.loads(call("diff", *files, "--layout", layout, *fields).out)["rows"]
        assert (row["row"], row["column"], row["channel"]) == place
    house = SAMPLES / "house.png"
    result = call("diff", house, house, "--layout", "chw")
    assert result.code == 2
    assert "--layout chw applies to arrays, NPY and JSON, not to PNG; leave it out" in result.err
