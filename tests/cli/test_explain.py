"""convcli filter --explain: one output as arithmetic, in words and as JSON."""

import json
from pathlib import Path

import pytest
from PIL import Image

from tests.conftest import SAMPLES, Call, one_error

NINE = "0 1 2; 3 4 5; 6 7 8"


def test_the_textbooks_example(call: Call) -> None:
    result = call(
        "filter", "--values", NINE, "--kernel", "0 1; 2 3", "--padding", "valid", "--explain", "0,0"
    )
    assert (result.code, result.err) == (0, "")
    assert result.out == (
        "output 0,0 of 2x2, counted from 0: rows 0 to 1 and columns 0 to 1 of the picture\n"
        "\n"
        "channel 0:\n"
        "window   kernel   products\n"
        "0 1      0 1       0  1\n"
        "3 4      2 3       6 12\n"
        "0*0 + 1*1 + 3*2 + 4*3 = 19\n"
        "\n"
        "sample: 19\n"
    )


def test_padding_bias_and_activation_in_words(call: Call) -> None:
    words = (
        "--kernel",
        "-1 2",
        "--bias",
        "-5",
        "--activation",
        "relu",
        "--padding",
        "full",
        "--padding-mode",
        "zeros",
    )
    out = call("filter", "--values", "3 1", *words, "--explain", "0,0").out
    assert out == (
        "output 0,0 of 1x3, counted from 0: rows 0 and columns -1 to 0 of the picture\n"
        "in brackets: padding, zeros\n"
        "\n"
        "channel 0:\n"
        "window    kernel   products\n"
        "(0)   3   -1  2    0 6\n"
        "0*(-1) + 3*2 = 6\n"
        "\n"
        "6 + -5 = 1\n"
        "relu: 1\n"
        "sample: 1\n"
    )


def test_a_magnitude_has_a_window_for_each_matrix(call: Call) -> None:
    out = call("filter", SAMPLES / "house.png", "--kernel", "sobel", "--explain", "100,100").out
    assert "channel 0, matrix 0:" in out
    assert "channel 0, matrix 1:" in out
    assert "sqrt of the sum of the squares of " in out
    with Image.open(SAMPLES / "house.png") as image:
        assert f" {image.getpixel((100, 100))} " in out


def test_json_has_all_numbers_of_the_text(call: Call, tmp_path: Path) -> None:
    target = tmp_path / "x.json"
    result = call("filter", SAMPLES / "landscape.png", "--kernel", "box", "--explain", "7,9", "-o", target)
    assert result == (0, "", f"convcli: wrote {target}\n")
    found = json.loads(target.read_text())
    assert (found["command"], found["row"], found["column"]) == ("filter", 7, 9)
    assert (found["rows"], found["columns"]) == ([6, 8], [8, 10])
    with Image.open(SAMPLES / "landscape.png") as image:
        window = [[image.getpixel((column, row)) for column in (8, 9, 10)] for row in (6, 7, 8)]
    for number, channel in enumerate(found["channels"]):
        (part,) = channel["parts"]
        assert part["window"] == [[pixel[number] for pixel in row] for row in window]
        assert channel["sums"] == [sum(map(sum, part["window"]))]
        assert channel["sample"] == round(channel["sums"][0] / 9)
    words = ("--kernel", "box", "--explain", "7,9", "-o", tmp_path / "x.txt")
    assert call("filter", SAMPLES / "landscape.png", *words).code == 0
    assert (tmp_path / "x.txt").read_text().count("sample: ") == 3
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["x.json", "x.txt"]


def test_it_is_drawn_light_and_dark(call: Call, tmp_path: Path) -> None:
    words = ("filter", SAMPLES / "landscape.png", "--kernel", "box", "--explain", "7,9")
    pictures = {}
    for theme in ("light", "dark"):
        for ending in ("png", "svg"):
            target = tmp_path / f"{theme}.{ending}"
            assert call(*words, "--theme", theme, "-o", target) == (0, "", f"convcli: wrote {target}\n")
        with Image.open(tmp_path / f"{theme}.png") as image:
            pictures[theme] = image.convert("RGB").getpixel((0, 0))
        assert "7 to 8" not in (tmp_path / f"{theme}.svg").read_text()
        assert (
            ">rows 6 to 8 and columns 8 to 10 of the picture</text>"
            in (tmp_path / f"{theme}.svg").read_text()
        )
    assert pictures == {"light": (255, 255, 255), "dark": (16, 22, 29)}


def test_of_large_kernels_and_many_maps_a_part_is_printed(call: Call, tmp_path: Path) -> None:
    import numpy as np

    out = call("filter", SAMPLES / "house.png", "--kernel", "box:9", "--explain", "50,50").out
    assert "\n81 products, sum: " in out
    np.save(tmp_path / "w.npy", np.ones((20, 1, 2, 2)))
    words = ("--weights", tmp_path / "w.npy", "--explain", "5,5", "--padding", "valid")
    out = call("filter", "--values", "; ".join(["1 2 3 4 5 6 7"] * 7), *words).out
    assert out.endswith("8 more channels are in the JSON output\n")


def test_exactly_one_picture_is_explained(call: Call) -> None:
    words = ("--kernel", "box", "--explain", "1,1")
    message = "--explain explains one picture, and 2 are given; name one"
    assert one_error(call("filter", SAMPLES / "house.png", SAMPLES / "logo.png", *words)) == message


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["--explain", "1"], 2, "--explain takes one place, ROW,COLUMN, got 1 numbers"),
        (["--explain", "9,9"], 2, "there is no output at 9,9: the output is 3x3, rows 0 to 2 and columns 0 to 2"),
        (["--explain", "1,1", "-o", "x.gif"], 2, "x.gif: --explain writes text or a drawing; end it in .txt .json .png .svg"),
        (["--explain", "1,1", "--theme", "dark"], 2, "--theme applies to a drawing, such as -o explained.svg; leave it out"),
        (["--explain", "1,1", "--theme", "dark", "-o", "x.txt"], 2, "--theme applies to a drawing, such as -o explained.svg; leave it out"),
        (["--theme", "dark"], 2, "--theme applies to the drawing of --explain; give --explain with it"),
        (["--explain", "1,1", "--dry-run"], 2, "--explain explains one output and writes no picture; leave out --dry-run"),
        (["--explain", "1,1", "--jobs", "2"], 2, "--explain explains one output and writes no picture; leave out --jobs"),
        (["--explain", "1,1", "--report", "r.jsonl"], 2, "--explain explains one output and writes no picture; leave out --report"),
        (["--explain", "1,1", "--quality", "80"], 2, "--explain explains one output and writes no picture; leave out --quality"),
        (["--explain", "1,1", "--stats"], 2, "--stats describes written pictures, and --explain writes none; leave one of them out"),
        (["--explain", "1,1", "--pool", "max:2"], 2, "--explain shows one convolution and the activation after it; leave out --resize, pools and --repeat, and give only one kernel"),
        (["--explain", "1,1", "--max-pixels", "3"], 1, "cannot read the values: its 9 pixels are over the limit of 3; raise it with --max-pixels 9"),
    ],
)  # fmt: skip
def test_what_is_refused(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], code: int, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    result = call("filter", "--values", NINE, "--kernel", "box", *words)
    assert (result.code, one_error(result)) == (code, message)
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_overwritten(call: Call, tmp_path: Path) -> None:
    target = tmp_path / "x.txt"
    target.write_text("mine")
    words = ("filter", "--values", NINE, "--kernel", "box", "--explain", "1,1", "-o", target)
    assert one_error(call(*words)) == f"{target} exists; give --force to replace it, or another -o"
    source = tmp_path / "m.txt"
    source.write_text(NINE)
    message = f"{source} is an input and would be overwritten; choose another -o"
    assert (
        one_error(call("filter", source, "--kernel", "box", "--explain", "1,1", "-o", source, "--force"))
        == message
    )
    assert (target.read_text(), source.read_text()) == ("mine", NINE)
