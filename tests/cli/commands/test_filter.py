"""convcli filter from end to end: files in, files out, and one clear line for each error."""

import io
import json
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from convcli.filters.filter_image import filter_image
from convcli.images.read import read_picture
from convcli.kernels import parse_kernel
from tests.conftest import ROOT, SAMPLE_NAMES, SAMPLES, Call, one_error

HOUSE = SAMPLES / "house.png"


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A copy of the house in a folder of its own."""
    path = tmp_path / "house.png"
    path.write_bytes(HOUSE.read_bytes())
    return path


def test_without_o_the_output_is_next_to_the_input(call: Call, house: Path) -> None:
    code, out, err = call("filter", house, "--kernel", "sobel")
    assert (code, out) == (0, f"{house.parent}/house.sobel.png\n")
    assert "of the samples were clipped; --range minmax rescales all values to fit" in err
    (frame,) = read_picture(house.parent / "house.sobel.png").frames
    (source,) = read_picture(HOUSE).frames
    assert (frame.pixels == filter_image(source.pixels, parse_kernel("sobel")).pixels).all()


@pytest.mark.parametrize(
    ("kernel", "advice"),
    [
        ("sharpen", "; a smaller amount clips less"),
        ("unsharp:threshold=2", "; a smaller amount clips less"),
        ("highboost", "; a smaller amount clips less"),
        ("0 -1 0; -1 5 -1; 0 -1 0", ""),
        ("kirsch", "; --range minmax rescales all values to fit"),
        ("sobel-x", "; --range offset also shows negative values, around middle grey"),
    ],
)
def test_the_advice_on_clipping_does_not_change_the_contrast_of_a_sharpened_picture(
    call: Call, tmp_path: Path, kernel: str, advice: str
) -> None:
    err = call("filter", HOUSE, "--kernel", kernel, "-o", tmp_path / "x.png").err
    assert err.partition("of the samples were clipped")[1:] == ("of the samples were clipped", f"{advice}\n")


@pytest.mark.parametrize("name", SAMPLE_NAMES)
def test_every_sample_keeps_frames_depth_and_metadata(call: Call, tmp_path: Path, name: str) -> None:
    assert call("filter", SAMPLES / name, "--kernel", "gaussian", "-q", "-o", f"{tmp_path}/").code == 0
    source, result = read_picture(SAMPLES / name), read_picture(tmp_path / name)
    assert [(f.mode, f.pixels.shape, f.duration) for f in result.frames] == [
        (f.mode, f.pixels.shape, f.duration) for f in source.frames
    ]
    assert (result.loop, result.metadata.keys()) == (source.loop, source.metadata.keys())
    assert result.metadata.get("icc") == source.metadata.get("icc")


def test_options_reach_the_filter(call: Call, house: Path) -> None:
    options = [
        "--stride",
        "2x3",
        "--padding",
        "1:0x2:2",
        "--padding-mode",
        "edge",
        "--dilation",
        "2",
        "--flip",
        "--range",
        "offset",
    ]
    assert call("filter", house, "--kernel", "1 2; 0 -1", "-o", house.parent / "x.png", *options).code == 0
    (source,) = read_picture(HOUSE).frames
    expected = filter_image(
        source.pixels,
        parse_kernel("1 2; 0 -1"),
        stride=(2, 3),
        padding=((1, 0), (2, 2)),
        padding_mode="replicate",
        dilation=2,
        flip=True,
        value_range="offset",
    )
    assert (read_picture(house.parent / "x.png").frames[0].pixels == expected.pixels).all()


def test_padding_value_and_alpha_reach_the_filter(call: Call, tmp_path: Path) -> None:
    options = ["--padding-mode", "constant", "--padding-value", "9", "--alpha", "filter", "--stride", "5"]
    assert (
        call("filter", SAMPLES / "logo.png", "--kernel", "box:5", "-o", tmp_path / "x.png", *options).code
        == 0
    )
    (source,) = read_picture(SAMPLES / "logo.png").frames
    expected = filter_image(
        source.pixels,
        parse_kernel("box:5"),
        padding_mode="constant",
        padding_value=9,
        alpha="filter",
        stride=5,
    )
    assert (read_picture(tmp_path / "x.png").frames[0].pixels == expected.pixels).all()


# Where outputs go


def test_a_folder_keeps_the_names(call: Call, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    for folder in ("made", "there"):
        result = call("filter", HOUSE, SAMPLES / "zoneplate.png", "--kernel", "box", "-o", tmp_path / folder)
        names = [Path(folder) / "house.png", Path(folder) / "zoneplate.png"]
        if folder == "made":
            assert one_error(result).endswith(
                "give a folder (-o out/) or a template (-o 'out/{stem}.{kernel}{ext}')"
            )
            result = call(
                "filter", HOUSE, SAMPLES / "zoneplate.png", "--kernel", "box", "-o", f"{tmp_path}/made/"
            )
        assert result.out.splitlines() == [str(tmp_path / name) for name in names]
        assert all((tmp_path / name).exists() for name in names)


def test_a_template_is_filled(call: Call, tmp_path: Path) -> None:
    template = f"{tmp_path}/{{kernel}}/{{stem}}-{{name}}{{ext}}"
    assert call("filter", HOUSE, "--kernel", "gaussian:2", "-o", template).code == 0
    assert (tmp_path / "gaussian/house-house.png.png").exists()


def test_an_unknown_field_is_named(call: Call, tmp_path: Path) -> None:
    result = call("filter", HOUSE, "--kernel", "box", "-o", f"{tmp_path}/{{steem}}.png")
    assert result.code == 2
    assert "there is no field {steem}; use {stem} {ext} {name} {parent} {below} {kernel}" in one_error(result)


def test_a_pipe_takes_and_gives_pictures(program: Callable[..., subprocess.CompletedProcess[bytes]]) -> None:
    run = program("filter", "-", "--kernel", "emboss", input=HOUSE.read_bytes())
    assert run.returncode == 0
    (source,) = read_picture(HOUSE).frames
    expected = filter_image(source.pixels, parse_kernel("emboss")).pixels
    picture = read_picture(io.BytesIO(run.stdout))
    assert picture.format == "PNG"
    assert (picture.frames[0].pixels == expected).all()
    run = program("filter", HOUSE, "--kernel", "emboss", "-o", "tiff:-")
    assert read_picture(io.BytesIO(run.stdout)).format == "TIFF"
    assert (read_picture(io.BytesIO(run.stdout)).frames[0].pixels == expected).all()


def test_outputs_that_collide_are_refused_before_the_start(call: Call, tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "same.png").write_bytes(HOUSE.read_bytes())
    result = call(
        "filter", tmp_path / "a/same.png", tmp_path / "b/same.png", "--kernel", "box", "-o", f"{tmp_path}/c/"
    )
    assert result.code == 2
    assert "a/same.png and " in one_error(result)
    assert "would both be written to" in one_error(result)
    assert not (tmp_path / "c").exists()


def test_an_input_is_never_overwritten(call: Call, house: Path) -> None:
    for output in (house, f"{house.parent}/"):
        result = call("filter", house, "--kernel", "box", "--force", "-o", output)
        assert result.code == 2
        assert "is an input and would be overwritten; choose another -o" in one_error(result)
    assert house.read_bytes() == HOUSE.read_bytes()


def test_an_input_is_recognised_through_a_link(call: Call, house: Path) -> None:
    (house.parent / "link.png").symlink_to(house)
    result = call("filter", house, "--kernel", "box", "--force", "-o", house.parent / "link.png")
    assert result.code == 2
    assert house.read_bytes() == HOUSE.read_bytes()


def test_an_output_that_exists_is_kept_without_force(call: Call, house: Path) -> None:
    target = house.parent / "house.box.png"
    target.write_bytes(b"precious")
    result = call("filter", house, "--kernel", "box")
    assert result.code == 1
    assert one_error(result) == f"{target} exists; give --force to replace it, or another -o"
    assert target.read_bytes() == b"precious"
    assert call("filter", house, "--kernel", "box", "--force").code == 0
    assert read_picture(target)


# Errors


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--kernel", "sobbel"], "unknown kernel 'sobbel'; did you mean 'sobel'?"),
        (["--kernel", "1 2; 3"], "kernel '1 2; 3' is ragged: row 1 has 2 values, row 2 has 1"),
        (
            ["--kernel", "box:300"],
            "a kernel of size 300 is over the limit of 255; raise it with --max-kernel 300",
        ),
        (["--kernel", "box", "--stride", "0"], "stride must be at least 1, got 0"),
        (["--kernel", "box", "--dilation", "0"], "dilation must be at least 1, got 0"),
        (["--kernel", "box", "--stride", "1x2x3"], "stride 1x2x3 has 3 axes where 2 are needed"),
        (
            ["--kernel", "box", "--padding", "Same"],
            "'Same' is not a padding: 'Same' is not a whole number; did you mean 'same'?",
        ),
        (
            ["--kernel", "box", "--padding", "1,2"],
            "'1,2' is not a padding: '1,2' is not a whole number; did you mean 1x2?",
        ),
        (
            ["--kernel", "box", "--stride", "2,2"],
            "'2,2' is not a size: '2,2' is not a whole number; did you mean 2x2?",
        ),
        (
            ["--kernel", "box", "--padding-mode", "Refelct"],
            "there is no padding mode 'Refelct'; did you mean 'reflect'?",
        ),
        (
            ["--kernel", "box", "--variant", "Dilated"],
            "there is no variant 'Dilated'; did you mean 'dilated'?",
        ),
        (
            ["--kernel", "box", "--padding", "some"],
            "Invalid value for '-p' / '--p' / '--padding': 'some' is not a padding",
        ),
        (
            ["--kernel", "box", "--padding", "-1"],
            "Invalid value for '-p' / '--p' / '--padding': '-1' is not a padding",
        ),
        (
            ["--kernel", "box", "--padding-mode", "mirrored"],
            "there is no padding mode 'mirrored'; did you mean 'mirror'?",
        ),
        (["--kernel", "box", "--range", "wrap"], "'wrap' is not one of 'clip', 'abs', 'offset', 'minmax'"),
        (
            ["--kernel", "sobel", "--alpha", "premultiply"],
            "--alpha premultiply needs a weighted mean, which sobel is not",
        ),
        (
            ["--kernel", "box", "-o", "x.doc"],
            "x.doc has the ending '.doc', which is not a picture format; use .png",
        ),
        (
            ["--kernel", "box", "-o", "o"],
            "-o o is not a folder, and has no ending, which determines the format; write o.png for a file, or o/ for a folder",
        ),
        (
            ["--kernel", "box", "-o", "png"],
            "write out.png for a file, or png/ for a folder, or png:- for standard output",
        ),
        (
            ["no.png", "--kernel", "box"],
            "there is no no.png, and all words are inputs; if it is the output of ",
        ),
        (["no/", "--kernel", "box"], "give -o no/"),
        (
            ["--kernel", "box", "--padding", "reflect"],
            "'reflect' is a padding mode, which is set by --padding-mode reflect; the padding is a size, such as 1, or one "
            "of valid, same, same-lower, full",
        ),
        (
            ["--kernel", "box", "--padding-mode", "same"],
            "'same' is a padding, which is set by --padding same; the padding mode is one of zeros, constant",
        ),
        (["--kernel", "box", "--stride", "(2, 1)"], "'(2, 1)' is not a whole number; did you mean 2x1?"),
        (["--pool", "maxpool:2"], "--pool: there is no 'maxpool'; did you mean 'max:2'?"),
        (["--pool", "nn.MaxPool2d(3, 2)"], "did you mean 'max:3,stride=2'?"),
        (["--pool", "GlobalAveragePooling2D()"], "did you mean 'global-avg'?"),
        (["--pool", "AdaptiveMaxPool2d"], "did you mean 'adaptive-max:7'?"),
        (["--pool", "2"], "--pool: there is no '2'; did you mean 'max:2'?"),
        (["--pool", "median:3"], "--pool: there is no 'median'; use max, avg, lp, global-avg"),
        (
            ["--kernel", "median"],
            "use 'gaussian' or 'box' to smooth, or --pool avg:3,stride=1",
        ),
        (["--kernel", "box", "--activation", "nn.LeakyReLU(0.1)"], "did you mean 'leaky-relu'?"),
        (
            ["--kernel", "box", "--activation", "swish"],
            "there is no activation 'swish'; did you mean 'silu'?",
        ),
        (
            ["--kernel", "box", "--variant", "Conv2d"],
            "there is no variant 'Conv2d'; did you mean 'standard'?",
        ),
        (
            ["--kernel", "box", "--only", "10x12+3+4"],
            "'10x12+3+4' is ImageMagick's WIDTHxHEIGHT+X+Y; did you mean 3,4,10,12?",
        ),
        (["--kernel"], "Option '--kernel' requires an argument; -k, --kernel SPEC: sobel, gaussian:sigma=2"),
        (["--kernel", "box", "-o", "doc:-"], "has the ending '.doc', which is not a picture format"),
        (["--kernel", "box", "--kernal", "x"], "No such option '--kernal'"),
        ([], "there is nothing to run; give --kernel or --weights, such as --kernel sobel"),
    ],
)
def test_wrong_usage_is_one_line_and_code_2(
    call: Call, house: Path, arguments: list[str], message: str
) -> None:
    result = call("filter", house, *arguments)
    assert result.code == 2
    assert message in one_error(result)
    assert os.listdir(house.parent) == ["house.png"]


def damaged(folder: Path) -> dict[str, str]:
    """Write files that cannot be filtered; return their names with the error of each."""
    (folder / "text.png").write_text("hello")
    (folder / "cut.png").write_bytes(HOUSE.read_bytes()[:5000])
    (folder / "folder.png").mkdir()
    (folder / "notes").write_text("hello")
    Image.fromarray(np.zeros((2, 2), np.uint8)).save(folder / "tiny.png")
    return {
        "none.png": "there is no such file; check the spelling and the folder",
        "text.png": "it is not a picture in a supported format",
        "cut.png": "the file is damaged or cut short",
        "folder.png": "there is no picture in it",
        "tiny.png": "the output would be empty: along the height the kernel spans 3, but the padded input has only",
    }


@pytest.mark.parametrize("name", ["none.png", "text.png", "cut.png", "folder.png", "tiny.png"])
def test_a_bad_input_is_one_line_and_code_1(call: Call, tmp_path: Path, name: str) -> None:
    messages = damaged(tmp_path)
    before = sorted(os.listdir(tmp_path))
    result = call("filter", tmp_path / name, "--kernel", "outline", "--padding", "valid")
    assert result.code == 1
    assert messages[name] in one_error(result)
    assert sorted(os.listdir(tmp_path)) == before


def test_a_batch_continues_after_bad_files(call: Call, house: Path) -> None:
    names = list(damaged(house.parent))
    inputs = [house.parent / name for name in names]
    words = ("--kernel", "outline", "--padding", "valid", "--range", "abs")
    result = call("filter", *inputs[:2], house, *inputs[2:], *words)
    assert result.code == 1
    assert result.out == f"{house.parent}/house.outline.png\n"
    *errors, _summary = [line for line in result.err.splitlines() if "clipped" not in line]
    assert len(errors) == len(names)
    assert all(line.startswith("convcli: error: ") for line in errors)
    assert read_picture(house.parent / "house.outline.png")


def test_modes_that_an_output_cannot_store_are_rejected(call: Call, tmp_path: Path) -> None:
    result = call("filter", SAMPLES / "logo.png", "--kernel", "box", "-o", tmp_path / "x.jpg")
    assert result.code == 1
    assert "JPEG cannot hold the pixel mode RGBA; these can: .png, .webp, .tiff, .gif" in one_error(result)
    result = call("filter", SAMPLES / "spinner.gif", "--kernel", "box", "-o", tmp_path / "x.jpg")
    assert "JPEG cannot hold the pixel mode RGBA" in one_error(result)
    assert os.listdir(tmp_path) == []


def test_an_unwritable_folder(call: Call) -> None:
    result = call("filter", HOUSE, "--kernel", "box", "-o", "/proc/house.png")  # where even root cannot write
    assert result.code == 1
    assert one_error(result).startswith("cannot write /proc/house.png: ")


def test_a_folder_that_cannot_be_made(call: Call, house: Path) -> None:
    result = call("filter", house, "--kernel", "box", "-o", f"{house}/sub/")
    assert result.code == 1
    assert "cannot write" in one_error(result)
    assert "Not a directory" in one_error(result)


def test_pixels_are_limited(call: Call, house: Path) -> None:
    result = call("filter", house, "--kernel", "box", "--max-pixels", "100")
    assert result.code == 1
    assert "its 128,000 pixels are over the limit of 100; raise it with --max-pixels 128000" in one_error(
        result
    )


def test_line_breaks_in_names_do_not_break_the_line(call: Call, tmp_path: Path) -> None:
    result = call("filter", tmp_path / "a\nb\x1b[31m.png", "--kernel", "box")
    assert r"a\nb\x1b[31m.png: there is no such file" in one_error(result)


@pytest.mark.parametrize("option", ["--padding", "--dilation"])
@pytest.mark.parametrize("size", ["100000", "1" + "0" * 30])
def test_padding_is_limited_before_any_memory_is_taken(
    call: Call, house: Path, option: str, size: str
) -> None:
    result = call("filter", house, "--kernel", "box", option, size)
    assert result.code == 1
    assert "with its padding it has" in one_error(result)
    assert "over the limit of 200,000,000; pad less" in one_error(result)


def test_an_input_without_an_ending_needs_an_output(call: Call, house: Path) -> None:
    house.rename(house.parent / "house")
    result = call("filter", house.parent / "house", "--kernel", "box")
    assert result.code == 2
    assert (
        "house has no ending, from which the format of its output is taken; name the output with -o"
        in one_error(result)
    )
    assert call("filter", house.parent / "house", "--kernel", "box", "-o", house).code == 0


def test_a_loop_of_links_fails_one_file(call: Call, house: Path) -> None:
    loop = house.parent / "loop.png"
    loop.symlink_to(loop)
    result = call("filter", loop, house, "--kernel", "box")
    assert result.code == 1
    assert "Too many levels of symbolic links" in result.err
    assert result.out == f"{house.parent}/house.box.png\n"


def test_an_output_that_is_a_link_or_a_pipe_is_left_alone(call: Call, house: Path) -> None:
    (house.parent / "link.png").symlink_to("elsewhere.png")
    os.mkfifo(house.parent / "pipe.png")
    for name, why in (("link", "it is a link"), ("pipe", "it is a device or a pipe")):
        result = call("filter", house, "--kernel", "box", "--force", "-o", house.parent / f"{name}.png")
        assert result.code == 1
        assert why in one_error(result)
    assert sorted(os.listdir(house.parent)) == ["house.png", "link.png", "pipe.png"]


def test_a_folder_may_have_braces(call: Call, house: Path) -> None:
    (house.parent / "a{b}").mkdir()
    assert call("filter", house, "--kernel", "box", "-o", house.parent / "a{b}").code == 0
    assert (house.parent / "a{b}/house.png").exists()


def test_advice_about_clipping_fits_the_run_and_is_printed_once(call: Call, house: Path) -> None:
    other = house.parent / "other.png"
    other.write_bytes(HOUSE.read_bytes())
    code, _, err = call("filter", house, other, "--kernel", "laplacian")
    assert code == 0
    notes = [line for line in err.splitlines() if "clipped" in line]
    assert len(notes) == 2
    assert notes[0].endswith("clipped; --range offset also shows negative values, around middle grey")
    assert notes[1].startswith(f"convcli: {other}: ") and notes[1].endswith("of the samples were clipped")
    assert "--normalize divides by the sum" in call("filter", house, "--kernel", "1 2 1", "--force").err


def test_clipping_of_less_than_one_per_cent_is_not_reported(call: Call, tmp_path: Path) -> None:
    pixels = np.full((20, 20), 100, np.uint8)
    for count, reported in ((3, False), (4, True)):
        pixels.flat[:count] = 200
        Image.fromarray(pixels).save(tmp_path / "x.png")
        err = call("filter", tmp_path / "x.png", "-k", "2", "-o", tmp_path / "y.png", "--force").err
        assert ("1.00% of the samples were clipped" in err) == reported == bool(err)


def test_a_kernel_where_a_file_is_expected(call: Call, house: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(house.parent)
    for word in ("sobel", "gaussian:2"):
        result = call("filter", word, house)
        assert result.code == 2
        assert one_error(result) == (
            f"there is no file {word!r}, and it is the name of a kernel; did you mean --kernel {word}?"
        )
    Path("sobel").mkdir()
    assert "there is nothing to run" in call("filter", "sobel").err


def test_an_error_suggests_a_square_for_numbers_in_a_row(call: Call, house: Path) -> None:
    words = ["filter", house, "--kernel", "0 -1 0 -1 5 -1 0 -1 0"]
    code, _, err = call(*words)
    assert code == 0
    assert "is one row; did you mean '0 -1 0; -1 5 -1; 0 -1 0'?" in err
    for other in (
        "1 2 1",
        "1 1 1 1",
        "0 -1 0; -1 5 -1; 0 -1 0",
        "0 -1 0\n-1 5 -1\n0 -1 0",
        "sobel",
        "1 " * 16,
    ):
        assert "one row" not in call("filter", house, "--kernel", other, "--force").err
    assert "one row" not in call(*words, "--dims", "1", "--force").err


# Verbosity


def test_quiet_prints_only_errors(call: Call, house: Path) -> None:
    assert call("filter", house, "--kernel", "sobel", "-q") == (0, "", "")
    assert "exists" in call("filter", house, "--kernel", "sobel", "-q").err


def test_quiet_prints_requested_answers(call: Call, house: Path) -> None:
    words = ["filter", house, "--kernel", "sobel", "-q"]
    assert call(*words, "--dry-run").out.startswith(f"{house}: would read PNG")
    assert json.loads(call(*words, "--stats").out)["output"] == f"{house.parent}/house.sobel.png"
    assert call(*words, "--explain", "0,0").out.startswith("output 0,0 of 320x400")


def test_verbose_reports_what_was_done(call: Call, house: Path) -> None:
    err = call("filter", house, "--kernel", "identity", "--stride", "2", "-v").err
    assert f"{house}: PNG, L, 1 frame(s), 400 wide and 320 high to 200 wide and 160 high, " in err


def test_debug_gives_the_traceback(call: Call, tmp_path: Path) -> None:
    code, _, err = call("filter", tmp_path / "none.png", "--kernel", "box", "--debug")
    assert code == 1
    assert "Traceback (most recent call last)" in err
    assert err.splitlines()[-1].startswith("convcli: error: cannot read")


# Real processes: signals, pipes, names that are not valid text


def test_a_name_that_is_no_text(
    program: Callable[..., subprocess.CompletedProcess[bytes]], tmp_path: Path
) -> None:
    name = os.fsdecode(b"caf\xe9.png")
    (tmp_path / name).write_bytes(HOUSE.read_bytes())
    run = program("filter", name, "--kernel", "box")
    assert (run.returncode, run.stdout) == (0, b"caf\xe9.box.png\n")
    assert (tmp_path / os.fsdecode(b"caf\xe9.box.png")).exists()


def test_a_name_with_a_leading_dash(
    program: Callable[..., subprocess.CompletedProcess[bytes]], tmp_path: Path
) -> None:
    (tmp_path / "-x.png").write_bytes(HOUSE.read_bytes())
    assert program("filter", "--kernel", "box", "--", "-x.png").returncode == 0
    assert (tmp_path / "-x.box.png").exists()


def test_a_file_called_dash(
    program: Callable[..., subprocess.CompletedProcess[bytes]], tmp_path: Path
) -> None:
    (tmp_path / "-").write_bytes(HOUSE.read_bytes())
    assert (
        program("filter", "./-", "--kernel", "box", "-o", "x.png", stdin=subprocess.DEVNULL).returncode == 0
    )
    assert (tmp_path / "x.png").exists()


@pytest.mark.parametrize(("closed", "code"), [("<&-", 0), (">&-", 1), ("2>&-", 0), ("<&- >&- 2>&-", 1)])
def test_with_closed_streams_the_picture_is_written(tmp_path: Path, closed: str, code: int) -> None:
    command = shlex.join(
        [sys.executable, "-m", "convcli", "filter", str(HOUSE), "-k", "sobel", "-o", str(tmp_path / "x.png")]
    )
    run = subprocess.run(["bash", "-c", f"{command} {closed}"], cwd=ROOT, capture_output=True, check=False)
    assert run.returncode == code
    assert b"Traceback" not in run.stderr
    assert read_picture(tmp_path / "x.png")


def test_with_stderr_closed_nothing_is_mixed_into_the_picture(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "convcli", "filter", HOUSE, "--kernel", "sobel", "-o", "-"]
    with (tmp_path / "x.png").open("wb") as output:
        subprocess.run(["bash", "-c", '"$@" 2>&-', "bash", *command], cwd=ROOT, stdout=output, check=True)
    assert (tmp_path / "x.png").read_bytes().endswith(b"IEND\xaeB`\x82")


def test_standard_output_on_a_full_disk(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "convcli", "filter", str(HOUSE), "--kernel", "box", "-o", "-"]
    with Path("/dev/full").open("wb") as full:
        run = subprocess.run(command, cwd=ROOT, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert run.returncode == 1
    assert run.stderr == "convcli: error: cannot write to standard output: No space left on device\n"


def test_a_broken_pipe_ends_quietly(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "convcli",
        "filter",
        str(SAMPLES / "landscape.png"),
        "--kernel",
        "box",
        "-o",
        "-",
    ]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait(30) == 141


@pytest.mark.parametrize(("signal", "code"), [("SIGINT", 130), ("SIGTERM", 143)])
def test_signals_end_it_cleanly(tmp_path: Path, signal: str, code: int) -> None:
    import signal as signals

    fifo = tmp_path / "in.png"
    os.mkfifo(fifo)
    command = [sys.executable, "-m", "convcli", "filter", str(fifo), "--kernel", "box", "-v"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    writer = None
    while writer is None and process.poll() is None:
        with suppress(OSError):  # until the program reads, so that it is running
            writer = os.open(fifo, os.O_WRONLY | os.O_NONBLOCK)
        time.sleep(0.01)
    assert writer is not None, process.communicate()
    process.send_signal(getattr(signals, signal))
    out, err = process.communicate(timeout=30)
    os.close(writer)
    assert process.returncode == code
    assert b"Traceback" not in err
    assert out == b""
    assert os.listdir(tmp_path) == ["in.png"]


def test_png_level_sets_the_deflation(call: Call, house: Path) -> None:
    wanted = filter_image(read_picture(HOUSE).frames[0].pixels, parse_kernel("box")).pixels
    sizes = []
    for level in ((), ("--png-level", "0"), ("--png-level", "9")):
        output = house.with_name(f"out{len(sizes)}.png")
        assert call("filter", house, "--kernel", "box", *level, "-o", output).code == 0
        (frame,) = read_picture(output).frames
        assert (frame.pixels == wanted).all()
        sizes.append(output.stat().st_size)
    assert sizes[2] <= sizes[0] < sizes[1] / 3
    assert sizes[1] > frame.pixels.size


def test_png_level_is_rejected_without_png(call: Call, house: Path) -> None:
    output = house.with_name("house.jpg")
    result = call("filter", house, "--kernel", "box", "--png-level", "9", "-o", output)
    assert result.code == 2
    assert one_error(result) == f"{output}: --png-level belongs to PNG output, not to JPEG"
    assert not output.exists()
    result = call("filter", house, "--kernel", "box", "--png-level", "10")
    assert result.code == 2
    assert "'10' is not a whole number from 0 to 9" in one_error(result)


def test_the_dry_run_estimates_the_time_of_many_small_pages(call: Call, tmp_path: Path) -> None:
    """Each page takes time, however few pixels it has."""
    pages = [Image.new("L", (2, 2), n) for n in range(200)]
    pages[0].save(tmp_path / "many.tif", save_all=True, append_images=pages[1:])
    pages[0].save(tmp_path / "one.tif")
    words = ("-k", "box", "-o", tmp_path / "out.tif", "--dry-run", "--stats")
    many, one = (
        json.loads(call("filter", tmp_path / name, *words).out)["seconds"] for name in ("many.tif", "one.tif")
    )
    assert 0.05 < many < 1
    assert one <= many / 100


def test_a_missing_input_among_many_fails_alone(call: Call, house: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.png"
    other.write_bytes(house.read_bytes())
    result = call("filter", house, other, tmp_path / "no.png", "--kernel", "box", "--range", "minmax")
    assert result.code == 1
    assert "cannot read" in result.err
    assert "2 done, 1 failed" in result.err
    listed = call("filter", house, tmp_path / "no.png", "--kernel", "box", "-o", f"{tmp_path}/out/")
    assert "1 done, 1 failed" in listed.err


def test_a_png_keeps_the_pixels_outside_only_and_a_jpeg_encodes_them_again(
    call: Call, tmp_path: Path
) -> None:
    photo = SAMPLES / "landscape.jpg"
    source = read_picture(photo).frames[0].pixels.astype(int)
    outside = np.ones(source.shape[:2], bool)
    outside[80:144, 40:104] = False
    most = {}
    for name in ("x.png", "x.tif", "x.jpg"):
        options = ("--kernel", "gaussian:8", "--only", "40,80,64,64", "-o", tmp_path / name)
        assert call("filter", photo, *options).code == 0
        changes = np.abs(read_picture(tmp_path / name).frames[0].pixels - source)
        most[name] = int(changes[outside].max())
        assert changes[~outside].max() > 8
    assert most["x.png"] == most["x.tif"] == 0 < most["x.jpg"]
