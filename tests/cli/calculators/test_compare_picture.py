"""convcli compare IMAGE from end to end: correct rows, a sheet, and errors."""

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from convcli.images.read import read_picture
from tests.conftest import SAMPLES, Call, one_error


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A piece of the landscape."""
    path = tmp_path / "photo.png"
    with Image.open(SAMPLES / "landscape.png") as image:
        image.crop((100, 80, 180, 130)).save(path)
    return path


@pytest.fixture(autouse=True)
def _one_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("convcli.analysis.trials.ENOUGH", 0)


FIELDS = [
    "variant", "engine", "method", "kernel", "layer", "input_shape", "output_shape", "multiplications", "additions",
    "macs", "flops", "seconds", "difference", "difference_at", "psnr", "rank", "rank_error", "shift", "rotation",
    "scaling", "change",
]  # fmt: skip


def test_json_has_a_row_for_each_run(call: Call, photo: Path) -> None:
    code, out, err = call("compare", photo, "--kernel", "gaussian", "--format", "json")
    assert (code, err) == (0, "")
    answer = json.loads(out)
    assert (answer["command"], list(answer)) == ("compare", ["command", "version", "rows", "totals"])
    assert all(list(row) == FIELDS for row in answer["rows"])
    variants = [row["variant"] for row in answer["rows"]]
    assert list(dict.fromkeys(variants)) == ["standard", "separable", "depthwise", "depthwise-separable"]
    for row in answer["rows"]:
        assert row["input_shape"] == [3, 50, 80]
        assert row["multiplications"] == row["macs"] > 0
        assert row["seconds"] > 0
        assert row["difference"] <= 1
        assert row["shift"] == row["rotation"] == 0
    assert {row["method"] for row in answer["rows"] if row["variant"] == "depthwise"} >= {
        "direct",
        "fft",
        "gemm",
    }


def test_the_table_explains_itself(call: Call, photo: Path) -> None:
    code, out, err = call("compare", photo, "--kernel", "sharpen", "--variants", "separable")
    lines = out.splitlines()
    assert (code, err) == (0, "")
    assert lines[0].split() == ["variant", "engine", "method", "MACs", "seconds", "difference", "psnr", "rank",
                                "rank", "error", "shift", "rotation", "scaling"]  # fmt: skip
    assert [line.split()[:3] for line in lines[2:4]] == [["separable", "conv", "auto"]] * 2
    assert any(line.startswith("separable: One pass per axis") for line in lines)
    assert (
        len(call("compare", photo, "--kernel", "sharpen", "--variants", "separable", "-q").out.splitlines())
        == 4
    )


def test_all_variants_run_or_have_a_reason(call: Call, photo: Path) -> None:
    code, out, _ = call("compare", photo, "--kernel", "box", "--all")
    assert code == 0
    for name in ("transposed", "deformable", "local", "tiled", "resize-conv", "shuffled-grouped"):
        assert f"\n{name} " in out
    assert "dense is left out: " in out


@pytest.mark.parametrize("ending", ["csv", "json", "md", "txt"])
def test_o_writes_the_rows(call: Call, tmp_path: Path, photo: Path, ending: str) -> None:
    path = tmp_path / f"rows.{ending}"
    result = call("compare", photo, "--kernel", "box", "--variants", "standard", "-o", path)
    assert result == (0, "", f"convcli: wrote {path}\n")
    text = path.read_text()
    if ending == "csv":
        (row,) = csv.DictReader(io.StringIO(text))
        assert (row["variant"], row["input_shape"], int(row["macs"])) == ("standard", "3x50x80", 50 * 80 * 27)
    assert "standard" in text


def test_o_draws_a_sheet_and_prints_the_rows(call: Call, tmp_path: Path, photo: Path) -> None:
    sheet = tmp_path / "sheet.png"
    code, out, err = call("compare", photo, "--kernel", "box", "-o", sheet)
    assert (code, err) == (0, f"convcli: wrote {sheet}\n")
    assert "depthwise-separable" in out
    (frame,) = read_picture(sheet).frames
    assert frame.mode == "RGB"
    source = read_picture(photo).frames[0].pixels
    height, width = source.shape[:2]
    assert (frame.pixels[12 + 0 : 12 + height, 12 : 12 + width] == source).all()
    again = call("compare", photo, "--kernel", "box", "-o", sheet)
    assert again.code == 1
    assert one_error(again).endswith("exists; give --force to replace it, or another -o")
    assert call("compare", photo, "--kernel", "box", "-o", sheet, "--force", "-q").code == 0


@pytest.mark.parametrize("name", ["logo.png", "ramp16.png", "spinner.gif", "house.png"])
def test_every_kind_of_picture(call: Call, tmp_path: Path, name: str) -> None:
    result = call(
        "compare", SAMPLES / name, "--kernel", "sobel", "--variants", "standard", "-o", tmp_path / "s.png"
    )
    assert result.code == 0
    assert ("its alpha is left out" in result.err) == (name in ("logo.png", "spinner.gif"))
    assert ("only the first of its" in result.err) == (name == "spinner.gif")


def test_a_pool_shows_invariance_beside_equivariance(call: Call) -> None:
    words = (
        "compare",
        SAMPLES / "house.png",
        "--kernel",
        "sobel-x",
        "--activation",
        "abs",
        "--variants",
        "depthwise",
    )
    row = json.loads(call(*words, "--pool", "max:4", "--format", "json").out)["rows"][0]
    assert row["shift"] == 0
    lines = call(*words, "--pool", "max:4").out.splitlines()
    assert lines[0].split()[-4:] == ["shift", "rotation", "scaling", "change"]
    (message,) = (
        line for line in lines if line.startswith("without the pool the outputs of depthwise change by ")
    )
    assert 0 < row["change"] < float(message.split()[-1]) / 2
    assert any(
        line.startswith("change: how much the outputs change when the picture is shifted by a pixel")
        for line in lines
    )
    alone = call(*words).out
    assert "change: " in alone
    assert "without the pool" not in alone


def test_activation_and_pool_run_after_every_variant(call: Call, photo: Path, tmp_path: Path) -> None:
    """The picture on the sheet is the one that filter writes."""
    behind = ("--kernel", "laplacian", "--activation", "abs", "--pool", "max:2")
    sheet = tmp_path / "sheet.png"
    words = ("compare", photo, *behind, "--variants", "depthwise,standard,transposed", "--format", "json")
    rows = json.loads(call(*words).out)["rows"]
    shapes = {row["variant"]: row["output_shape"] for row in rows}
    assert shapes == {"depthwise": [3, 25, 40], "standard": [1, 25, 40], "transposed": [3, 50, 80]}
    assert {row["engine"] for row in rows} == {"conv"}
    assert all(row["layer"].endswith(", abs, maxpool k2x2") for row in rows)
    assert call("compare", photo, *behind, "--variants", "dilated", "-o", sheet, "-q").code == 0
    assert call("filter", photo, *behind, "--variant", "dilated", "-o", tmp_path / "own.png", "-q").code == 0
    drawn = read_picture(sheet).frames[0].pixels
    own = read_picture(tmp_path / "own.png").frames[0].pixels
    places = (np.lib.stride_tricks.sliding_window_view(drawn, own.shape)[..., 0, :, :, :] == own).all(
        (-3, -2, -1)
    )
    assert places.any()


def test_fields_and_values(call: Call, photo: Path) -> None:
    words = ["compare", photo, "--kernel", "box", "--variants", "standard"]
    assert call(*words, "--field", "variant,macs").out == f"standard\t{50 * 80 * 27}\n"
    assert float(call(*words, "--format", "value").out) > 0


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["PHOTO"], 2, "photo.png; give one, such as --kernel gaussian:sigma=2"),
        (["PHOTO", "--kernel", "sobbel"], 2, "did you mean 'sobel'?"),
        (["PHOTO", "--kernel", "sobel", "--n", "9"], 2, "--n describes a layer on paper and cannot be used with a picture"),
        (["PHOTO", "--kernel", "sobel", "--stride", "2"], 2, "describes a layer on paper"),
        (["PHOTO", "--kernel", "sobel", "--all", "--variants", "tiled"], 2, "--all and --variants contradict each other"),
        (["PHOTO", "--kernel", "sobel", "--variants", "tild"], 2, "did you mean 'tiled'?"),
        (["PHOTO", "--kernel", "sobel", "--max-pixels", "99"], 1, "over the limit of 99; raise it with --max-pixels 4000"),
        (["PHOTO", "--kernel", "sobel", "-o", "x.xyz"], 2, "has no known ending"),
        (["PHOTO", "PHOTO"], 2, "variants are compared on one picture, got "),
        (["PHOTO", "--kernel", "sobel", "--tolerance", "1"], 2, "No such option '--tolerance'"),
        (["PHOTO", "--kernel", "sobel", "--pool", "mix:2"], 2, "--pool: there is no 'mix'; did you mean 'max'?"),
        (["PHOTO", "--kernel", "sobel", "--pool", "max:0"], 2, "kernel_size must be at least 1, got 0"),
        (["PHOTO", "--kernel", "sobel", "--activation", "rely"], 2, "did you mean 'relu'?"),
        (["none.png", "--kernel", "sobel"], 1, "cannot read none.png: there is no such file"),
        (["--n", "9", "--k", "3", "--kernel", "sobel"], 2, "--kernel needs a picture, as in convcli compare photo.png"),
        (["--n", "9", "--k", "3", "--max-pixels", "9"], 2, "--max-pixels needs a picture"),
    ],
)  # fmt: skip
def test_what_is_refused(call: Call, photo: Path, words: list[str], code: int, message: str) -> None:
    result = call("compare", *(photo if word == "PHOTO" else word for word in words))
    assert result.code == code
    assert message in one_error(result)


def test_numbers_of_a_wide_picture_stay_in_its_units(call: Call, tmp_path: Path) -> None:
    path = tmp_path / "wide.png"
    Image.fromarray((np.arange(3000).reshape(50, 60) * 20).astype(np.uint16)).save(path)
    rows = json.loads(call("compare", path, "--kernel", "box", "--format", "json").out)["rows"]
    assert all(row["difference"] < 1 for row in rows if row["engine"] == "conv")
    assert all(row["difference"] == 0 for row in rows if row["engine"] == "filter")


def test_a_picture_on_which_nothing_runs_is_an_error(call: Call, tmp_path: Path) -> None:
    Image.fromarray(np.zeros((3, 3), np.uint8)).save(tmp_path / "tiny.png")
    result = call("compare", tmp_path / "tiny.png", "--kernel", "box:3", "--pool", "max:4")
    assert (result.code, result.out) == (1, "")
    text = one_error(result)
    assert text.startswith(f"nothing can be compared on {tmp_path}/tiny.png: ")
    assert "the output would be empty" in text


def test_a_terminal_shows_how_many_runs_are_done(photo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from convcli.cli import trial_progress
    from convcli.cli.user_messages import Messages

    shown: list[object] = []

    class Bar:
        def __init__(self, count: int, started: float) -> None:
            shown.append(count)

        def show(self, counts: dict[str, int]) -> None:
            shown.append(counts["done"])

        def hide(self) -> None:
            shown.append("hidden")

    monkeypatch.setattr(trial_progress, "Progress", Bar)
    monkeypatch.setattr(trial_progress, "AFTER", -1.0)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    assert list(trial_progress.Trying(Messages(), "abc")) == ["a", "b", "c"]
    assert shown == [3, 0, 1, 2, "hidden"]
    quiet = Messages()
    quiet.quiet = True
    assert list(trial_progress.Trying(quiet, "abc")) == ["a", "b", "c"]
    assert len(shown) == 5
