"""convcli learn from end to end: kernels from files, outputs, messages and errors."""

import json
import shlex
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import correlate

import convcli
from convcli.kernels import parse_kernel
from tests.conftest import SAMPLES, Call, one_error

HOUSE, LAKE = SAMPLES / "house.png", SAMPLES / "landscape.jpg"
SOBEL = [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]


@pytest.fixture
def pair(call: Call, tmp_path: Path) -> tuple[Path, Path]:
    """A picture, and the same picture filtered with sobel-x."""
    after = tmp_path / "after.png"
    assert call("filter", HOUSE, "-k", "sobel-x", "-o", after).code == 0
    return HOUSE, after


@pytest.fixture
def textbook(tmp_path: Path) -> tuple[Path, Path]:
    """The picture of "Dive into Deep Learning", section 7.2, and its edges."""
    x = np.ones((6, 8))
    x[:, 2:6] = 0
    np.save(tmp_path / "x.npy", x)
    np.save(tmp_path / "y.npy", x[:, :-1] - x[:, 1:])
    return tmp_path / "x.npy", tmp_path / "y.npy"


def test_the_answer_in_words(call: Call, pair: tuple[Path, Path]) -> None:
    result = call("learn", *pair)
    assert (result.code, result.err) == (0, "")
    lines = result.out.splitlines()
    assert lines[0].split() == "size padding bias residual explained rank unknowns condition".split()
    assert lines[2].split()[:7] == ["3x3", "same", "0", "0", "1", "10", "10"]
    assert lines[4:7] == ["-1   0   1", "-2   0   2", "-1   0   1"]
    after = np.asarray(Image.open(pair[1]))
    clipped = int(((after == 0) | (after == 255)).sum())
    assert "nearest: sobel-x, within 0.01 %" in lines
    assert (
        f"left out: {clipped:,} samples that are black or white and may be clipped (--keep-clipped uses them)"
        in lines
    )


def test_a_colour_and_a_grey_picture_are_learned_in_grey(call: Call, tmp_path: Path) -> None:
    grey = tmp_path / "grey.png"
    assert call("filter", LAKE, "--gray", "-k", "box", "-o", grey).code == 0
    words = "learn", LAKE, grey, "--size", "3"
    assert "and grey.png 1 channel; convert both to grey (--gray), or" in call(*words).err.replace(
        f"{tmp_path}/", ""
    )
    assert call(*words, "--gray").code == 0


def test_the_answer_in_json(call: Call, pair: tuple[Path, Path]) -> None:
    (row,) = json.loads(call("learn", *pair, "--format", "json").out)["rows"]
    assert row["weights"] == SOBEL
    assert (row["size"], row["padding"], row["bias"], row["nearest"], row["scale"]) == (
        [3, 3],
        "same",
        0,
        "sobel-x",
        1,
    )
    assert row["rank"] == row["unknowns"] == 10
    assert row["samples"] + row["clipped"] + row["border"] == 320 * 400
    assert row["undetermined"] is row["losses"] is row["lr"] is row["advice"] is None


def test_advice_and_distance_are_notes_where_no_lines_are_printed(call: Call, tmp_path: Path) -> None:
    after, other = tmp_path / "after.png", tmp_path / "other.png"
    assert call("filter", HOUSE, "-k", "gaussian:1", "-o", after).code == 0
    words = ("learn", HOUSE, after)
    table = call(*words)
    (advice,) = (line for line in table.out.splitlines() if "too small" in line)
    (nearest,) = (line for line in table.out.splitlines() if line.startswith("nearest: "))
    assert advice.startswith("the kernel is too small: with 5x5") and "larger --size, such as 7x7" in advice
    assert table.err == ""
    name = nearest.removeprefix("nearest: ").partition(", within ")[0].rpartition(" times ")[2]
    for more, out, notes in (
        (["--field", "nearest"], f"{name}\n", [nearest, advice]),
        (["--field", "nearest,advice", "-q"], f"{name}\t{advice}.\n", []),
    ):
        done = call(*words, *more)
        assert (done.out, done.err) == (out, "".join(f"convcli: {note}\n" for note in notes)), more
    found = call(*words, "--format", "json")
    assert json.loads(found.out)["rows"][0]["advice"] == f"{advice}."
    assert found.err == f"convcli: {advice}\n"
    assert f"convcli: {advice}\n" in call(*words, "-o", "-").err
    Image.fromarray(np.random.default_rng(0).integers(1, 255, (320, 400), np.uint8)).save(other)
    done = call("learn", HOUSE, other, "--field", "nearest")
    assert done.out == "\n"
    assert done.err.startswith(
        "convcli: nearest: none of the named kernels is similar\nconvcli: the second picture"
    )


def test_each_channel_has_its_residual(call: Call, tmp_path: Path) -> None:
    """Only the red channel is blurred by more than the kernel; a convolution with the learned kernels says the same."""
    colours = np.asarray(Image.open(LAKE))[:80, :120]
    made = [convcli.filter_picture(colours[..., n], f"box:{size}") for n, size in enumerate((5, 3, 3))]
    names = tmp_path / "a.png", tmp_path / "b.png"
    for name, pixels in zip(names, (colours, np.dstack(made)), strict=True):
        Image.fromarray(pixels).save(name)
    words = ("learn", *names, "--keep-clipped", "--format", "json", "-q")
    rows = json.loads(call(*words, "--per-channel").out)["rows"]
    errors = []
    for n, row in enumerate(rows):
        again = (
            correlate(colours[..., n].astype(float), np.array(row["weights"]), mode="mirror") + row["bias"]
        )
        error = (again - made[n])[1:-1, 1:-1]
        errors.append(error)
        assert row["residual"] == pytest.approx(np.sqrt(np.mean(error**2)), rel=1e-6)
        assert row["largest"] == pytest.approx(abs(error).max(), rel=1e-6)
        assert row["explained"] == pytest.approx(1 - error.var() / made[n][1:-1, 1:-1].var(), rel=1e-6)
        assert row["samples"] == error.size
    assert rows[0]["residual"] > 5 * rows[1]["residual"]
    text = call(*words[:4], "--per-channel").out
    whole = f"over all {3 * error.size:,} samples it is {np.sqrt(np.mean(np.square(errors))):.4g}, and the largest error is "
    assert f"residual: the root mean square error; {whole}" in text
    assert f"over {3 * error.size:,} samples of all channels; the largest" in call(*words[:4], "--mix").out


def test_one_field_is_what_kernel_takes(call: Call, pair: tuple[Path, Path]) -> None:
    out = call("learn", *pair, "--field", "weights").out.strip()
    assert out == "-1 0 1; -2 0 2; -1 0 1"
    assert parse_kernel(out).weights == tuple(map(tuple, SOBEL))


@pytest.mark.parametrize("ending", [".npy", ".csv", ".txt", ".json", ".mat"])
def test_the_file_is_what_kernel_takes(
    call: Call, pair: tuple[Path, Path], tmp_path: Path, ending: str
) -> None:
    kernel = tmp_path / f"kernel{ending}"
    result = call("learn", *pair, "-o", kernel)
    command = shlex.join(["convcli", "filter", str(HOUSE), "--kernel", str(kernel)])
    assert result.err == f"convcli: wrote {kernel}\nconvcli: run it with: {command}\n"
    again = tmp_path / "again.png"
    assert call("filter", HOUSE, "-k", kernel, "-o", again).code == 0
    assert np.array_equal(np.asarray(Image.open(again)), np.asarray(Image.open(pair[1])))


def test_answers_in_json_are_kernels_too(call: Call, pair: tuple[Path, Path], tmp_path: Path) -> None:
    learned, named, again = tmp_path / "learned.json", tmp_path / "named.json", tmp_path / "again.png"
    learned.write_text(call("learn", *pair, "--format", "json").out)
    for spec, file in (("sobel-x", learned), ("box", named), ("emboss", named)):
        if file is named:
            assert call("kernels", spec, "-o", named, "--force").code == 0
        assert call("filter", HOUSE, "-k", file, "-o", again, "--force").code == 0
        assert call("filter", HOUSE, "-k", spec, "-o", tmp_path / "made.png", "--force").code == 0
        assert call("diff", again, tmp_path / "made.png").code == 0
    combined = "is an answer about a kernel whose results are combined; give its name instead"
    for spec, message in (
        ("sobel", combined),
        ("unsharp:threshold=3", combined),
        ("box; emboss", "is an answer with 2 kernels; give a file with one"),
    ):
        assert call("kernels", spec, "-o", named, "--force").code == 0
        assert message in one_error(call("filter", HOUSE, "-k", named, "-o", again, "--force"))


def test_the_bias_is_stored_or_reported(call: Call, tmp_path: Path) -> None:
    after = tmp_path / "after.png"
    call("filter", LAKE, "-k", "box", "--bias", "7", "-o", after)
    result = call("learn", LAKE, after, "-o", tmp_path / "k.csv")
    assert result.err.startswith(
        f"convcli: wrote {tmp_path}/k.csv; {tmp_path}/k.csv cannot hold the bias 7.0"
    )
    call("learn", LAKE, after, "-o", tmp_path / "k.json")
    assert json.loads((tmp_path / "k.json").read_text())["offset"] == pytest.approx(7, abs=0.1)


def test_a_jpeg_pair_is_good_enough_to_reapply(call: Call, tmp_path: Path) -> None:
    """A kernel learned from JPEGs of the default quality gives nearly the same picture as the true one."""
    after, kernel = tmp_path / "after.jpg", tmp_path / "kernel.json"
    call("filter", LAKE, "-k", "gaussian:sigma=0.8,size=5", "--quality", "90", "-o", after)
    found = json.loads(call("learn", LAKE, after, "--size", "5", "-o", kernel, "--format", "json").out)[
        "rows"
    ][0]
    assert found["nearest"].startswith("gaussian:sigma=0.8")
    assert found["distance"] < 0.1
    call("filter", LAKE, "-k", "gaussian:sigma=0.8,size=5", "-o", tmp_path / "true.png")
    call("filter", LAKE, "-k", kernel, "-o", tmp_path / "again.png")
    apart = json.loads(call("diff", tmp_path / "true.png", tmp_path / "again.png", "--format", "json").out)[
        "totals"
    ]
    assert apart["psnr"] > 50
    assert apart["difference"] <= 8


def test_descent_prints_the_losses_of_the_textbook(call: Call, textbook: tuple[Path, Path]) -> None:
    words = "--size 1x2 --no-bias --method sgd --steps 20 --lr 0.01".split()
    result = call("learn", *textbook, *words)
    assert result.code == 0
    lines = result.out.splitlines()
    start = lines.index("step 5, loss 4.316")
    assert lines[start : start + 4] == [
        "step 5, loss 4.316", "step 10, loss 1.202", "step 15, loss 0.3347", "step 20, loss 0.09322",
    ]  # fmt: skip
    (row,) = json.loads(call("learn", *textbook, *words, "--format", "json").out)["rows"]
    weights, losses = np.zeros(2), []
    x, y = map(np.load, textbook)
    for _ in range(21):
        error = weights[0] * x[:, :-1] + weights[1] * x[:, 1:] - y
        losses.append((error**2).sum())
        weights = weights - 0.02 * np.array([(error * x[:, :-1]).sum(), (error * x[:, 1:]).sum()])
    assert row["losses"] == pytest.approx(losses)
    assert row["lr"] == 0.01


def test_no_loss_is_printed_for_a_step_that_is_not_taken(call: Call, textbook: tuple[Path, Path]) -> None:
    out = call("learn", *textbook, "--size", "1x2", "--method", "sgd", "--steps", "19").out
    assert "step 15, loss" in out
    assert "step 20, loss" not in out


def test_of_many_losses_some_are_printed(call: Call, textbook: tuple[Path, Path]) -> None:
    out = call("learn", *textbook, "--size", "1x2", "--method", "sgd", "--steps", "1000").out.splitlines()
    assert sum(line.startswith("step ") for line in out) == 40
    assert out[out.index("...") + 1].startswith("step 905, ")


def test_a_trace_is_an_animation_of_every_step(
    call: Call, textbook: tuple[Path, Path], tmp_path: Path
) -> None:
    gif = tmp_path / "trace.gif"
    result = call("learn", *textbook, "--size", "1x2", "--method", "sgd", "--steps", "20", "--trace", gif)
    assert (
        result.err
        == f"convcli: wrote {gif}: negative weights are blue, positive weights red, and 0 is white\n"
    )
    with Image.open(gif) as image:
        assert image.n_frames == 21
        colours = []
        for number in (0, 20):
            image.seek(number)
            shown = np.asarray(image.convert("RGB")).astype(int)
            colours.append((shown[24, 20], shown[24, 70]))
    (one, other), (left, right) = colours
    assert (one == other).all() and one.min() > 240  # zeros
    assert left[0] > 150 > left[2] and right[2] > 150 > right[0]  # red, then blue


def test_a_seed_sets_a_reproducible_start(call: Call, textbook: tuple[Path, Path]) -> None:
    def losses(*words: str) -> list[float]:
        out = call("learn", *textbook, "--size", "1x2", "--method", "sgd", "--format", "json", *words).out
        return json.loads(out)["rows"][0]["losses"]

    assert losses("--seed", "3") == losses("--seed", "3") != losses("--seed", "4")
    assert losses()[0] == 12


def test_pairs_are_learned_from_together(call: Call, tmp_path: Path, pair: tuple[Path, Path]) -> None:
    after = tmp_path / "lake.png"
    call("filter", LAKE, "-k", "sobel-x", "--gray", "-o", after)
    result = call("learn", *pair, LAKE, after, "--gray", "--format", "json")
    (row,) = json.loads(result.out)["rows"]
    assert row["weights"] == SOBEL
    with Image.open(after) as lake:
        pixels = 320 * 400 + lake.width * lake.height
    assert row["samples"] + row["clipped"] + row["border"] == pixels


def test_one_kernel_a_channel_is_a_layer(call: Call, tmp_path: Path) -> None:
    lake = np.asarray(Image.open(LAKE))[:120, :120]
    Image.fromarray(lake).save(tmp_path / "lake.png")
    specs = ("box", "gaussian", "identity")
    mixed = np.dstack([convcli.filter_picture(lake[..., n], spec) for n, spec in enumerate(specs)])
    Image.fromarray(mixed).save(tmp_path / "mixed.png")
    weights, biases = tmp_path / "w.npy", tmp_path / "b.npy"
    result = call(
        "learn", tmp_path / "lake.png", tmp_path / "mixed.png", "--size", "7", "--per-channel",
        "-o", weights, "--bias-file", biases,
    )  # fmt: skip
    assert result.code == 0
    assert [line.split()[0] for line in result.out.splitlines()[2:5]] == ["0", "1", "2"]
    assert np.load(weights).shape == (3, 1, 7, 7)
    out = tmp_path / "again.png"
    done = call(
        "filter",
        tmp_path / "lake.png",
        "--weights",
        weights,
        "--bias-file",
        biases,
        "-o",
        out,
    )
    assert done.code == 0
    again = np.asarray(Image.open(out))
    assert np.abs(again[3:-3, 3:-3].astype(int) - mixed[3:-3, 3:-3]).max() <= 1


@pytest.mark.parametrize(
    ("made", "learned", "output"),
    [
        (["-k", "2 -1 0; 0 1 1", "--bias", "-9"], ["--size", "2x3"], "k.json"),
        (["-k", "2 -1 0; 0 1 1", "--bias", "-9"], ["--size", "2x3"], "k.csv"),
        (
            ["-k", "box", "--stride", "2", "--padding", "valid", "--dilation", "2x1", "--gray"],
            ["--stride", "2", "--padding", "valid", "--dilation", "2x1", "--gray"],
            "k.npy",
        ),
        (
            ["-k", "2 -1 0; 0 1 1", "--scale", "0.3", "--linear", "--flip"],
            ["--linear", "--flip", "--no-bias", "--size", "2x3"],
            "k.npy",
        ),
        (["-k", "emboss", "--padding-mode", "circular"], ["--padding-mode", "circular"], "k.mat"),
        (["-k", "box", "--bias", "5"], ["--per-channel", "--bias-file", "b.npy"], "w.npy"),
        (["--pointwise", "swap-rb"], ["--mix", "--size", "1", "--no-bias"], "w.npy"),
        (["--pointwise", "luma"], ["--mix", "--size", "1", "--no-bias"], "w.npy"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else value,
)
def test_the_printed_command_makes_the_second_picture(
    call: Call, tmp_path: Path, made: list[str], learned: list[str], output: str
) -> None:
    before, after, again = (tmp_path / name for name in ("be fore.png", "after.png", "again.png"))
    pixels = np.random.default_rng(0).integers(80, 150, (40, 50, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(before)
    assert call("filter", before, *made, "-o", after).code == 0
    words = [str(tmp_path / word) if word.endswith(".npy") else word for word in learned]
    result = call("learn", before, after, *words, "-o", tmp_path / output)
    (line,) = (line for line in result.err.splitlines() if "run it with: " in line)
    program, *typed = shlex.split(line.partition("run it with: ")[2])
    assert (program, typed[:2]) == ("convcli", ["filter", str(before)])
    assert call(*typed, "-o", again).code == 0
    expected, found = (np.asarray(Image.open(path)).astype(int) for path in (after, again))
    assert expected.shape == found.shape
    assert abs(expected - found)[4:-4, 4:-4].max() <= 1


def test_biases_without_a_file_are_noted(call: Call, tmp_path: Path) -> None:
    after = tmp_path / "after.png"
    assert call("filter", LAKE, "--resize", "64x", "-o", tmp_path / "before.png").code == 0
    assert call("filter", tmp_path / "before.png", "-k", "box", "--bias", "5", "-o", after).code == 0
    words = "learn", tmp_path / "before.png", after, "--per-channel", "-o", tmp_path / "w.npy", "--force"
    assert call(*words).err.splitlines()[-1] == (
        f"convcli: {tmp_path}/w.npy has no place for the biases; --bias-file biases.npy writes them"
    )
    assert "for the biases" not in call(*words, "--no-bias").err


def test_weights_between_channels_are_a_layer(call: Call, tmp_path: Path) -> None:
    call("filter", LAKE, "--pointwise", "luma", "-o", tmp_path / "grey.png")
    result = call("learn", LAKE, tmp_path / "grey.png", "--mix", "--size", "1", "-o", tmp_path / "w.npy")
    assert result.code == 0
    assert np.load(tmp_path / "w.npy").ravel() == pytest.approx([0.299, 0.587, 0.114], abs=3e-3)


def test_transparent_pixels_are_left_out(call: Call, tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    colours = random.integers(60, 190, (40, 50), dtype=np.uint8)
    after = convcli.filter_picture(colours, "binomial")
    alpha = np.full(colours.shape, 255, np.uint8)
    alpha[10:20, 15:30] = 0
    colours[10:20, 15:30] = 0  # hidden pixels are unknown
    Image.fromarray(np.dstack([colours, alpha])).save(tmp_path / "before.png")
    Image.fromarray(after).save(tmp_path / "after.png")
    result = call("learn", tmp_path / "before.png", tmp_path / "after.png", "--format", "json")
    assert result.err == (
        f"convcli: {tmp_path}/before.png has alpha, which is ignored, as are pixels that are not opaque\n"
    )
    (row,) = json.loads(result.out)["rows"]
    assert row["nearest"] == "binomial"
    assert row["masked"] == 12 * 17
    assert row["residual"] < 0.3


def test_transparent_pixels_of_the_second_picture_are_left_out(call: Call, tmp_path: Path) -> None:
    colours = np.random.default_rng(0).integers(60, 190, (40, 50), dtype=np.uint8)
    after = convcli.filter_picture(colours, "binomial")
    alpha = np.full(after.shape, 255, np.uint8)
    alpha[10:20, 15:30] = 0
    Image.fromarray(colours).save(tmp_path / "before.png")
    Image.fromarray(np.dstack([np.where(alpha, after, 128), alpha])).save(tmp_path / "after.png")
    result = call("learn", tmp_path / "before.png", tmp_path / "after.png", "--format", "json")
    (row,) = json.loads(result.out)["rows"]
    assert (row["masked"], row["samples"]) == (10 * 15, 38 * 48 - 10 * 15)
    assert row["residual"] < 0.3


def test_transparent_pixels_are_left_out_of_the_border(call: Call, tmp_path: Path) -> None:
    """With circular padding, the last columns use the first ones, which are hidden here."""
    colours = np.random.default_rng(0).integers(60, 190, (40, 50), dtype=np.uint8)
    after = convcli.filter_picture(colours, "1 2 1; 2 4 2; 1 2 1", scale=1 / 16, padding_mode="circular")
    alpha = np.full(colours.shape, 255, np.uint8)
    alpha[:, :2] = 0
    Image.fromarray(np.dstack([np.where(alpha, colours, 0), alpha])).save(tmp_path / "before.png")
    Image.fromarray(after).save(tmp_path / "after.png")
    words = ("learn", tmp_path / "before.png", tmp_path / "after.png", "--padding-mode", "circular")
    (row,) = json.loads(call(*words, "--format", "json").out)["rows"]
    assert row["masked"] == 40 * 4
    assert row["samples"] == 40 * 46
    assert row["residual"] < 0.3


def test_linear_light_in_and_out(call: Call, tmp_path: Path) -> None:
    lake, after, kernel, again = (
        tmp_path / name for name in ("lake.png", "after.png", "k.json", "again.png")
    )
    Image.open(SAMPLES / "landscape.png").crop((150, 60, 270, 160)).save(lake)
    words = ("--bias", "0.01", "--linear")
    assert call("filter", lake, "-k", "binomial", *words, "-o", after).code == 0
    result = call("learn", lake, after, "--linear", "-o", kernel)
    assert (
        "bias and residual are in linear light, where white is 1; run the kernel with filter --linear"
        in result.out
    )
    assert json.loads(kernel.read_text())["offset"] == pytest.approx(0.01, abs=1e-3)
    assert call("filter", lake, "-k", kernel, "--linear", "-o", again).code == 0
    assert call("diff", after, again, "--tolerance", "1").code == 0
    assert call("learn", lake, after, "--field", "linear").out == "no\n"
    assert "linear light" not in call("learn", lake, after).out


def test_a_bank_of_light(call: Call, tmp_path: Path) -> None:
    from convcli.backend.colour import to_light

    lake = SAMPLES / "landscape.png"
    words = ("learn", "--patches", lake, "--count", "3", "--size", "3", "-o")
    assert call(*words, tmp_path / "light.npy", "--linear").code == 0
    assert call(*words, tmp_path / "plain.npy").code == 0
    light, plain = np.load(tmp_path / "light.npy"), np.load(tmp_path / "plain.npy")
    pixels = np.asarray(Image.open(lake))
    assert light == pytest.approx(convcli.learn_bank(to_light(pixels), 3, 3).weights, abs=1e-6)
    assert plain == pytest.approx(convcli.learn_bank(pixels, 3, 3).weights, abs=1e-6)
    assert np.abs(light - plain).max() > 0.01


def test_the_kernel_alone_is_printed(call: Call, pair: tuple[Path, Path], tmp_path: Path) -> None:
    assert call("learn", *pair, "-o", "-") == (0, "-1 0 1\n-2 0 2\n-1 0 1\n", "")
    assert call("learn", *pair, "-o", "csv:-").out == "-1,0,1\n-2,0,2\n-1,0,1\n"
    assert json.loads(call("learn", *pair, "-o", "json:-").out) == {"weights": SOBEL}
    values = ("--values", "0 1; 2 3", "--values", "3 5; 7 9", "--size", "1", "-o", "-")
    assert call("learn", *values) == (
        0,
        "2\n",
        "convcli: the printed matrix cannot hold the bias 3; -o json:- prints it, too\n",
    )
    assert call("learn", *values[:-1], "json:-").out == '{"weights": [[2.0]], "offset": 3.0}\n'


def test_weights_that_noise_leaves_uncertain_are_reported(call: Call, tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    np.save(tmp_path / "b.npy", random.standard_normal((9, 9)))
    np.save(tmp_path / "a.npy", random.standard_normal((9, 9)))
    words = ("learn", tmp_path / "b.npy", tmp_path / "a.npy")
    error = float(call(*words, "--field", "error").out)
    line = f"the weights have a standard error of {error:.2g}, estimated from the residuals"
    assert line in call(*words).out.splitlines()
    assert "uncertain" not in call("learn", tmp_path / "b.npy", tmp_path / "b.npy").out


def test_a_constant_second_picture_is_made_by_the_bias(call: Call, tmp_path: Path) -> None:
    Image.new("L", (400, 320), 7).save(tmp_path / "flat.png")
    lines = call("learn", HOUSE, tmp_path / "flat.png").out.splitlines()
    assert lines[2].split()[:3] == ["3x3", "same", "7"]
    assert lines[4:7] == ["0  0  0"] * 3
    assert "all weights are 0: the second picture does not depend on the first, only on the bias" in lines


def test_frames_are_pairs(call: Call, tmp_path: Path) -> None:
    frames = np.random.default_rng(0).integers(60, 190, (3, 20, 20, 1), dtype=np.uint8)
    np.save(tmp_path / "b.npy", frames)
    np.save(tmp_path / "a.npy", np.stack([convcli.filter_picture(frame, "emboss") for frame in frames]))
    (row,) = json.loads(call("learn", tmp_path / "b.npy", tmp_path / "a.npy", "--format", "json").out)["rows"]
    assert row["nearest"] == "emboss"
    assert row["samples"] + row["clipped"] + row["border"] == 3 * 400
    np.save(tmp_path / "a.npy", frames[:2])
    message = f"{tmp_path}/b.npy has 3 frame(s) and {tmp_path}/a.npy 2; choose one frame of each with --frame"
    assert one_error(call("learn", tmp_path / "b.npy", tmp_path / "a.npy")) == message


def test_depths_that_differ_are_reported(call: Call, tmp_path: Path) -> None:
    small = np.random.default_rng(0).integers(0, 256, (20, 20), dtype=np.uint8)
    Image.fromarray(small).save(tmp_path / "b.png")
    Image.fromarray(small.astype(np.uint16) * 257).save(tmp_path / "a.png")
    result = call("learn", tmp_path / "b.png", tmp_path / "a.png", "--size", "1", "--field", "weights")
    assert result.out == "257\n"
    assert result.err == (
        f"convcli: {tmp_path}/b.png holds uint8 and {tmp_path}/a.png uint16: the weights include the change of scale, 257\n"
    )


def test_standard_input(program, pair: tuple[Path, Path]) -> None:
    done = program("learn", "-", pair[1], "--field", "nearest", input=HOUSE.read_bytes())
    assert (done.returncode, done.stdout, done.stderr) == (0, b"sobel-x\n", b"")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["b.npy"], "1 picture is given, and pairs are needed; name BEFORE AFTER, or BEFORE AFTER BEFORE AFTER"),
        (["-", "-"], "- is given twice, and standard input holds one picture; name a file"),
        (["b.npy", "a.npy", "-o", "k.png"], "k.png has no known ending; end it in .npy .csv .txt .json .mat"),
        (
            ["b.npy", "a.npy", "--mix", "-o", "k.csv"],
            "k.csv holds one kernel, and several are learned: end it in .npy",
        ),
        (
            ["b.npy", "a.npy", "--per-channel", "-o", "k.png"],
            "k.png has no known ending; end it in .npy, as several kernels are learned",
        ),
        (["b.npy", "a.npy", "--bias-file", "b.csv"], "b.csv has no known ending; end it in .npy"),
        (["b.npy", "a.npy", "--trace", "t.gif"], "--trace shows the steps of gradient descent; give --method sgd with it"),
        (["b.npy", "a.npy", "--trace", "t.jpg", "--method", "sgd"], "t.jpg has no ending of an animation; end it in .gif .png .webp"),
        (["b.npy", "a.npy", "-o", "a.npy"], "a.npy is a picture and would be overwritten; choose another -o"),
        (["b.npy", "a.npy", "-o", "-", "--field", "nearest"], "-o - prints the kernel instead of the answer that --field and --format describe; leave one of them out"),
        (["b.npy", "a.npy", "-o", "-", "--mix"], "several kernels are learned, and only one can be printed as a matrix; write them to a .npy with -o"),
        (["b.npy", "a.npy", "-o", "png:-"], "-.png has no known ending; end it in .npy .csv .txt .json .mat"),
        (["b.npy", "a.npy", "--size", "0"], "size must be at least 1, got 0"),
        (["b.npy", "a.npy", "--steps", "5"], "--steps belongs to gradient descent; give --method sgd with it"),
        (
            ["b.npy", "small.npy"],
            "b.npy is 20 wide and 20 high and small.npy 20 wide and 10 high; a window of 3x3 makes 20 wide and 20 high with padding same, 18 wide and 18 high "
            "with padding valid, 22 wide and 22 high with padding full; crop or resize one of them, or give the right "
            "--size and --padding",
        ),
        (
            ["b.npy", "half.npy", "--size", "7"],
            "b.npy is 20 wide and 20 high and half.npy 10 wide and 10 high; a window of 7x7 makes 20 wide and 20 high with padding same, 14 wide and 14 high "
            "with padding valid, 26 wide and 26 high with padding full; learn with --stride 2, which fits, or crop or resize one of them, or give the right "
            "--size and --padding",
        ),
        (
            ["--values", "1 2; 3 4", "--values", "1 2 3 4 5 6"],
            "values 1 is 2 wide and 2 high and values 2 6 wide and 1 high; a window of 3x3 makes 2 wide and 2 high with padding same, 4 wide and 4 high "
            "with padding full; crop or resize one of them, or give the right --size and --padding",
        ),
        (
            ["b.npy", "colour.npy"],
            "b.npy has 1 channel and colour.npy 3 channels; convert both to grey (--gray), or learn weights between all channels "
            "with --mix",
        ),
        (
            ["flat.npy", "a.npy"],
            "the first picture is 4 everywhere, which does not determine a kernel; use a picture with contrast",
        ),
        (
            ["b.npy", "bytes.npy"],
            "no sample of the second picture can be used: all are black or white, and may be clipped, or are masked; use a "
            "picture with intermediate tones, or use all samples with --keep-clipped",
        ),
        (
            ["b.npy", "a.npy", "--max-memory", "100K"],
            "cannot learn from b.npy: it would take about 1M of memory, over the limit of 100K; raise it with "
            "--max-memory 1M, or use smaller pictures, or fewer",
        ),
        (
            ["b.npy", "a.npy", "--linear"],
            "cannot convert b.npy: --linear needs sRGB or grey of 8 or 16 bits, but it has L;float64; leave --linear out, "
            "or convert it first",
        ),
        (["nowhere.npy", "a.npy"], "cannot read nowhere.npy: there is no such file; check the spelling and the folder"),
    ],
)  # fmt: skip
def test_what_is_refused(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    x = np.random.default_rng(0).standard_normal((20, 20))
    np.save("b.npy", x)
    np.save("a.npy", x)
    np.save("small.npy", x[:10])
    np.save("half.npy", x[::2, ::2])
    np.save("colour.npy", np.dstack([x, x, x]))
    np.save("flat.npy", np.full((20, 20), 4))
    np.save("bytes.npy", (x > 0).astype(np.uint8) * 255)
    before = sorted(tmp_path.iterdir())
    result = call("learn", *words)
    assert one_error(result) == message
    of_content = (
        "cannot read",
        "cannot learn",
        "cannot convert",
        " high; ",
        "everywhere",
        "no sample",
        "channel",
    )
    of_files = "--values" not in words and any(part in message for part in of_content)
    assert result.code == (1 if of_files else 2)
    assert sorted(tmp_path.iterdir()) == before


def test_a_learning_rate_that_is_too_large(call: Call, textbook: tuple[Path, Path], tmp_path: Path) -> None:
    words = ("learn", *textbook, "--size", "1x2", "--no-bias", "--method", "sgd", "--seed", "0", "--lr")
    result = call(*words, "0.05", "-o", tmp_path / "k.npy")
    assert one_error(result).startswith("--lr 0.05 is too large: the loss grew from ")
    assert one_error(result).endswith("; give at most --lr 0.033, or leave --lr out")
    assert result.code == 2
    assert not (tmp_path / "k.npy").exists()
    assert call(*words, "0.033").code == 0


def test_files_are_never_overwritten_without_force(
    call: Call, pair: tuple[Path, Path], tmp_path: Path
) -> None:
    kernel = tmp_path / "k.csv"
    kernel.write_text("mine")
    assert (
        one_error(call("learn", *pair, "-o", kernel))
        == f"{kernel} exists; give --force to replace it, or another -o"
    )
    assert kernel.read_text() == "mine"
    assert call("learn", *pair, "-o", kernel, "--force").code == 0
    assert kernel.read_text() == "-1,0,1\n-2,0,2\n-1,0,1\n"


# Banks


def test_a_bank_of_patches_is_a_file_and_a_sheet_and_runs(call: Call, tmp_path: Path) -> None:
    bank, sheet, maps = tmp_path / "bank.npy", tmp_path / "bank.png", tmp_path / "maps.npy"
    words = ("--patches", LAKE, HOUSE, "--gray", "--count", "9", "--size", "5")
    result = call("learn", *words, "-o", bank, "--bank-sheet", sheet, "--format", "json", "-q")
    (row,) = json.loads(result.out)["rows"]
    assert (row["kernels"], row["channels"], row["size"], row["patches"]) == (9, 1, [5, 5], 10_001)
    weights = np.load(bank)
    assert (weights.shape, weights.dtype) == ((9, 1, 5, 5), np.float32)
    assert weights == pytest.approx(np.array(row["weights"]), abs=1e-6)
    with Image.open(sheet) as drawn:
        assert drawn.size == (3 * 95 + 2 * 4, 3 * 95 + 2 * 4)
    assert call("filter", HOUSE, "--weights", bank, "-o", maps).code == 0
    assert np.load(maps).shape == (320, 400, 9)
    again = tmp_path / "again.npy"
    call("learn", *words, "-o", again)
    assert np.array_equal(np.load(again), weights)
    call("learn", *words, "--seed", "1", "-o", again, "--force")
    assert not np.array_equal(np.load(again), weights)


def test_the_answer_of_a_bank_in_words(call: Call, tmp_path: Path) -> None:
    result = call("learn", "--patches", HOUSE, "--count", "2", "--size", "3", "-o", tmp_path / "b.npy")
    words = HOUSE, "--weights", tmp_path / "b.npy"
    lines = result.out.splitlines()
    assert lines[0].split() == ["kernels", "channels", "size", "patches", "explained"]
    assert lines[2].split()[:4] == ["2", "1", "3x3", "10,000"]
    assert lines[4].startswith("patches that are nearest to each kernel: ")
    assert result.err.splitlines() == [
        f"convcli: wrote {tmp_path}/b.npy: weights (2, 1, 3, 3)",
        "convcli: run it with: " + shlex.join(["convcli", "filter", *map(str, words), "--sheet"]),
    ]


def test_a_folder_of_pictures_and_a_random_bank(call: Call, tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(3):
        pixels = np.random.default_rng(number).integers(0, 256, (30, 40, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.png")
    assert call("learn", "--patches", folder, "--field", "patches,channels").out == "16002\t3\n"
    assert call("learn", "--random", "--in", "3", "--count", "4", "-o", tmp_path / "r.npy").code == 0
    assert np.load(tmp_path / "r.npy").shape == (4, 3, 7, 7)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "there is nothing to learn from; name BEFORE and AFTER, or pictures with --patches"),
        (["--patches"], "--patches needs pictures to learn from; name some"),
        (["--patches", "--random"], "--patches learns a bank and --random draws one; give one of them"),
        (["--random", "b.npy"], "--random uses no pictures, but 'b.npy' is given; leave it out"),
        (["--random", "-o", "-"], "a bank has several kernels, and only one can be printed as a matrix; write it to a .npy with -o"),
        (["--random", "--size", "0"], "size must be at least 1, got 0"),
        (["--random", "--gray"], "--random uses no pictures, but --gray is given; leave it out"),
        (["--random", "--linear"], "--random uses no pictures, but --linear is given; leave it out"),
        (
            ["--patches", "b.npy", "--method", "sgd"],
            "--method applies to pairs of pictures, not to --patches; leave it out",
        ),
        (["b.npy", "b.npy", "--count", "3"], "--count applies only to a bank; give --patches or --random with it"),
        (["--patches", "b.npy", "--in", "3"], "--in applies to --random; with --patches the pictures determine it; leave it out"),
        (["--patches", "b.npy", "-o", "bank.csv"], "bank.csv has no known ending; end it in .npy"),
        (["--random", "--bank-sheet", "bank.gif"], "bank.gif has no known ending; end it in .png"),
        (["--patches", "-"], "--patches reads files, not standard input (-); name files"),
        (
            ["--patches", "b.npy"],
            "b.npy is 6 wide and 6 high, smaller than a patch of 7x7; use a larger picture, or a smaller --size",
        ),
        (
            ["--patches", "b.npy", "--size", "3", "--max-memory", "1M"],
            "cannot learn from b.npy: it would take about 9M of memory, over the limit of 1M; raise it with --max-memory "
            "9M, or use a smaller --size",
        ),
        (["--patches", "none.png"], "cannot read none.png: there is no such file; check the spelling and the folder"),
    ],
)  # fmt: skip
def test_errors_of_banks(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    np.save("b.npy", np.random.default_rng(0).standard_normal((6, 6)))
    result = call("learn", *words)
    assert one_error(result) == message
    assert result.code == (1 if "cannot" in message else 2)
    assert [path.name for path in tmp_path.iterdir()] == ["b.npy"]
