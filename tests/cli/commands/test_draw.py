"""convcli draw: arguments, text and files."""

import json
import os
import pty
import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.conftest import ROOT, Call, one_error

BOOK = ["draw", "--values", "0 1 2; 3 4 5; 6 7 8", "--kernel", "0 1; 2 3"]


def test_the_book_in_a_pipe(call: Call) -> None:
    code, out, err = call(*BOOK)
    assert (code, err) == (0, "")
    sums = [line for line in out.splitlines() if line.startswith(("0*", "1*", "3*", "4*"))]
    assert sums == [
        "0*0 + 1*1 + 3*2 + 4*3 = 19",
        "1*0 + 2*1 + 4*2 + 5*3 = 25",
        "3*0 + 4*1 + 6*2 + 7*3 = 37",
        "4*0 + 5*1 + 7*2 + 8*3 = 43",
    ]
    assert call(*BOOK, "-o", "-").out == out


def test_the_layer_is_given_as_for_shape(call: Call) -> None:
    for options in (
        "--n 7 --k 3 --s 2 --p 1",
        "--n 5x4 --k 3x1 --p 0:1x2 --d 2x1",
        "--n 3 --k 3 --transposed --p 1 --output-padding 1",
        "--n 6 --in 2 --out 4 --k 3 --groups 2",
        "--n 5 --k 2 --s 2 --ceil",
        "--n 6 --in 2 --layers 'conv k3 o2, relu, maxpool k2'",
        "--n 4 --in 2 --k 3 --p 1 --variant depthwise-separable",
        "--n 4 --k 2 --variant tiled",
        "--n 6 --dims 1 --k 3 --variant local",
    ):
        words = [word.strip("'") for word in re.findall(r"'[^']*'|\S+", options)]
        reported = json.loads(call("shape", *words, "--format", "json").out)["rows"]
        code, out, err = call("draw", *words, "-o", "json:-")
        assert (code, err) == (0, "")
        drawn = json.loads(out)
        names = [stage["layer"].removesuffix(" nobias") for stage in drawn]
        assert names == [row["layer"].removesuffix(" nobias") for row in reported]
        for stage, row in zip(drawn, reported, strict=True):
            channels, *size = row["output_shape"]
            assert stage["output_shape"] == [channels, *[1] * (2 - len(size)), *size]


def test_a_pool_alone_and_after_a_layer(call: Call) -> None:
    alone = json.loads(call("draw", "--n", "4", "--pool", "max:2", "-o", "json:-").out)
    behind = json.loads(call("draw", "--n", "4", "--k", "1", "--pool", "avg:2", "-o", "json:-").out)
    assert [stage["layer"] for stage in alone] == ["maxpool k2x2"]
    assert [stage["layer"] for stage in behind] == ["conv k1x1 o1", "avgpool k2x2 nopad"]


def test_values_determine_the_sizes(call: Call) -> None:
    for words in (["--n", "3"], ["--n", "3x3"], ["--in", "1"], ["--k", "2"], ["--n", "3", "--k", "2x2"]):
        assert call(*BOOK, *words).out == call(*BOOK).out
    out = call("draw", "--dims", "1", "--values", "1 2 3", "--kernel", "1 -1", "--flip").out
    assert "1*(-1) + 2*1 = 1" in out
    (stage,) = json.loads(call("draw", "--values", "1 2; 3 4 | 5 6; 7 8", "--k", "2", "-o", "json:-").out)
    assert stage["input_shape"] == [2, 2, 2]


def test_other_numbers(call: Call) -> None:
    layer = ["draw", "--n", "4", "--k", "3"]
    assert call(*layer).out == call(*layer, "--seed", "0").out != call(*layer, "--seed", "1").out


def test_one_step(call: Call) -> None:
    out = call(*BOOK, "--step", "3").out
    assert out.count("step ") == 1
    assert "step 3 of 4: output row 1, column 0" in out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--k", "3"], "the input is missing; give its size with --n, such as --n 5, or its numbers with --values"),
        (["--n", "5"], "the kernel size is missing; give --k"),
        (["--n", "5,6", "--k", "3"], "only one layer can be drawn, and the options describe 2; give one value per option"),
        (["--n", "5x5x5", "--k", "3"], "an input with 3 axes cannot be drawn; use 1 or 2"),
        (["--dims", "4", "--n", "5", "--k", "3"], "an input with 4 axes cannot be drawn; use 1 or 2"),
        (["--n", "224", "--k", "3"], "the input would be 224x224 cells, but at most 32 on a side are drawn; draw the same layer on a smaller input"),
        (["--n", "9" * 300, "--k", "3"], "but at most 32 on a side are drawn"),
        (["--values", "1 2; 3", "--k", "1"], "--values '1 2; 3' is ragged: row 1 has 2 values, row 2 has 1"),
        (["--values", "1 2; 3 4", "--k", "1", "--n", "3"], "--n 3 does not fit --values, which has 1 channel of 2x2; leave it out"),
        (["--values", "1 2 | 3 4", "--k", "1", "--in", "3"], "--in 3 does not fit --values, which has 2 channels of 1x2"),
        (["--values", "1 2; 3 4", "--k", "2", "--dims", "1"], "--values has 2 rows, and --dims 1 needs one"),
        (["--values", "1 2; 3 4", "--kernel", "1 2", "--k", "2"], "a kernel is 1x2, but the layer has kernels of 2x2"),
        (["--n", "4", "--kernel", "sobbel"], "unknown kernel 'sobbel'; did you mean 'sobel'?"),
        (["--n", "4", "--pool", "max:2", "--kernel", "1 1", "--layers", "relu"], "--kernel gives the weights of one layer, but no layers have weights"),
        (["--n", "4", "--k", "2", "--offsets", "1 1"], "--offsets belong to --variant deformable"),
        (["--n", "4", "--pool", "max:2", "--flip"], "--flip rotates kernels, but no layer here has one; leave it out"),
        (["--n", "4", "--k", "3", "--step", "5"], "there is no step 5; there are 4, counted from 1"),
        (["--n", "4", "--k", "5"], "the output would be empty"),
        (["--n", "4", "--k", "3", "-o", "x.foo"], "-o x.foo has no known format of drawings; end it in .txt"),
        (["--n", "4", "--k", "3", "-o", "x"], "-o x has no known format of drawings; end it in .txt"),
        (["--n", "4", "--k", "3", "-o", "foo:-"], "-o foo:- has no known format of drawings; write one of txt:-"),
        (["--n", "4", "--k", "3", "--delay", "0"], "'0' is not a number of seconds from 0.02 to 60"),
        (["--n", "4", "--k", "3", "--variant", "dense"], "has no window that can be drawn"),
    ],
)  # fmt: skip
def test_wrong_words_are_one_line_and_code_2(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    result = call("draw", *words)
    assert result.code == 2
    assert message in one_error(result)
    assert not list(tmp_path.iterdir())


def test_nothing_is_overwritten_without_force(call: Call, tmp_path: Path) -> None:
    path = tmp_path / "steps.txt"
    path.write_text("precious")
    result = call(*BOOK, "-o", path)
    assert result.code == 1
    assert one_error(result) == f"{path} exists; give --force to replace it, or another -o"
    assert path.read_text() == "precious"
    assert call(*BOOK, "-o", path, "--force") == (0, "", f"convcli: wrote {path}\n")
    assert path.read_text() == call(*BOOK).out


def test_files_that_are_read_are_not_overwritten(call: Call, tmp_path: Path) -> None:
    path = tmp_path / "x.txt"
    path.write_text("1 2\n3 4\n")
    for option, what in (("--values", "values"), ("--kernel", "kernel")):
        words = ["--n", "2"] if option == "--kernel" else ["--k", "1"]
        result = call("draw", *words, option, path, "-o", path, "--force")
        assert result.code == 2
        assert one_error(result) == f"{path} is the {what} and would be overwritten; choose another -o"
    assert path.read_text() == "1 2\n3 4\n"
    assert "1*1 + 2*2 + 3*3 + 4*4 = 30" in call("draw", "--values", path, "--kernel", path).out


def test_a_network_has_a_field_and_no_steps(call: Call, tmp_path: Path) -> None:
    path = tmp_path / "net.toml"
    path.write_text('input = "1x8x8"\nlayers = ["conv k3", "maxpool k2"]\n')
    out = call("draw", path, "--receptive", "--at", "0,0").out
    assert "maxpool1: maxpool k2x2, 3x3: 1x1 seen" in out and "input, 8x8: 4x4 seen" in out
    for words, message in (
        (
            [path],
            f"a network can be drawn with --receptive only; convcli cost {shlex.quote(str(path))} -o net.png draws the table of its layers",
        ),
        (
            [path, "--receptive", "--k", "3"],
            "--k describes a layer and cannot be used with a network; leave it out",
        ),
        (
            [path, "--receptive", "--kernel", "1"],
            "--receptive does not use input values, kernels or offsets; give only sizes",
        ),
        (
            [path, "--receptive", "--layer", "conv9"],
            "the network has no layer 'conv9'; did you mean 'conv1'?",
        ),
        (
            ["resnet-18", "--receptive", "--layer", "wxyz"],
            "the network has no layer 'wxyz'; convcli shape resnet-18 lists them",
        ),
        (
            ["--n", "5", "--k", "3", "--layer", "conv1"],
            "--layer needs --receptive; add that, or leave --layer out",
        ),
        (["--n", "5", "--k", "3", "--input", "1x4x4"], "--input needs a network"),
    ):
        assert message in one_error(call("draw", *words))


def test_a_picture_is_a_kernel(call: Call, tmp_path: Path) -> None:
    from PIL import Image

    Image.new("L", (2, 1), 7).save(tmp_path / "k.png")
    assert "2*7 + 3*7 = 35" in call("draw", "--values", "2 3", "--kernel", tmp_path / "k.png").out


def test_text_loads_no_arrays() -> None:
    from tests.test_imports import loaded

    assert not loaded(*BOOK) & {"numpy", "scipy", "PIL", "rich"}
    assert not loaded("draw", "--help") & {"numpy", "scipy", "PIL", "rich"}


def on_terminal(words: list[str], size: tuple[int, int], **environment: str) -> str:
    """Run the program on a terminal with the given rows and columns; return all of its output."""
    import fcntl
    import struct
    import termios

    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", *size, 0, 0))
    env = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm-256color", **environment}
    run = subprocess.Popen([sys.executable, "-m", "convcli", *words], stdout=slave, env=env)
    os.close(slave)
    written = b""
    while True:
        try:
            part = os.read(master, 65536)
        except OSError:  # the other end is closed
            break
        written += part
    os.close(master)
    assert run.wait() == 0
    return written.decode()


def test_on_a_terminal_the_steps_play_in_place() -> None:
    shown = on_terminal([*BOOK, "--delay", "0.02"], (24, 80))
    assert shown.count("\x1b[1A") >= 3 * 12, "the cursor goes up before each next step"
    assert all(f"= {total}" in shown for total in (19, 25, 37, 43))
    assert "\x1b[1;37;44m" in shown
    plain = on_terminal([*BOOK, "--delay", "0.02"], (24, 80), NO_COLOR="1")
    assert "\x1b[1A" in plain
    assert not re.search(r"\x1b\[[\d;]*[34]\dm", plain), "without colours"


@pytest.mark.parametrize(("size", "term"), [((9, 80), "xterm-256color"), ((24, 80), "dumb")])
def test_steps_are_printed_if_they_cannot_play(call: Call, size: tuple[int, int], term: str) -> None:
    shown = on_terminal([*BOOK, "--delay", "0.02"], size, TERM=term)
    assert shown.replace("\r\n", "\n") == call(*BOOK).out


@pytest.mark.parametrize(
    ("ending", "begins"),
    [
        ("png", b"\x89PNG"),
        ("apng", b"\x89PNG"),
        ("gif", b"GIF89a"),
        ("svg", b"<svg "),
        ("html", b"<!doctype html>"),
        ("json", b'[{"layer"'),
        ("txt", b"conv k2x2"),
    ],
)
def test_every_format_is_written_by_its_extension_and_to_standard_output(
    call: Call, tmp_path: Path, program: object, ending: str, begins: bytes
) -> None:
    path = tmp_path / f"x.{ending}"
    assert call(*BOOK, "-o", path) == (0, "", f"convcli: wrote {path}\n")
    data = path.read_bytes()
    assert data.startswith(begins)
    run = program(*BOOK, "-o", f"{ending}:-")
    assert (run.returncode, run.stdout, run.stderr) == (0, data, b"")


def test_a_sheet_of_some_steps_has_a_note(call: Call, tmp_path: Path) -> None:
    path = tmp_path / "x.png"
    result = call("draw", "--n", "6", "--k", "1", "-o", path)
    assert (
        result.err
        == f"convcli: 24 of 36 steps are drawn; --step N draws one of them\nconvcli: wrote {path}\n"
    )


@pytest.mark.parametrize(
    ("words", "begins"),
    [
        ("--n 3 --k 2 --matrix", "conv k2x2 o1 as a matrix: y = A x"),
        ("--n 9 --layers maxpool,conv --receptive --at 1,1", "what output (1, 1) sees"),
        ("--n 4 --k 3 --transposed --checkerboard", "how many products are summed in each output"),
        ("--n 5 --k 3 --dims 1 --connections", "conv k3 o1\n  input x2 reaches"),
    ],
)
def test_other_drawings(call: Call, tmp_path: Path, words: str, begins: str) -> None:
    options = [{"maxpool,conv": "maxpool k2, conv k3 p1"}.get(word, word) for word in words.split()]
    code, out, err = call("draw", *options)
    assert (code, err) == (0, "")
    assert out.startswith(begins)
    for ending in ("png", "svg", "json", "html", "gif", "apng"):
        path = tmp_path / f"x.{ending}"
        assert call("draw", *options, "-o", path) == (0, "", f"convcli: wrote {path}\n")
    assert one_error(call("draw", *options, "--step", "1")) == "there is no step 1; the drawing has none"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--n 5 --k 3 --matrix --receptive", "--matrix and --receptive are different drawings; give one of them"),
        ("--n 5 --k 3 --at 1,1", "--at needs --receptive; add that, or leave --at out"),
        ("--n 5 --k 3 --receptive --at 1,x", "'1,x' is not a place; write ROW,COLUMN, counted from 0"),
        ("--n 5 --k 3 --receptive --at 3,3", "--at 3,3 is outside the output, which is 3x3; positions count from 0"),
        ("--n 5 --k 3 --receptive --seed 2", "--receptive does not use input values, kernels or offsets; give only sizes"),
        ("--values 1;2 --k 1 --matrix", "--matrix does not use input values; give only sizes"),
        ("--n 5 --k 3 --p 1 --checkerboard", "--checkerboard draws one transposed convolution; use --variant transposed"),
        ("--n 5 --k 3 --variant depthwise-separable --matrix", "--matrix draws one layer; leave the others out"),
        ("--n 5 --pool max:2 --connections", "--connections draws convolutions, not 'maxpool k2x2'"),
    ],
)  # fmt: skip
def test_drawings_that_cannot_be(call: Call, words: str, message: str) -> None:
    result = call("draw", *words.split())
    assert result.code == 2
    assert message in one_error(result)


def test_a_picture_as_values_is_answered_with_filter_explain(call: Call, tmp_path: Path) -> None:
    picture = tmp_path / "small anna.png"
    Image.fromarray(np.arange(36, dtype=np.uint8).reshape(6, 6)).save(picture)
    for words, kernel in ((["--kernel", "box"], "box"), ([], "sobel-x")):
        result = call("draw", "--values", picture, *words)
        command = ["convcli", "filter", str(picture), "--kernel", kernel, "--explain"]
        assert result.code == 2
        assert one_error(result) == (
            f"--values '{picture}' is a picture; give numbers such as '0 1 2; 3 4 5', or explain a pixel: "
            f"{shlex.join(command)} ROW,COLUMN"
        )
        assert call(*command[1:], "2,3").code == 0
    result = call("draw", "--n", "3", "--variant", "deformable", "--k", "2", "--offsets", picture)
    assert one_error(result) == f"--offsets '{picture}' is a picture; give numbers such as '0 1 2; 3 4 5'"
    missing = call("draw", "--values", tmp_path / "none.png")
    assert (missing.code, "there is no such file" in one_error(missing)) == (2, True)
