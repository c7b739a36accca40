"""Small matrices in and out of the commands: typed, from files, on standard input, printed and written."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from convcli.cli.commands.filter import command
from tests.conftest import SAMPLES, Call, one_error

NINE = "0 1 2; 3 4 5; 6 7 8"


def test_the_textbooks_example_is_one_line(call: Call) -> None:
    result = call("filter", "--values", NINE, "--kernel", "0 1; 2 3", "--padding", "valid")
    assert result == (0, "19 25\n37 43\n", "")


@pytest.mark.parametrize(
    ("words", "out"),
    [
        (
            "--kernel|0 1; 2 3|--padding|full|--padding-mode|zeros",
            "0 3 8 4\n9 19 25 10\n21 37 43 16\n6 7 8 0\n",
        ),
        ("--kernel|0 1; 2 3|--padding|valid|--flip", "5 11\n23 29\n"),
        ("--kernel|1/9 1/9 1/9; 1/9 1/9 1/9; 1/9 1/9 1/9|--padding|valid", "4\n"),
        ("--kernel|1|--scale|1/4|--bias|1/2", "0.5 0.75 1\n1.25 1.5 1.75\n2 2.25 2.5\n"),
        ("--kernel|-1 1|--padding|valid|--activation|relu", "1 1\n1 1\n1 1\n"),
        ("--pool|max:2,stride=1", "4 5\n7 8\n"),
        ("--pool|avg:2,stride=1", "2 3\n5 6\n"),
        ("--kernel|identity|--stride|2", "0 2\n6 8\n"),
        ("--variant|transposed|--kernel|1 2; 3 4|--stride|2|--padding|0", None),
    ],
)
def test_arithmetic(call: Call, words: str, out: str | None) -> None:
    result = call("filter", "--values", NINE, *words.split("|"))
    assert result.code == 0
    if out is not None:
        assert result.err == ""
    else:  # every element spreads the kernel, and none overlap
        out = "".join(
            f"{' '.join(str(3 * row * w0 + col * w0) for col in range(3) for w0 in pair)}\n".replace(
                "  ", " "
            )
            for row in range(3)
            for pair in ((1, 2), (3, 4))
        )
    assert result.out == out


@pytest.mark.parametrize("ending", [".csv", ".txt", ".json"])
def test_files_of_text_in_and_out(call: Call, tmp_path: Path, ending: str) -> None:
    text = {".csv": "0,1,2\n3,4,5\n6,7,8\n", ".txt": NINE, ".json": "[[0,1,2],[3,4,5],[6,7,8]]"}[ending]
    source, target = tmp_path / f"x{ending}", tmp_path / f"y{ending}"
    source.write_text(text)
    words = ("--kernel", "0 1; 2 3", "--padding", "valid")
    assert call("filter", source, *words, "-o", target) == (0, f"{target}\n", "")
    expected = {".csv": "19,25\n37,43\n", ".txt": "19 25\n37 43\n", ".json": "[[19, 25],\n [37, 43]]\n"}[
        ending
    ]
    assert target.read_text() == expected
    assert call("filter", source, *words, "-o", "-").out == expected
    assert call("filter", source, *words).out == f"{tmp_path}/x.kernel{ending}\n"


def test_values_are_neither_clipped_nor_rounded(call: Call, tmp_path: Path) -> None:
    result = call("filter", "--values", "0.5 -300 1e9", "--kernel", "0.1")
    assert result == (0, "0.05 -30 100000000\n", "")
    call("filter", SAMPLES / "house.png", "--kernel", "sobel-x", "-o", tmp_path / "y.csv")
    call("filter", SAMPLES / "house.png", "--kernel", "sobel-x", "-o", tmp_path / "y.npy")
    assert np.array_equal(np.loadtxt(tmp_path / "y.csv", delimiter=","), np.load(tmp_path / "y.npy"))
    message = f"{SAMPLES}/house.png: --range clip maps values to the depth of a picture, and CSV keeps them unchanged; leave it out"
    words = ("--kernel", "box", "--range", "clip", "-o", tmp_path / "z.csv")
    assert one_error(call("filter", SAMPLES / "house.png", *words)) == message


def test_text_becomes_a_picture_by_a_range(call: Call, tmp_path: Path) -> None:
    from PIL import Image

    result = call(
        "filter", "--values", NINE, "--kernel", "identity", "--range", "minmax", "-o", tmp_path / "y.png"
    )
    assert result.code == 0
    with Image.open(tmp_path / "y.png") as image:
        assert np.asarray(image).tolist() == [[0, 32, 64], [96, 128, 159], [191, 223, 255]]


def test_standard_input_may_be_text(program) -> None:
    for text, out in ((b"1 2; 3 4\n", b"1 2\n3 4\n"), (b"[[1, 2]]", b"[[1, 2]]\n")):
        done = program("filter", "-", "--kernel", "identity", input=text)
        assert (done.returncode, done.stdout, done.stderr) == (0, out, b"")


def test_a_picture_is_printed_as_text_by_its_format(call: Call) -> None:
    out = call("filter", SAMPLES / "house.png", "--kernel", "identity", "-o", "csv:-").out
    assert np.loadtxt(out.splitlines(), delimiter=",").shape == (320, 400)


def test_other_processes_get_typed_values(program) -> None:
    done = program(
        "filter", "--values", NINE, "--kernel", "0 1; 2 3", "--padding", "valid", "--isolate", "--jobs", "2"
    )
    assert (done.returncode, done.stdout) == (0, b"19 25\n37 43\n")


def test_a_terminal_may_show_text(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    assert call("filter", "--values", "1 2", "--kernel", "identity").out == "1 2\n"
    refused = call("filter", "--values", "1 2", "--kernel", "identity", "--range", "minmax", "-o", "png:-")
    assert one_error(refused).startswith("a picture cannot be shown as text on the terminal")


def test_match_compare_diff_and_learn_take_values(call: Call, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("5,1\n2,9\n")
    big = "0 0 0 0; 0 5 1 0; 0 2 9 0; 3 0 1 0"
    found = json.loads(
        call("match", "--values", big, "--template", tmp_path / "t.csv", "-o", tmp_path / "s.csv").out
    )
    assert [(place["row"], place["column"]) for place in found["matches"]] == [(1, 1)]
    assert np.loadtxt(tmp_path / "s.csv", delimiter=",").shape == (3, 3)

    found = json.loads(
        call("match", "--values", big, "--template", "5 1; 4/2 9", "-o", tmp_path / "s.json").out
    )
    assert found["template"] == "5 1; 4/2 9"
    assert [(place["row"], place["column"]) for place in found["matches"]] == [(1, 1)]

    assert call("diff", "--values", "1 2", "--values", "1 2").code == 0
    result = call("diff", tmp_path / "t.csv", "--values", "5 1; 2 8", "--field", "difference,row,column")
    assert (result.code, result.out) == (1, "1.0\t1\t1\n")
    assert call("diff", "--values", "1 2", "--values", "1 2.2", "--tolerance", "1/4").code == 0

    before = "0 1 2 9; 3 4 5 1; 6 7 8 2; 5 1 1 7"
    after = call("filter", "--values", before, "--kernel", "0 1; 2 3", "--padding", "valid").out.replace(
        "\n", ";"
    )
    words = ("--size", "2", "--no-bias", "--field", "weights")
    assert call("learn", "--values", before, "--values", after, *words).out == "0 1; 2 3\n"

    rows = json.loads(
        call(
            "compare",
            "--values",
            big,
            "--kernel",
            "1 2 1; 2 4 2; 1 2 1",
            "--variants",
            "depthwise",
            "--format",
            "json",
        ).out
    )["rows"]
    assert {row["method"] for row in rows} >= {"auto", "direct"}
    assert max(row["difference"] for row in rows) < 1e-9


NOISE = "3 1 4 1 5; 9 2 6 5 3; 5 8 9 7 9; 3 2 3 8 4; 6 2 6 4 3"
NOISY = f"filter|--values|{NOISE}|"


@pytest.mark.parametrize(
    ("words", "fraction", "decimal"),
    [
        (NOISY + "-k|gaussian:sigma={}", "1/2", "0.5"),
        (NOISY + "-k|unsharp:1,{}", "3/2", "1.5"),
        (NOISY + "-k|{} 1; 1 1", "1/2", "0.5"),
        (NOISY + "-k|2x1: {}, 1", "1/2", "0.5"),
        (NOISY + "-k|box|--scale|{}", "1/4", "0.25"),
        (NOISY + "-k|box|--bias|{}", "-1/4", "-0.25"),
        (NOISY + "-k|box|--padding-mode|constant|--padding-value|{}", "5/4", "1.25"),
        (NOISY + "--offsets|swirl:strength={}", "1/2", "0.5"),
        (NOISY + "--offsets|lens:{}", "1/4", "0.25"),
        (NOISY + "--local|tilt-shift:sigma={},centre=0", "3/2", "1.5"),
        (NOISY + "--pointwise|{}", "3/2", "1.5"),
        (NOISY + "--pool|lp:2,p={}", "3/2", "1.5"),
        (NOISY + "--pool-channels|lp:p={}", "3/2", "1.5"),
        ("filter|--values|{} 5; 1 1|-k|box:2", "1/2", "0.5"),
        ("diff|--values|1 2|--values|1 2.2|--tolerance|{}", "1/4", "0.25"),
        (f"learn|--values|{NOISE}|--values|{NOISE}|--size|1|--method|sgd|--lr|{{}}", "1/1000", "0.001"),
        ("cost|mobilenet-v1|--width|{}", "1/2", "0.5"),
        ("params|mobilenet-v1:width={}", "1/4", "0.25"),
        ("compare|mobilenet-v1|--width|{}", "1/2", "0.5"),
        ("cost|lenet-5|--roofline|peak={}TFLOP/s,bandwidth=9GB/s", "1/2", "0.5"),
        ("cost|--n|9|--layers|lppool k2 norm{}", "3/2", "1.5"),
        ("shape|--n|9x9|--layers|resize x2x{}", "3/2", "1.5"),
        ("draw|--values|{} 1|--kernel|2", "1/2", "0.5"),
        ("draw|--values|1 2; 3 4|--kernel|{}", "1/4", "0.25"),
        ("draw|--values|1 2|--kernel|2|--delay|{}", "1/2", "0.5"),
    ],
)
def test_a_fraction_is_taken_wherever_a_number_is(
    call: Call, words: str, fraction: str, decimal: str
) -> None:
    ours, theirs = (call(*words.format(number).split("|")) for number in (fraction, decimal))
    assert ours.code == 0, ours.err
    expected_text = (ours.out.replace(fraction, decimal), ours.err)  # where the command line is quoted
    assert expected_text == (theirs.out, theirs.err)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (NOISY + "-k|gaussian:sigma=1/0", "kernel 'gaussian': sigma: '1/0' divides by 0"),
        (NOISY + "-k|1/ 2", "kernel '1/ 2': '1/' is not a number; a fraction is written as 1/9"),
        (NOISY + "-k|box|--scale|a/b", "Invalid value for '--scale': 'a/b' is not a number; a fraction is written as 1/9"),
        (NOISY + "-k|box|--bias|1/0", "Invalid value for '--bias': '1/0' divides by 0"),
        (NOISY + "-k|box|--bias|1e999", "Invalid value for '--bias': '1e999' is not a finite number"),
        (NOISY + "--offsets|swirl:strength=1/0", "--offsets swirl: strength: '1/0' divides by 0"),
        (NOISY + "--local|tilt-shift:sigma=1/", "--local tilt-shift: sigma: '1/' is not a number; a fraction is written as 1/9"),
        (NOISY + "--pointwise|1/0", "--pointwise: '1/0' is not a matrix ('1/0' divides by 0); give luma, sepia, swap-rb"),
        (NOISY + "--pool|lp:2,p=1/0", "--pool lp: p: '1/0' divides by 0"),
        (NOISY + "--pool-channels|lp:p=a/b", "--pool-channels lp: 'a/b' is not a number; a fraction is written as 1/9"),
        (NOISY + "--pool-channels|max:1/2", "--pool-channels max: '1/2' is not a whole number"),
        ("diff|--values|1|--values|1|--tolerance|1/0", "Invalid value for '--tolerance': '1/0' divides by 0; give a difference of samples of at least 0, such as 1"),
        ("filter|--values|1/0|-k|box", "cannot read the values: '1/0' divides by 0"),
        ("cost|mobilenet-v1|--width|1/0", "Invalid value for '--width': '1/0' divides by 0"),
        ("cost|mobilenet-v1:width=1/", "mobilenet-v1: width: '1/' is not a number; a fraction is written as 1/9"),
        ("cost|--n|9|--layers|lppool k2 norm1/0", "'norm1/0': '1/0' divides by 0"),
        ("cost|lenet-5|--roofline|peak=1/0TFLOP/s,bandwidth=9GB/s", "'1/0' divides by 0"),
    ],
)  # fmt: skip
def test_invalid_fractions(call: Call, words: str, message: str) -> None:
    result = call(*words.split("|"))
    assert message in one_error(result)
    assert result.code == (1 if "cannot" in message else 2)
    assert result.out == ""


def test_a_fraction_of_a_size_is_exact(call: Call) -> None:
    """The float nearest to 1/3 is smaller, and would make 2 of 9."""
    assert call("shape", "--n", "9", "--layers", "resize x1/3", "--format", "value").out == "3\n"
    for n, over, under in ((49, 1, 49), (98, 3, 49), (103, 2, 103)):
        layers = f"resize x{over}/{under}"
        assert (
            call("shape", "--n", str(n), "--layers", layers, "--format", "value").out
            == f"{n * over // under}\n"
        )


def test_fractions_in_json_are_texts(call: Call, tmp_path: Path) -> None:
    (tmp_path / "k.json").write_text(json.dumps([["1/9"] * 3] * 3))
    words = ("filter", "--values", NINE, "--padding", "valid", "-k", tmp_path / "k.json")
    assert call(*words).out == "4\n"
    (tmp_path / "k.json").write_text(
        json.dumps({"weights": [["1/3", 1]], "divisor": "1/2", "offset": "-1/4"})
    )
    (first, *_), *_ = np.loadtxt(call(*words).out.splitlines())
    assert first == pytest.approx(2 * (0 / 3 + 1) - 0.25)


def test_layouts_of_arrays(call: Call, tmp_path: Path) -> None:
    volume = np.random.default_rng(0).standard_normal((4, 9, 11))
    np.save(tmp_path / "x.npy", volume)
    words = ("filter", tmp_path / "x.npy", "--kernel", "box", "-o", tmp_path / "y.npy", "--force", "--layout")
    for layout in ("chw", "dhw"):
        assert call(*words, layout, "--alpha", "filter").code == 0
        made = np.load(tmp_path / "y.npy")
        assert made.shape == volume.shape
        for part, plane in zip(made, volume, strict=True):
            (tmp_path / "p.csv").write_text("\n".join(",".join(map(repr, row)) for row in plane.tolist()))
            alone = call("filter", tmp_path / "p.csv", "--kernel", "box", "-o", "-").out
            assert part == pytest.approx(np.loadtxt(alone.splitlines(), delimiter=","))
    call(*words, "dhw", "--dims", "3", "--padding-mode", "replicate")
    ends = np.load(tmp_path / "y.npy")
    padded = np.pad(volume, 1, mode="edge")
    assert ends[0, 3, 4] == pytest.approx(padded[0:3, 3:6, 4:7].mean())


def test_layouts_in_match_learn_and_diff(call: Call, tmp_path: Path) -> None:
    """In a pair, or a picture and a template, one may be a file with a fixed order of axes."""
    x = np.random.default_rng(0).integers(1, 120, (3, 12, 14)).astype(np.uint8)
    part = np.moveaxis(x[:, 4:9, 6:12], 0, 2)
    np.save(tmp_path / "x.npy", x)
    Image.fromarray(np.moveaxis(2 * x, 0, 2)).save(tmp_path / "twice.png")
    (tmp_path / "twice.json").write_text(json.dumps((2 * x).tolist()))
    Image.fromarray(part).save(tmp_path / "part.png")
    chw = ("--layout", "chw")
    for after in ("twice.png", "twice.json"):
        words = ("learn", tmp_path / "x.npy", tmp_path / after, "--size", "1", "--field", "weights")
        assert call(*words, *chw).out == "2\n"
    found = call(
        "match", tmp_path / "x.npy", "--template", tmp_path / "part.png", "-o", tmp_path / "s.npy", *chw
    )
    assert [(place["row"], place["column"]) for place in json.loads(found.out)["matches"]] == [(4, 6)]
    words = (
        "compare",
        tmp_path / "x.npy",
        "--kernel",
        "box",
        "--variants",
        "depthwise",
        "--field",
        "input_shape",
    )
    assert set(call(*words, *chw).out.split()) == {"3x12x14"}
    assert set(call(*words).out.split()) == {"14x3x12"}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["compare", "x.csv", "--kernel", "box", "--layout", "chw"], "x.csv: --layout chw applies to arrays, NPY and JSON, not to CSV; leave it out"),
        (["compare", "--n", "9", "--k", "3", "--layout", "chw"], "--layout needs a picture, as in convcli compare photo.png --kernel sobel; for a layer on paper give --k"),
        (["learn", "--patches", "x.csv", "--layout", "chw", "--size", "2"], "x.csv: --layout chw applies to arrays, NPY and JSON, not to CSV; leave it out"),
        (["filter", "--values", "1 2; 3", "-k", "box"], "cannot read the values: it is ragged: row 1 has 2 values, row 2 has 1; give every row the same number"),
        (["filter", "--values", "1 two", "-k", "box"], "cannot read the values: 'two' is not a number"),
        (["filter", "--values", "1 inf", "-k", "box"], "cannot read the values: 'inf' is not a finite number"),
        (["match", "x.csv", "--template", "1 2; 3"], "cannot read the template: it is ragged: row 1 has 2 values, row 2 has 1; give every row the same number"),
        (["match", "x.csv", "--template", "1 b; 3 4"], "cannot read the template: 'b' is not a number"),
        (["match", "x.csv", "--template", "1 1; 1 1"], "1 1; 1 1: the template is flat: all its pixels are equal, so it has no contrast to match; choose a part with some contrast"),
        (["match", "x.csv", "--template", "1 2 3"], "the template 1 2 3 is 3 wide and 1 high, larger than x.csv, which is 2 wide and 2 high; crop the template, or swap the two"),
        (["match", "x.csv", "--template", "none.csv"], "cannot read none.csv: there is no such file; check the spelling and the folder"),
        (["filter", "--values", "", "-k", "box"], "cannot read the values: it holds no numbers; write one row per line, such as 0 1 2"),
        (["filter", "--values", "1 2", "x.csv", "-k", "box"], "--values is the input, but x.csv is given too; leave one of them out"),
        (["compare", "--values", "1 2", "x.csv", "--kernel", "box"], "--values is the picture, but x.csv is given too; leave one of them out"),
        (["diff", "--values", "1 2"], "1 picture is given, and two are needed; name A and B (see convcli diff --help)"),
        (["diff", "--values", "1 2", "--values", "1 x"], "cannot read values 2: 'x' is not a number"),
        (["filter", "x.csv", "-k", "box", "-o", "y.png"], "cannot write y.png: PNG cannot hold the pixel mode L;float64; map its values to 8 bits with --range, or keep them in one of these: .tiff, .npy"),
        (["filter", "x.csv", "-k", "box", "--layout", "chw", "-o", "y.csv"], "x.csv: --layout chw applies to arrays, NPY and JSON, not to CSV or CSV; leave it out"),
        (["filter", "--values", "1 2", "-k", "box", "-o", "out/"], "the values have no file name, from which the name of the output is taken; name a file with -o, or write to -o -"),
        (["filter", "--values", "1 2", "-k", "box", "-o", "{stem}.npy"], "the values have no file name, from which the name of the output is taken; name a file with -o, or write to -o -"),
        (["filter", "--values", "1 2", "-k", "box", "--in-place"], "--in-place replaces files and does not apply to the values; write to -o -, or name a file"),
        (["filter", "--values", "1 2", "-k", "box", "--preserve"], "--preserve keeps the times and the mode of files and does not apply to the values; leave it out"),
        (["learn", "x.csv", "x.csv", "--layout", "chw"], "x.csv: --layout chw applies to arrays, NPY and JSON, not to CSV; leave it out"),
    ],
)  # fmt: skip
def test_what_is_refused(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("x.csv").write_text("1,2\n3,4\n")
    result = call(*words)
    assert one_error(result) == message
    assert [path.name for path in tmp_path.iterdir()] == ["x.csv"]


def test_a_folder_is_searched_for_pictures_only(call: Call, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "notes.txt").write_text("1 2 3")
    (tmp_path / "in" / "house.png").write_bytes((SAMPLES / "house.png").read_bytes())
    result = call("filter", tmp_path / "in", "--kernel", "box", "-o", tmp_path / "out")
    assert result.out == f"{tmp_path}/out/house.png\n"


def test_the_option_is_in_the_help_of_all() -> None:
    from convcli.cli.commands import compare, diff, learn, match

    for each in (command, match.command, compare.command, diff.command, learn.command):
        assert any("--values" in parameter.opts for parameter in each.params)
