"""convcli match from end to end: positions on stdout, a map in a file, and one clear line for each error."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from convcli.analysis.match import as_grey, best_places
from convcli.analysis.match_scores import match_scores as match
from convcli.images.read import read_picture
from tests.conftest import SAMPLES, Call, one_error

HOUSE = SAMPLES / "house.png"
AT = (30, 20)  # row and column of the template in the house
SIZE = (25, 40)


@pytest.fixture
def eye(tmp_path: Path) -> Path:
    """A piece of the house."""
    return save(tmp_path / "eye.png", pixels(HOUSE)[AT[0] : AT[0] + SIZE[0], AT[1] : AT[1] + SIZE[1]])


def pixels(path: Path) -> np.ndarray:
    return read_picture(path).frames[0].pixels


def save(path: Path, array: np.ndarray, **options: object) -> Path:
    Image.fromarray(np.ascontiguousarray(array)).save(path, **options)
    return path


def test_the_places_are_a_line_of_json_and_the_map_a_picture(call: Call, tmp_path: Path, eye: Path) -> None:
    code, out, err = call("match", HOUSE, "--template", eye, "--top", 3, "-o", tmp_path / "map.png")
    assert (code, err) == (0, "")
    (line,) = out.splitlines()
    record = json.loads(line)
    assert list(record) == [
        "input",
        "output",
        "mode",
        "size",
        "frames",
        "min",
        "max",
        "mean",
        "template",
        "template_size",
        "matches",
    ]
    scores = match(pixels(HOUSE), pixels(eye))
    assert (record["input"], record["output"]) == (str(HOUSE), str(tmp_path / "map.png"))
    assert (record["template"], record["template_size"]) == (str(eye), list(SIZE))
    assert (record["mode"], record["size"], record["frames"]) == ("L", list(scores.shape), 1)
    assert (record["min"], record["max"]) == (scores.min(), scores.max())
    assert record["mean"] == pytest.approx(scores.mean())
    assert record["matches"] == [
        {"frame": 0, "row": place.row, "column": place.column, "score": round(place.score, 9)}
        for place in best_places(scores, 3, SIZE)
    ]
    assert record["matches"][0] == {"frame": 0, "row": AT[0], "column": AT[1], "score": 1.0}
    drawn = pixels(tmp_path / "map.png")
    assert drawn.dtype == np.uint8
    np.testing.assert_array_equal(drawn, as_grey(scores, "uint8"))
    assert drawn[AT] == 255


def test_grey_has_zero_in_the_middle() -> None:
    scores = np.array([-1.0, -0.5, 0.0, 0.5, 1.0])
    assert as_grey(scores, "uint8").tolist() == [0, 64, 128, 191, 255]
    assert as_grey(scores, "uint16").tolist() == [0, 16384, 32768, 49151, 65535]


@pytest.mark.parametrize("name", ["map.tiff", "map.pfm"])
def test_formats_of_floats_store_the_scores(call: Call, tmp_path: Path, eye: Path, name: str) -> None:
    assert call("match", HOUSE, "--template", eye, "-o", tmp_path / name).code == 0
    found = pixels(tmp_path / name)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, match(pixels(HOUSE), pixels(eye)).astype(np.float32))


def test_npy_stores_the_scores_exactly(call: Call, tmp_path: Path, eye: Path) -> None:
    assert call("match", HOUSE, "--template", eye, "-o", tmp_path / "map.npy").code == 0
    np.testing.assert_array_equal(np.load(tmp_path / "map.npy"), match(pixels(HOUSE), pixels(eye)))


def test_16_bits_stay_16_bits_whatever_the_template_has(call: Call, tmp_path: Path, eye: Path) -> None:
    wide = save(tmp_path / "wide.png", pixels(HOUSE).astype(np.uint16) * 257)
    assert call("match", wide, "--template", eye, "-o", tmp_path / "map.png").code == 0
    np.testing.assert_array_equal(
        pixels(tmp_path / "map.png"), as_grey(match(pixels(wide), pixels(eye)), "uint16")
    )
    assert call("match", wide, "--template", eye, "-o", tmp_path / "map.jpg").code == 0
    assert pixels(tmp_path / "map.jpg").dtype == np.uint8


def test_without_o_and_top_one_position_and_a_map_next_to_the_input(
    call: Call, tmp_path: Path, eye: Path
) -> None:
    house = tmp_path / "house.png"
    house.write_bytes(HOUSE.read_bytes())
    (line,) = call("match", house, "--template", eye).out.splitlines()
    assert json.loads(line)["output"] == str(tmp_path / "house.match.png")
    assert len(json.loads(line)["matches"]) == 1
    assert (tmp_path / "house.match.png").exists()


def test_transparent_pixels_of_the_template_do_not_count(call: Call, tmp_path: Path) -> None:
    photo = pixels(SAMPLES / "landscape.png")
    piece = np.concatenate([photo[50:70, 80:110], np.full((20, 30, 1), 255, np.uint8)], axis=-1)
    piece[:, 10:] = 0, 255, 0, 0
    piece[3:9, :10] = 7, 7, 7, 0
    template = save(tmp_path / "piece.png", piece)
    result = call("match", SAMPLES / "landscape.png", "--template", template, "-o", tmp_path / "map.png")
    (place,) = json.loads(result.out)["matches"]
    assert (place["row"], place["column"]) == (50, 80)
    assert place["score"] == pytest.approx(1, abs=1e-6)


def test_the_alpha_of_the_picture_is_left_out_with_a_note(call: Call, tmp_path: Path) -> None:
    logo = SAMPLES / "logo.png"
    template = save(tmp_path / "piece.png", pixels(logo)[20:50, 30:60, :3])
    result = call("match", logo, "--template", template, "-o", tmp_path / "map.png")
    assert (
        "logo.png: its alpha is left out: transparent pixels are matched by their stored colours"
        in result.err
    )
    assert json.loads(result.out)["matches"][0]["score"] == 1


def test_every_frame_has_its_places(call: Call, tmp_path: Path) -> None:
    spinner = SAMPLES / "spinner.gif"
    frames = read_picture(spinner).frames
    template = save(tmp_path / "piece.png", frames[2].pixels[10:30, 10:34])
    result = call("match", spinner, "--template", template, "--top", 2, "-o", tmp_path / "map.gif", "-q")
    matches = json.loads(result.out)["matches"]
    assert {place["frame"] for place in matches} == set(range(len(frames)))
    assert max(place["score"] for place in matches if place["frame"] == 2) == pytest.approx(1)
    made = read_picture(tmp_path / "map.gif").frames
    assert [frame.duration for frame in made] == [frame.duration for frame in frames]


def test_every_input_has_a_line_and_a_bad_one_stops_no_other(call: Call, tmp_path: Path, eye: Path) -> None:
    result = call(
        "match",
        HOUSE,
        SAMPLES / "landscape.png",
        SAMPLES / "ramp16.png",
        "--template",
        eye,
        "-o",
        f"{tmp_path}/out/",
    )
    assert result.code == 1
    assert [Path(json.loads(line)["input"]).name for line in result.out.splitlines()] == [
        "house.png",
        "ramp16.png",
    ]
    line, summary = result.err.splitlines()
    assert summary.startswith("convcli: 2 done, 1 failed; ")
    assert line.endswith(
        f"landscape.png is RGB and the template {eye} is L; both must have the same channels: convert one, or "
        "give --gray to compare both as grey"
    )


def test_a_pipe_takes_the_map(program: Callable[..., subprocess.CompletedProcess[bytes]], eye: Path) -> None:
    import io

    done = program("match", "-", "--template", eye, "-o", "-", input=HOUSE.read_bytes())
    assert (done.returncode, done.stderr) == (0, b"")
    found = read_picture(io.BytesIO(done.stdout)).frames[0].pixels
    np.testing.assert_array_equal(found, as_grey(match(pixels(HOUSE), pixels(eye)), "uint8"))


def test_the_metadata_of_the_colours_does_not_describe_the_map(call: Call, tmp_path: Path) -> None:
    source = read_picture(SAMPLES / "landscape.jpg")
    template = save(tmp_path / "piece.png", source.frames[0].pixels[9:30, 9:30])
    result = call("match", SAMPLES / "landscape.jpg", "--template", template, "-o", tmp_path / "map.jpg")
    assert (result.code, result.err) == (0, "")
    assert "icc" not in read_picture(tmp_path / "map.jpg").metadata


# Errors


def test_a_template_must_fit(call: Call, tmp_path: Path, eye: Path) -> None:
    small = save(tmp_path / "small.png", pixels(HOUSE)[:20, :30])
    result = call("match", small, "--template", eye)
    assert result.code == 1
    assert one_error(result) == (
        f"the template {eye} is 40 wide and 25 high, larger than {small}, which is 30 wide and 20 high; crop the template, or swap the two"
    )
    assert not (tmp_path / "small.match.png").exists()


def bad_templates(folder: Path) -> dict[str, tuple[Path, str]]:
    flat = save(folder / "flat.png", np.full((5, 5), 9, np.uint8))
    clear = save(folder / "clear.png", np.zeros((5, 5, 4), np.uint8))
    one = np.zeros((5, 5, 4), np.uint8)
    one[2, 2] = 1, 2, 3, 255
    single = save(folder / "single.png", one)
    text = folder / "text.png"
    text.write_text("no picture")
    return {
        "flat": (flat, f"{flat}: the template is flat: all its pixels are equal"),
        "clear": (
            clear,
            f"the template {clear} is fully transparent, so there is nothing to match; give one with opaque pixels",
        ),
        "single": (
            single,
            f"{single}: the template is flat: all its pixels are equal where the mask is not 0",
        ),
        "text": (text, f"cannot read {text}: it is not a picture"),
        "missing": (folder / "none.png", f"cannot read {folder}/none.png: there is no such file"),
        "moving": (SAMPLES / "spinner.gif", "frames; give a picture with one frame"),
    }


@pytest.mark.parametrize("kind", ["flat", "clear", "single", "text", "missing", "moving"])
def test_an_invalid_template_is_reported_once(call: Call, tmp_path: Path, kind: str) -> None:
    template, message = bad_templates(tmp_path)[kind]
    result = call("match", HOUSE, SAMPLES / "ramp16.png", "--template", template, "-o", f"{tmp_path}/out/")
    assert result.code == 1
    assert message in one_error(result)
    assert not (tmp_path / "out").exists()


def test_a_typed_template_is_wrong_usage(call: Call) -> None:
    result = call("match", HOUSE, "--template", "1 1; 1 1")
    assert result.code == 2
    assert "1 1; 1 1: the template is flat: all its pixels are equal" in one_error(result)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--kernel", "sobel", "--template", "EYE"], "No such option '--kernel'"),
        (["--linear", "--template", "EYE"], "No such option '--linear'"),
        ([], "Missing option '--template'"),
        (["--template", "EYE", "--top", "3", "-o", "-"], "--top and the map of -o - would both go to standard output"),
        (["--template", "EYE", "-o", "EYE", "--force"], "is the template and would be overwritten; choose another -o"),
        (["--template", "EYE", "--top", "0"], "'0' is not a whole number of at least 1"),
    ],
)  # fmt: skip
def test_options_that_do_not_fit_together(call: Call, eye: Path, words: list[str], message: str) -> None:
    before = eye.read_bytes()
    result = call("match", HOUSE, *(str(eye) if word == "EYE" else word for word in words))
    assert result.code == 2
    assert message in one_error(result)
    assert eye.read_bytes() == before


def test_an_existing_map_is_not_overwritten(call: Call, tmp_path: Path, eye: Path) -> None:
    (tmp_path / "map.png").write_text("precious")
    result = call("match", HOUSE, "--template", eye, "-o", tmp_path / "map.png")
    assert result.code == 1
    assert one_error(result).endswith("map.png exists; give --force to replace it, or another -o")
    result = call(
        "match", HOUSE, "--template", eye, "-o", tmp_path / "map.png", "--png-level", "9", "--force"
    )
    assert result.code == 0


def test_a_dry_run_reports_the_map_and_the_memory(call: Call, tmp_path: Path, eye: Path) -> None:
    target = tmp_path / "map.png"
    result = call("match", HOUSE, "--template", eye, "-o", target, "--dry-run")
    assert (result.code, result.err) == (0, "")
    rows, columns = (n - k + 1 for n, k in zip(pixels(HOUSE).shape, SIZE, strict=True))
    height, width = pixels(HOUSE).shape
    assert result.out.startswith(
        f"{HOUSE}: would read PNG, L, {width} wide and {height} high, decoded whole; search for {eye} (40 wide and 25 high), about "
    )
    assert result.out.endswith(f" MiB; write {target}: PNG, L, {columns} wide and {rows} high\n")
    assert not target.exists()
    small = save(tmp_path / "small.png", pixels(HOUSE)[:20, :30])
    assert "larger than" in one_error(call("match", small, "--template", eye, "--dry-run"))


def test_one_frame_is_searched_for_the_whole_template(call: Call, tmp_path: Path) -> None:
    spinner = SAMPLES / "spinner.gif"
    frames = read_picture(spinner).frames
    template = save(tmp_path / "piece.png", frames[2].pixels[10:30, 10:34])
    result = call("match", spinner, "--template", template, "--frame", 2, "-o", tmp_path / "map.png", "-q")
    (place,) = json.loads(result.out)["matches"]
    assert (place["row"], place["column"], place["score"]) == (10, 10, pytest.approx(1))


def test_the_old_option_names_the_new_command(call: Call, eye: Path) -> None:
    result = call("filter", HOUSE, "--match", eye)
    assert result.code == 2
    assert one_error(result) == (
        "No such option '--match'; use convcli match PICTURE --template T (see convcli filter --help)"
    )
