"""convcli filter with every variant and stage: from options to files, and one-line errors."""

import json
from pathlib import Path
from typing import get_args

import click
import numpy as np
import pytest
from PIL import Image

from convcli.backend.values import into_dtype
from convcli.cli.commands.filter import GROUPS
from convcli.cli.commands.filter import command as filter_command
from convcli.filters.request import FILTERING, GIVEN_BY, Request
from convcli.filters.stages.blend import LOCALS
from convcli.filters.stages.build_stages import OF_KERNEL, OF_KERNELS
from convcli.filters.stages.mixing import MIXINGS
from convcli.filters.stages.offsets import FIELDS
from convcli.images.map_sheet import draw_maps
from convcli.images.read import read_header, read_picture
from convcli.layers import ACTIVATIONS, VARIANTS
from convcli.layers.variant_spec import SLIDING, TAKES, Weighing
from tests.conftest import SAMPLE_NAMES, SAMPLES, Call, one_error
from tests.test_imports import modules

WORDS = {
    "standard": "-k sharpen --variant standard --range minmax",
    "depthwise": "-k sobel",
    "pointwise": "--pointwise sepia",
    "depthwise-separable": "-k emboss --pointwise luma",
    "grouped": "-k box --variant grouped --groups 3",
    "shuffled-grouped": "-k box --variant shuffled-grouped --groups 3",
    "separable": "-k disk:radius=3 --rank 2",
    "dilated": "-k outline --variant dilated",
    "transposed": "-k bilinear --variant transposed",
    "resize-conv": "-k box --variant resize-conv",
    "deformable": "--offsets swirl:strength=2",
    "local": "--local tilt-shift:sigma=2",
    "tiled": "-k identity -k gaussian --variant tiled",
}


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A part of the landscape, with a colour picture's house, mountains and lake."""
    path = tmp_path / "small.png"
    with Image.open(SAMPLES / "landscape.png") as image:
        image.crop((200, 90, 240, 120)).save(path)
    return path


def pixels(path: Path) -> np.ndarray:
    return read_picture(path).frames[0].pixels


def test_every_variant_is_shown() -> None:
    assert set(WORDS) == set(FILTERING) == set(VARIANTS) - {"dense"}


@pytest.mark.parametrize("variant", WORDS)
def test_every_variant_writes_the_picture_of_the_dry_run(
    call: Call, small: Path, tmp_path: Path, variant: str
) -> None:
    out = tmp_path / "x.png"
    dry_run = call("filter", small, *WORDS[variant].split(), "-o", out, "--dry-run", "--stats", "-q")
    assert dry_run.code == 0
    facts = json.loads(dry_run.out)
    assert not out.exists()
    done = call("filter", small, *WORDS[variant].split(), "-o", out, "--stats", "-q")
    assert (done.code, done.err) == (0, "")
    reported = json.loads(done.out)
    (frame,) = read_picture(out).frames
    assert facts["size"] == reported["size"] == list(frame.pixels.shape[:2])
    assert facts["mode"] == reported["mode"] == frame.mode
    assert facts["dry_run"]
    assert facts["layers"]
    assert facts["macs"] > 0
    assert reported["min"] <= reported["mean"] <= reported["max"]
    enlarged = VARIANTS[variant].enlarges
    assert frame.pixels.shape[:2] == ((60, 80) if enlarged else (30, 40))


@pytest.mark.parametrize("variant", WORDS)
@pytest.mark.parametrize("name", SAMPLE_NAMES)
def test_every_variant_takes_every_sample(call: Call, tmp_path: Path, name: str, variant: str) -> None:
    """With --stride, so that it is quick."""
    words = [
        *WORDS[variant].split(),
        *([] if VARIANTS[variant].enlarges else ["--stride", "4"]),
    ]
    result = call("filter", SAMPLES / name, *words, "-o", tmp_path / "x.tiff", "-q")
    if name in ("house.png", "ramp16.png", "zoneplate.png") and "--pointwise" in words:
        assert "and the picture has 1 channels; give one with 1 columns" in one_error(result)
    elif name in ("house.png", "ramp16.png", "zoneplate.png") and "grouped" in variant:
        assert "in_channels 1 cannot be divided into 3 equal groups" in one_error(result)
    else:
        assert (result.code, result.err) == (0, "")
        source, made = read_picture(SAMPLES / name), read_picture(tmp_path / "x.tiff")
        assert len(made.frames) == len(source.frames)
        assert made.frames[0].pixels.dtype == source.frames[0].pixels.dtype
        assert made.frames[0].has_alpha == source.frames[0].has_alpha


@pytest.mark.parametrize("name", SAMPLE_NAMES)
def test_the_header_determines_the_plan(name: str) -> None:
    ahead, read = read_header(SAMPLES / name), read_picture(SAMPLES / name)
    assert ahead.format == read.format
    assert [(frame.mode, frame.pixels.shape, frame.pixels.dtype) for frame in ahead.frames] == [
        (frame.mode, frame.pixels.shape, frame.pixels.dtype) for frame in read.frames
    ]


def test_an_option_selects_its_variant(call: Call, small: Path, tmp_path: Path) -> None:
    for number, (words, variant) in enumerate(
        (
            ("--pointwise sepia", "pointwise"),
            ("-k box --pointwise sepia", "depthwise-separable"),
            ("-k box --rank 1", "separable"),
            ("-k box --offsets lens", "deformable"),
            ("-k box -k sharpen --tile 2x1", "tiled"),
            ("-k box --output-padding 1 --padding 1", "transposed"),
        )
    ):
        plain, named = tmp_path / f"{number}.png", tmp_path / f"{number}-named.png"
        assert call("filter", small, *words.split(), "-o", plain, "-q").code == 0
        assert call("filter", small, *words.split(), "--variant", variant, "-o", named, "-q").code == 0
        assert (pixels(plain) == pixels(named)).all()


# Stages


def test_a_pipeline_is_not_rounded_between_its_kernels(call: Call, small: Path, tmp_path: Path) -> None:
    assert (
        call(
            "filter", small, "-k", "box:3", "-k", "laplacian", "--scale", "3", "-o", tmp_path / "x.png", "-q"
        ).code
        == 0
    )
    source = np.pad(pixels(small).astype(float), ((2, 2), (2, 2), (0, 0)), "reflect")
    box = sum(source[i : i + 32, j : j + 42] for i in range(3) for j in range(3)) / 3
    edge = 3 * (box[:-2, 1:-1] + box[2:, 1:-1] + box[1:-1, :-2] + box[1:-1, 2:] - 4 * box[1:-1, 1:-1])
    # the mirror of the mean is the mean of the mirror, as the kernel is symmetric
    assert (np.abs(pixels(tmp_path / "x.png").astype(float) - np.rint(edge).clip(0, 255)) <= 1).all()
    assert (pixels(tmp_path / "x.png") == np.rint(edge).clip(0, 255)).mean() > 0.99


def test_a_list_of_kernels_is_a_pipeline(call: Call, small: Path, tmp_path: Path) -> None:
    assert call("filter", small, "-k", "gaussian:2; sobel", "-o", tmp_path / "{kernel}.png", "-q").code == 0
    assert call("filter", small, "-k", "gaussian:2", "-k", "sobel", "-o", tmp_path / "x.png", "-q").code == 0
    assert (pixels(tmp_path / "gaussian-sobel.png") == pixels(tmp_path / "x.png")).all()


def test_convolve_activate_pool(call: Call, small: Path, tmp_path: Path) -> None:
    words = "-k 1,0,-1 --activation abs --pool max:2 --pool-channels max --padding valid".split()
    assert call("filter", small, *words, "-o", tmp_path / "x.png", "-q").code == 0
    source = pixels(small).astype(int)
    edge = np.abs(source[:, :-2] - source[:, 2:]).max(axis=2)
    expected = edge[:30, :38].reshape(15, 2, 19, 2).max(axis=(1, 3))
    assert (pixels(tmp_path / "x.png") == expected.clip(0, 255)).all()
    assert read_picture(tmp_path / "x.png").frames[0].mode == "L"


def test_stages_alone_need_no_kernel(call: Call, small: Path, tmp_path: Path) -> None:
    assert call("filter", small, "--pool", "avg:2", "-o", tmp_path / "x.png", "-q").code == 0
    expected = pixels(small).reshape(15, 2, 20, 2, 3).mean(axis=(1, 3))
    assert (pixels(tmp_path / "x.png") == np.rint(expected)).all()
    result = call("filter", small, "--pool", "avg:2")
    assert result.out == f"{small.parent}/small.avg.png\n"


def test_normalize_scale_bias_and_anchor_change_the_kernel(call: Call, small: Path, tmp_path: Path) -> None:
    words = [
        "-k",
        "1 1; 1 1",
        "--normalize",
        "--scale",
        "0.5",
        "--bias",
        "20",
        "--anchor",
        "0,0",
        "--padding-mode",
        "circular",
    ]
    assert call("filter", small, *words, "-o", tmp_path / "x.png", "-q").code == 0
    source = pixels(small).astype(int)
    total = source + np.roll(source, -1, 0) + np.roll(source, -1, 1) + np.roll(source, -1, (0, 1))
    assert (pixels(tmp_path / "x.png") == into_dtype(total / 8 + 20, np.dtype("uint8"), "clip").pixels).all()


@pytest.mark.parametrize("along", ["rows", "columns"])
def test_kernels_of_one_axis_are_applied_along_rows_or_columns(
    call: Call, small: Path, tmp_path: Path, along: str
) -> None:
    assert (
        call(
            "filter",
            small,
            "-k",
            "1 2 1",
            "--dims",
            "1",
            "--along",
            along,
            "--scale",
            "0.25",
            "-o",
            tmp_path / "x.png",
            "-q",
        ).code
        == 0
    )
    axis = 1 if along == "rows" else 0
    source = np.pad(pixels(small).astype(int), [(1, 1) if a == axis else (0, 0) for a in range(3)], "reflect")
    first, middle, last = (source.take(range(n, n + pixels(small).shape[axis]), axis) for n in range(3))
    assert (pixels(tmp_path / "x.png") == np.rint((first + 2 * middle + last) / 4)).all()


def test_frames_are_filtered_together(call: Call, tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    frames = [Image.fromarray(random.integers(0, 256, (6, 7), np.uint8)) for _ in range(5)]
    frames[0].save(tmp_path / "in.tiff", save_all=True, append_images=frames[1:])
    words = ["-k", "0 | 1 | 1", "--dims", "3", "--scale", "0.5", "-q"]
    assert call("filter", tmp_path / "in.tiff", *words, "-o", tmp_path / "x.tiff").code == 0
    stack = np.stack([np.asarray(frame).astype(int) for frame in frames])
    after = stack[[1, 2, 3, 4, 3]]  # the mirror of the last but one
    found = np.stack([frame.pixels for frame in read_picture(tmp_path / "x.tiff").frames])
    assert (found == np.rint((stack + after) / 2)).all()
    result = call("filter", SAMPLES / "house.png", *words, "-o", tmp_path / "y.png")
    assert "--dims 3 filters across frames or pages, and it has only one" in one_error(result)


def test_strides_over_frames_keep_the_timing_of_their_middles(call: Call, tmp_path: Path) -> None:
    words = ["-k", "box", "--dims", "3", "--stride", "2x1x1", "-q", "-o", tmp_path / "x.gif"]
    assert call("filter", SAMPLES / "spinner.gif", *words).code == 0
    before, after = read_picture(SAMPLES / "spinner.gif"), read_picture(tmp_path / "x.gif")
    assert len(after.frames) == -(-len(before.frames) // 2)
    assert after.frames[0].duration in {frame.duration for frame in before.frames}


def test_stages_run_in_linear_light(call: Call, tmp_path: Path) -> None:
    logo = SAMPLES / "logo.png"
    assert (
        call(
            "filter", logo, "-k", "identity", "-k", "identity", "--linear", "-o", tmp_path / "x.png", "-q"
        ).code
        == 0
    )
    source, made = pixels(logo), pixels(tmp_path / "x.png")
    visible = source[..., 3] > 0
    assert (made[visible] == source[visible]).all()
    assert (made[..., 3] == source[..., 3]).all()
    Image.fromarray(np.array([[0, 255] * 4] * 8, np.uint8)).save(tmp_path / "stripes.png")
    words = ["--pool", "avg:2", "--linear", "-q", "-o", tmp_path / "y.png"]
    assert call("filter", tmp_path / "stripes.png", *words).code == 0
    assert (
        pixels(tmp_path / "y.png") == 188
    ).all()  # half the light, in sRGB: 1.055 * 0.5 ** (1 / 2.4) - 0.055


# Maps


@pytest.fixture
def maps(tmp_path: Path) -> Path:
    """Weights of 5 maps, without a mean, so that they differ."""
    path = tmp_path / "w.npy"
    np.save(path, np.random.default_rng(0).standard_normal((5, 3, 3, 3)).astype(np.float32))
    return path


def test_maps_that_no_picture_can_store(call: Call, small: Path, tmp_path: Path, maps: Path) -> None:
    result = call("filter", small, "--weights", maps, "-o", tmp_path / "x.png")
    assert one_error(result) == (
        f"cannot write {tmp_path}/x.png: the layer makes 5 maps, and a picture has 1, 3 or 4 channels; give -o x.npy for "
        "the values, --sheet to draw them side by side, or --pool-channels to reduce them to one"
    )
    assert call("filter", small, "--weights", maps, "-o", tmp_path / "x.npy", "-q").code == 0
    found = np.load(tmp_path / "x.npy")
    assert (found.shape, found.dtype) == ((30, 40, 5), np.float32)
    assert call("filter", small, "--weights", maps, "--sheet", "-o", tmp_path / "s.png", "-q").code == 0
    kernels = np.load(maps)
    right = draw_maps(np.moveaxis(found, -1, 0), [f"map {number}" for number in range(5)], kernels, "w")
    assert np.array_equal(pixels(tmp_path / "s.png"), right)


def test_a_sheet_has_no_range(call: Call, small: Path, tmp_path: Path) -> None:
    result = call("filter", small, "-k", "sobel", "--sheet", "--range", "abs", "-o", tmp_path / "s.png")
    assert one_error(result) == (
        "--range abs maps values to the depth of a picture, and --sheet draws each map on its own scale; leave "
        "one of them out"
    )


@pytest.mark.parametrize(("count", "mode"), [(1, "L"), (3, "RGB"), (4, "RGBA")])
def test_maps_that_a_picture_can_store(
    call: Call, small: Path, tmp_path: Path, count: int, mode: str
) -> None:
    np.save(tmp_path / "w.npy", np.ones((count, 3, 1, 1)) / 3)
    np.save(tmp_path / "b.npy", np.arange(count))
    words = [
        "--weights",
        tmp_path / "w.npy",
        "--bias-file",
        tmp_path / "b.npy",
        "-o",
        tmp_path / "x.png",
        "-q",
    ]
    assert call("filter", small, *words).code == 0
    (frame,) = read_picture(tmp_path / "x.png").frames
    assert frame.mode == mode
    mean = pixels(small).mean(axis=2)
    assert (
        np.abs(frame.pixels.reshape(30, 40, -1) - (mean[..., None] + np.arange(count)).clip(0, 255)) <= 0.51
    ).all()


def test_alpha_is_kept_beside_mixed_channels(call: Call, tmp_path: Path) -> None:
    assert (
        call("filter", SAMPLES / "logo.png", "--pointwise", "luma", "-o", tmp_path / "x.png", "-q").code == 0
    )
    (frame,) = read_picture(tmp_path / "x.png").frames
    source = pixels(SAMPLES / "logo.png")
    assert frame.mode == "LA"
    assert (frame.pixels[..., 1] == source[..., 3]).all()
    assert np.abs(frame.pixels[..., 0] - source[..., :3] @ [0.299, 0.587, 0.114]).max() <= 0.51


def test_a_matrix_may_be_typed_or_in_a_file(call: Call, small: Path, tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text("0,0,1\n0,1,0\n1,0,0\n")
    (tmp_path / "m.txt").write_text("# swapped\n0 0 1\n0 1 0\n1 0 0\n")
    np.save(tmp_path / "m.npy", np.eye(3)[::-1].reshape(3, 3, 1, 1))
    for number, matrix in enumerate(
        ("swap-rb", "0 0 1; 0 1 0; 1 0 0", *(tmp_path / f"m.{end}" for end in ("csv", "txt", "npy")))
    ):
        assert call("filter", small, "--pointwise", matrix, "-o", tmp_path / f"{number}.png", "-q").code == 0
        assert (pixels(tmp_path / f"{number}.png") == pixels(small)[..., ::-1]).all()


def test_offsets_from_a_file(call: Call, small: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "o.npy", np.stack([np.full((30, 40), 2.0), np.full((30, 40), -3.0)]))
    words = ["--offsets", tmp_path / "o.npy", "--padding-mode", "circular", "-o", tmp_path / "x.png", "-q"]
    assert call("filter", small, *words).code == 0
    assert (pixels(tmp_path / "x.png") == np.roll(pixels(small), (-2, 3), (0, 1))).all()


def test_a_picture_as_a_kernel(call: Call, small: Path, tmp_path: Path) -> None:
    Image.fromarray(np.array([[[0, 0, 0], [255, 255, 255]], [[10, 20, 30], [0, 0, 0]]], np.uint8)).save(
        tmp_path / "k.png"
    )
    assert (
        call("filter", small, "-k", tmp_path / "k.png", "--normalize", "-o", tmp_path / "x.png", "-q").code
        == 0
    )
    assert call("filter", small, "-k", "0 255; 18 0", "--normalize", "-o", tmp_path / "y.png", "-q").code == 0
    assert (pixels(tmp_path / "x.png") == pixels(tmp_path / "y.png")).all()


def test_floats_are_converted_to_8_bits_by_a_range(call: Call, tmp_path: Path) -> None:
    values = np.array([[0.0, 0.5, 1.0], [2.0, -1.0, 0.25]], np.float32)
    np.save(tmp_path / "in.npy", values)
    result = call("filter", tmp_path / "in.npy", "-k", "identity", "-o", tmp_path / "x.png")
    assert "map its values to 8 bits with --range" in one_error(result)
    for how, wanted in (
        ("clip", [[0, 128, 255], [255, 0, 64]]),
        ("abs", [[0, 128, 255], [255, 255, 64]]),
        ("minmax", [[85, 128, 170], [255, 0, 106]]),
    ):
        assert (
            call(
                "filter",
                tmp_path / "in.npy",
                "-k",
                "identity",
                "--range",
                how,
                "-o",
                tmp_path / "x.png",
                "--force",
                "-q",
            ).code
            == 0
        )
        assert pixels(tmp_path / "x.png").tolist() == wanted


# Reports


def test_statistics_are_of_the_values_before_the_range(call: Call, small: Path, tmp_path: Path) -> None:
    out = tmp_path / "x.png"
    reported = json.loads(call("filter", small, "-k", "sobel-x", "--stats", "-o", out, "-q").out)
    call("filter", small, "-k", "sobel-x", "-o", tmp_path / "x.npy", "-q")
    values = np.load(tmp_path / "x.npy")
    assert reported == {
        "input": str(small),
        "output": str(out),
        "mode": "RGB",
        "size": [30, 40],
        "frames": 1,
        "min": values.min(),
        "max": values.max(),
        "mean": pytest.approx(values.mean()),
        "clipped": pytest.approx(((values < 0) | (values > 255)).mean()),
    }


def test_statistics_leave_standard_output_to_the_picture(call: Call, small: Path) -> None:
    assert "--stats and the picture would both go to standard output" in one_error(
        call("filter", small, "-k", "box", "--stats", "-o", "-")
    )


def test_a_dry_run_is_one_line_and_has_the_errors_of_the_run(call: Call, small: Path, tmp_path: Path) -> None:
    words = ["-k", "box", "--variant", "transposed", "--dry-run"]
    code, out, err = call("filter", small, *words)
    assert code == 0
    assert out.startswith(
        f"{small}: would read PNG, RGB, 40 wide and 30 high, decoded whole; run convT k3x3 s2 same g3 o3 nobias: 32,400 multiply-adds, less than 0.1 s on a core and "
    )
    assert out.endswith(f"MiB; write {small.parent}/small.box.png: PNG, RGB, 80 wide and 60 high\n")
    assert "checkerboard: uniform areas get 0.111 to 0.444 of their brightness" in err
    (tmp_path / "small.box.png").write_bytes(b"precious")
    assert "exists; give --force to replace it" in one_error(call("filter", small, *words))
    assert "JPEG cannot hold" in one_error(
        call("filter", SAMPLES / "logo.png", "-k", "box", "--dry-run", "-o", tmp_path / "x.jpg")
    )
    assert "JPEG holds one frame" in one_error(
        call(
            "filter",
            SAMPLES / "spinner.gif",
            "-k",
            "box",
            "--dry-run",
            "--channels",
            "r,g,b",
            "-o",
            tmp_path / "x.jpg",
        )
    )


def test_an_approximation_reports_its_error(call: Call, small: Path) -> None:
    err = call("filter", small, "-k", "disk:radius=3", "--rank", "1").err
    assert "rank 1 of 3: a relative error of 0.33 (Frobenius), at most" in err


# Errors


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--variant local", "--variant local needs --local tilt-shift, vignette-blur or a FILE.npy"),
        ("--variant deformable -k box", "--variant deformable needs --offsets swirl, lens, random or a FILE.npy"),
        ("--variant pointwise", "--variant pointwise needs --pointwise luma, sepia, swap-rb or a FILE with a matrix"),
        ("--variant depthwise-separable -k box", "--variant depthwise-separable needs --pointwise luma"),
        ("--variant standard", "there is nothing to run for --variant standard; give --kernel or --weights"),
        ("--variant dilated --pool max:2", "there is nothing to run for --variant dilated; give --kernel or --weights"),
        ("--variant dense -k box", "dense needs a weight for every pair of an input and an output pixel"),
        ("--variant deep -k box", "there is no variant 'deep'; "),
        ("-k box --rank 1 --variant depthwise", "--rank has no use with --variant depthwise; it belongs to separable"),
        ("-k box --tile 2x2", "takes the kernels of its tile row by row, and 1 are given for 2x2; repeat --kernel 4 times"),
        ("-k box --variant tiled", "takes the kernels of its tile row by row, and 1 are given for 1xN; repeat --kernel"),
        ("-k box -k box --tile 0x2", "'0x2' is not a tile; write ROWSxCOLUMNS, such as 2x2"),
        ("-k box --pointwise luma --variant pointwise", "--kernel has no use with --variant pointwise; it belongs to"),
        ("-k box --variant resize-conv --padding 1", "--padding has no use with --variant resize-conv"),
        ("-k box --variant dilated --groups 3", "--groups needs --weights for --variant dilated"),
        ("-k box --bias-file x.npy", "--bias-file needs --weights or --pointwise"),
        ("-k box --padding 0 --pointwise luma --variant pointwise", "--kernel has no use"),
        ("--padding 0 --pointwise luma", "--padding has no use with --variant pointwise"),
        ("--pointwise luma --normalize", "--normalize has no use with --variant pointwise"),
        ("--pool max:2 --bias 3", "--bias changes kernels, and there is none; give --kernel"),
        ("-k box --along rows", "--along is the direction of 1-D kernels; give --dims 1 with it"),
        ("-k box --dims 4", "'4' is not a whole number from 1 to 3"),
        ("-k box --repeat 0", "'0' is not a whole number from 1 to 1000"),
        ("-k box --anchor 1", "anchor 1 has 1 numbers but kernel 'box' has 2 axes"),
        ("-k box --anchor x", "'x' is not a position in a kernel; write Y,X from 0"),
        ("-k box --scale much", "'much' is not a number"),
        ("-k box --scale nan", "'nan' is not a finite number"),
        ("-k box --activation rely", "there is no activation 'rely'; did you mean 'relu'?"),
        ("-k box --pool mix:2", "--pool: there is no 'mix'; did you mean 'max'?"),
        ("-k box --pool max", "--pool max needs a size, for example max:2"),
        ("-k box --pool max:0", "kernel_size must be at least 1, got 0"),
        ("-k box --pool max:2,2", "--pool max has no argument '2'; it takes size, stride, padding, dilation, ceil"),
        ("-k box --pool max:2,size=2", "--pool max: size is given twice"),
        ("-k box --pool lp:2,p=x", "--pool lp: p: 'x' is not a number"),
        ("-k box --pool global-avg:2", "--pool global-avg has no argument '2'; it takes none"),
        ("-k box --pool-channels mean", "--pool-channels: there is no 'mean'; "),
        ("-k box --pool-channels max:0", "--pool-channels max: the size must be at least 1, got 0"),
        ("-k box --offsets swirly", "--offsets: there is no 'swirly'; did you mean 'swirl'?, or a FILE.npy"),
        ("-k box --offsets swirl:power=2", "--offsets swirl has no argument 'power'; it takes strength, radius"),
        ("-k box --offsets swirl:inf", "--offsets swirl: strength: 'inf' is not a finite number"),
        ("-k box --offsets random:seed=1.5", "--offsets random: seed must be a whole number, got '1.5'"),
        ("--local tilt-shift:sigma=1,sigma=2", "--local tilt-shift: sigma is given twice"),
        ("--local tilt-shift --flip", "--flip has no use with a built-in --local"),
        ("-k box --method gemm --variant transposed", "--method gemm has no use with --variant transposed"),
        ("-k sharpen --method separable", "--method separable needs kernels of rank 1, and sharpen has rank 2; use another method, or --variant separable with a --rank"),
        ("-k outline --variant dilated --method separable", "and outline has rank 2"),
        ("-k box --dims 3 -k log --method separable", "--method separable needs kernels of rank 1; use another method"),
        ("--offsets lens --dims 3", "--variant deformable works on rows and columns; leave --dims at 2"),
        ("--local tilt-shift --dims 3", "--variant local works on rows and columns; leave --dims at 2"),
        ("-k box --variant separable --dims 3", "--variant separable works on rows and columns; leave --dims at 2"),
        ("-k box -k identity --tile 1x2 --dims 3", "--variant tiled works on rows and columns; leave --dims at 2"),
        ("-k box --variant standard --alpha premultiply", "--alpha premultiply needs a weighted mean of each channel, which --variant standard is not"),
        ("-k box --max-memory 5", "'5' is not an amount of memory; write 500M or 4G"),
        ("--weights w.txt", "--weights w.txt: an array must be in a .npy file, as numpy.save writes it"),
        ("--pointwise lumo", "--pointwise: 'lumo' is not a matrix"),
    ],
)  # fmt: skip
def test_wrong_usage_is_one_line_and_code_2(call: Call, small: Path, words: str, message: str) -> None:
    result = call("filter", small, *words.split())
    assert result.code == 2
    assert message in one_error(result)
    assert [path.name for path in small.parent.iterdir()] == ["small.png"]


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (
            np.array([[object()]]),
            "it holds Python objects, which are never unpickled because they can run code; save an array of numbers",
        ),
        (
            np.ones((1, 3, 1, 1)) * 1j,
            "w.npy holds complex128 of shape (1, 3, 1, 1); save a non-empty array of real numbers",
        ),
        (np.full((1, 3, 1, 1), np.nan), "w.npy holds nan at (0, 0, 0, 0); every number must be finite"),
        (np.ones((0, 3, 1, 1)), "w.npy holds float64 of shape (0, 3, 1, 1)"),
    ],
)
def test_files_of_weights_are_checked(
    call: Call, small: Path, tmp_path: Path, array: np.ndarray, message: str
) -> None:
    np.save(tmp_path / "w.npy", array, allow_pickle=True)
    result = call("filter", small, "--weights", tmp_path / "w.npy")
    assert result.code == 2
    assert message in one_error(result)


def test_a_file_that_is_no_array(call: Call, small: Path, tmp_path: Path) -> None:
    for data in (b"", b"\x93NUMPY\x01\x00", b"hello"):
        (tmp_path / "w.npy").write_bytes(data)
        result = call("filter", small, "--weights", tmp_path / "w.npy")
        assert result.code == 2
        assert "w.npy" in one_error(result)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("-k sharpen --variant separable", "is not separable: its rank is 2, and rank 1 would make a relative error of 0.069; give --rank 2"),
        ("-k sharpen --rank 3", "--rank 3 is above the rank of the kernel 'sharpen', 2; give at most 2"),
        ("-k box --pool max:99", "small.png: the output would be empty"),
        ("-k box --variant grouped --groups 2", "small.png: in_channels 3 cannot be divided into 2 equal groups"),
        ("-k box --pool-channels max:2", "small.png: --pool-channels cannot pool 3 channels by 2"),
        ("-k box --variant transposed --stride 9999", "pixels, over the limit of 200,000,000; pad less, or raise it with --max-pixels"),
        ("-k box --variant transposed --stride 100 --max-memory 1M", "M of memory, over the limit of 1M; raise it with --max-memory"),
    ],
)  # fmt: skip
def test_what_does_not_fit_a_picture_is_one_line_and_code_1(
    call: Call, small: Path, words: str, message: str
) -> None:
    for dry in ([], ["--dry-run"]):
        result = call("filter", small, *words.split(), *dry)
        assert result.code == 1
        assert message in one_error(result)


@pytest.mark.parametrize("flags", ["", "--flip", "--stride 2", "--alpha filter"])
@pytest.mark.parametrize("padding", ["same", "same-lower", "valid", "full", "1", "0:2x1"])
def test_an_anchor_is_the_same_in_a_picture_in_numbers_and_among_stages(
    call: Call, tmp_path: Path, padding: str, flags: str
) -> None:
    rng = np.random.default_rng(8)
    pixels_in = rng.integers(0, 256, (9, 11, 4), dtype=np.uint8)
    pixels_in[3:5, 4:8, 3] = 0
    Image.fromarray(pixels_in, "RGBA").save(tmp_path / "x.png")
    kernel = ("-k", "0 1 2; 3 4 5; 6 7 -8", "--scale", "0.1", "--anchor", "0,2", "--padding", padding)
    found = []
    for name, more in (("a.png", ()), ("b.npy", ()), ("c.png", ("--activation", "relu"))):
        words = (*kernel, *flags.split(), *more, "-o", tmp_path / name)
        assert call("filter", tmp_path / "x.png", *words, "-q").code == 0
        assert call("filter", tmp_path / "x.png", *words, "--dry-run", "--force").code == 0
        found.append(np.rint(pixels(tmp_path / name).astype(float).clip(0, 255)))
    np.testing.assert_array_equal(found[0], found[1])
    np.testing.assert_array_equal(found[0], found[2])


def test_the_alternative_to_a_checkerboard_has_none(call: Call, small: Path, tmp_path: Path) -> None:
    words = ("--variant", "transposed", "--stride", 4, "-o")
    err = call("filter", small, "-k", "bilinear", *words, tmp_path / "uneven.png").err
    assert "of their brightness; take --kernel bilinear:factor=4, or --variant resize-conv" in err
    assert call("filter", small, "-k", "bilinear:factor=4", *words, tmp_path / "even.png").err == ""


def test_channels_that_no_groups_divide_are_reported(call: Call, small: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "w.npy", np.ones((4, 1, 3, 3)))
    result = call("filter", small, "--weights", tmp_path / "w.npy", "--groups", "2")
    assert result.code == 1
    assert (
        one_error(result)
        == f"cannot filter {small}: 3 channels cannot be divided into --groups 2 equal groups"
    )


def test_an_approximation_that_is_no_mean_is_refused_before_it_runs(call: Call, tmp_path: Path) -> None:
    words = ("-k", "disk:radius=3", "--rank", 2, "--alpha", "premultiply", "-o", tmp_path / "x.png")
    for dry in ([], ["--dry-run"]):
        result = call("filter", SAMPLES / "logo.png", *words, *dry)
        assert result.code == 1
        assert "logo.png: --alpha premultiply needs a weighted mean, and a stage is none" in one_error(result)


@pytest.mark.parametrize("method", ["direct", "separable", "gemm", "fft"])
def test_every_method_runs_and_gives_the_same_pixels(
    call: Call, small: Path, tmp_path: Path, method: str
) -> None:
    words = ("-k", "box:5", "--stride", 2)
    assert call("filter", small, *words, "-o", tmp_path / "auto.png").code == 0
    result = call("filter", small, *words, "--method", method, "-o", tmp_path / "own.png", "-v")
    assert result.code == 0
    assert f", {method} in " in result.err or method == "direct"
    np.testing.assert_array_equal(pixels(tmp_path / "own.png"), pixels(tmp_path / "auto.png"))


@pytest.mark.parametrize(
    ("short", "long"), [("--d 2", "--dilation 2"), ("--s 2x1", "--stride 2x1"), ("--p 1:2", "--padding 1:2")]
)
def test_options_of_a_layer_have_the_short_names_of_the_calculators(
    call: Call, small: Path, tmp_path: Path, short: str, long: str
) -> None:
    for name, words in (("a.png", short), ("b.png", long)):
        assert call("filter", small, "-k", "box", *words.split(), "-o", tmp_path / name).code == 0
    np.testing.assert_array_equal(pixels(tmp_path / "a.png"), pixels(tmp_path / "b.png"))


def test_a_sheet_is_rejected_in_grey_formats(call: Call, small: Path, tmp_path: Path) -> None:
    result = call("filter", small, "-k", "box", "--sheet", "--gray", "-o", tmp_path / "o.pgm")
    assert result.code == 1
    assert (
        f"cannot write {tmp_path / 'o.pgm'}: --sheet draws maps in colours, which PGM cannot hold; these can: .png, .jpg"
    ) in one_error(result)
    assert ".npy" not in one_error(result)
    network = call(
        "filter",
        small,
        "--network",
        "resnet-18",
        "--layer",
        "relu1",
        "--seed",
        0,
        "--resize",
        "32x32",
        "-o",
        tmp_path / "o.pgm",
    )
    assert "--layer draws maps in colours, which PGM cannot hold; these can: .png" in one_error(network)


# The help


def test_the_help_groups_every_option_and_can_be_read(call: Call) -> None:
    out = call("filter", "--help-all").out
    lines = out.splitlines()
    assert len(lines) <= 162
    assert max(map(len, lines)) <= 80
    grouped = [name for names in GROUPS.values() for name in names]
    verbosity_options = {"quiet", "verbose", "debug", "help_all"}
    options = {parameter.name for parameter in filter_command.params if isinstance(parameter, click.Option)}
    assert options - verbosity_options == set(grouped) & options
    assert len(grouped) == len(set(grouped))
    for heading in GROUPS:
        assert f"{heading}:" in lines
    for name in (*FIELDS, *LOCALS, *MIXINGS, *FILTERING):
        assert name in out
    assert {"relu", "leaky-relu", "sigmoid", "tanh", "abs", "softplus"} <= set(ACTIVATIONS)


def test_options_of_variants_are_options() -> None:
    named = SLIDING.union(*TAKES.values(), *(spec.needs for spec in VARIANTS.values()))
    assert named | {spec.implied_by for spec in VARIANTS.values()} - {""} <= set(Request._fields)
    assert {name for spec in VARIANTS.values() for name in spec.needs} == set(GIVEN_BY)
    assert {*OF_KERNEL, *OF_KERNELS, "factors"} == set(TAKES) == set(get_args(Weighing))


@pytest.mark.parametrize(
    ("options", "variant"),
    [
        ({"kernels": ("box",)}, "depthwise"),
        ({"activation": "relu"}, "depthwise"),
        ({"weights": "w.npy"}, "standard"),
        ({"weights": "w.npy", "bias": "b.npy"}, "standard"),
        ({"weights": "w.npy", "groups": 2}, "grouped"),
        ({"weights": "w.npy", "groups": 2, "output_padding": 1, "padding": 1}, "transposed"),
        ({"weights": "w.npy", "groups": 2, "offsets": "swirl"}, "deformable"),
        ({"offsets": "swirl"}, "deformable"),
        ({"kernels": ("box",), "rank": 1, "dilation": 2}, "separable"),
        ({"kernels": ("box", "emboss"), "tile": (1, 2)}, "tiled"),
        ({"local": "tilt-shift"}, "local"),
        ({"pointwise": "luma"}, "pointwise"),
        ({"pointwise": "luma", "bias": "b.npy"}, "pointwise"),
        ({"kernels": ("box",), "pointwise": "luma"}, "depthwise-separable"),
    ],
)
def test_options_choose_the_variant_that_takes_them_all(options: dict[str, object], variant: str) -> None:
    layer = Request(**options)
    layer.check()
    assert layer.chosen == variant


def test_mixing_filtered_channels_needs_a_kernel(call: Call, small: Path) -> None:
    result = call("filter", small, "--variant", "depthwise-separable", "--pointwise", "luma")
    assert result.code == 2
    assert one_error(result) == "--variant depthwise-separable needs --kernel, such as --kernel sobel"


def test_a_single_kernel_imports_no_stages(tmp_path: Path) -> None:
    code = "from convcli.cli import main\ntry: main(sys.argv[1:])\nexcept SystemExit as end: assert not end.code, end.code"
    names = modules(
        code, "filter", str(SAMPLES / "house.png"), "-k", "sobel", "-o", str(tmp_path / "x.png"), "-q"
    )
    stages = {
        name for name in names if name.startswith(("convcli.filters.stages.", "convcli.filters.tiles."))
    }
    assert stages == {"convcli.filters.stages.mixing"}
