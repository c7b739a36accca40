"""The filter as a Python function: all options of `convcli filter`, with the same pixels."""

import inspect
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from scipy import ndimage

import convcli
from convcli.backend.values import Alpha, Range
from convcli.cli.commands.filter import command
from convcli.errors import ArgumentError
from convcli.filters.filter_picture import FilterOptions, filter_picture
from convcli.filters.read_arguments import READERS
from convcli.filters.request import ALPHAS, RANGES, Request
from convcli.filters.work_from_arguments import OF_NETWORKS
from convcli.images.picture import ImageError
from convcli.images.read import read_picture
from convcli.jobs.filter_file import filter_file
from convcli.kernels import Kernel, parse_kernel
from tests.conftest import SAMPLES, Call, one_error

HOUSE, LOGO, SPINNER = SAMPLES / "house.png", SAMPLES / "logo.png", SAMPLES / "spinner.gif"
PHOTO = SAMPLES / "landscape.png"

# Options about files, batches and output.
OF_FILES = {
    *(
        "names",
        "show",
        "tiff_compression",
        "recursive",
        "include",
        "exclude",
        "files_from",
        "output",
        "force",
        "skip_existing",
        "in_place",
    ),
    *(
        "preserve",
        "follow_links",
        "stats",
        "dry_run",
        "png_level",
        "quality",
        "subsampling",
        "frame",
        "layout",
        "values",
        "explain",
        "theme",
    ),
    *("jobs", "isolate", "timeout", "cluster", "fail_fast", "report", "max_memory", "max_frames"),
    *("debug", "verbose", "quiet", "help", "help_all"),
}
OF_RUNS = {
    *(
        "names",
        "recursive",
        "include",
        "exclude",
        "files_from",
        "skip_existing",
        "in_place",
        "stats",
        "dry_run",
        "values",
        "explain",
        "show",
        "theme",
    ),
    *(
        "jobs",
        "isolate",
        "timeout",
        "cluster",
        "fail_fast",
        "report",
        "debug",
        "verbose",
        "quiet",
        "help",
        "help_all",
    ),
}


def arguments() -> set[str]:
    return {"kernel", *FilterOptions.__annotations__}


def options() -> set[str]:
    """Return the options of pictures; classes are an answer, not a picture."""
    named = {("kernel" if each.name == "kernels" else each.name) or "" for each in command.params}
    return named - {"top", "labels"}


def test_every_option_of_a_filter_is_an_argument() -> None:
    typed = arguments() - {"resize_after"}  # the command line has an order
    assert options() - OF_FILES == typed
    assert arguments() == set(READERS)
    named = {name for name in inspect.signature(filter_file).parameters if name not in ("source", "options")}
    assert options() - OF_RUNS == typed | named


def test_every_argument_is_documented() -> None:
    assert filter_picture.__doc__ is not None and filter_file.__doc__ is not None
    for name in arguments() - {"threads"}:
        assert name in filter_picture.__doc__, name
    for name in inspect.signature(filter_file).parameters:
        assert name in filter_file.__doc__, name


def test_choices_equal_those_of_the_types() -> None:
    assert get_args(Range) == RANGES
    assert get_args(Alpha) == ALPHAS
    assert set(Request._fields) <= {"kernels", *READERS}


# The same pixels as the command line

SAME: dict[str, tuple[str, dict[str, Any]]] = {
    "a kernel": ("-k sobel", {"kernel": "sobel"}),
    "a pipeline": ("-k gaussian:1 -k sobel-x", {"kernel": ["gaussian:1", "sobel-x"]}),
    "how kernels are changed": (
        "-k box:4 --normalize --scale 3 --bias -7 --anchor 0,3 --flip",
        {"kernel": "box:4", "normalize": True, "scale": 3, "shift": -7, "anchor": (0, 3), "flip": True},
    ),
    "the window": (
        "-k emboss --stride 2x3 --padding 1:2x0 --dilation 2 --padding-mode constant --padding-value 9",
        {
            "kernel": "emboss", "stride": (2, 3), "padding": ((1, 2), 0), "dilation": 2,
            "padding_mode": "constant", "padding_value": 9,
        },
    ),
    "another library's mode": ("-k box --padding-mode wrap", {"kernel": "box", "padding_mode": "wrap"}),
    "what follows": (
        "-k laplacian --activation relu --pool max:2 --pool-channels avg --repeat 2",
        {"kernel": "laplacian", "activation": "relu", "pool": "max:2", "pool_channels": "avg", "repeat": 2},
    ),
    "feedback": (
        "-k gaussian:1 --variant standard --repeat 3 --feedback",
        {"kernel": "gaussian:1", "variant": "standard", "repeat": 3, "feedback": True},
    ),
    "the range": ("-k sobel-x --range offset", {"kernel": "sobel-x", "value_range": "offset"}),
    "stretched": ("-k log --range minmax", {"kernel": "log", "value_range": "minmax"}),
    "alpha": ("-k gaussian:2 --alpha keep", {"kernel": "gaussian:2", "alpha": "keep"}),
    "grey": ("-k sobel --gray", {"kernel": "sobel", "gray": True}),
    "channels": ("-k box --channels g,a", {"kernel": "box", "channels": ["g", "a"]}),
    "missing data": ("-k gaussian:1 --nan skip", {"kernel": "gaussian:1", "nan": "skip"}),
    "light": ("-k gaussian:1 --linear", {"kernel": "gaussian:1", "linear": True}),
    "depth": ("-k gaussian:1 --gray --depth 16", {"kernel": "gaussian:1", "gray": True, "depth": "16"}),
    "a rectangle": ("-k box:9 --only 3,4,20,10", {"kernel": "box:9", "only": (3, 4, 20, 10)}),
    "a size": ("-k box --resize 30x20 -k emboss --resampling cubic", {"kernel": ["box", "emboss"], "resize": (30, 20), "resampling": "cubic", "resize_after": 1}),
    "a variant": ("-k box --variant standard --range abs", {"kernel": "box", "variant": "standard", "value_range": "abs"}),
    "a matrix of channels": ("--pointwise sepia", {"pointwise": "sepia"}),
    "groups": ("-k box --groups 3", {"kernel": "box", "groups": 3}),
    "a rank": ("-k motion:9,30 --rank 2", {"kernel": "motion:9,30", "rank": 2}),
    "offsets": ("--offsets swirl:strength=3", {"offsets": "swirl:strength=3"}),
    "local": ("--local vignette-blur", {"local": "vignette-blur"}),
    "a tile": ("-k box -k emboss --tile 2x1", {"kernel": ["box", "emboss"], "tile": (2, 1)}),
    "transposed": (
        "-k box:2 --variant transposed --stride 2 --padding 0 --output-padding 1",
        {"kernel": "box:2", "variant": "transposed", "stride": 2, "padding": 0, "output_padding": 1},
    ),
    "one axis": ("-k gaussian:2 --dims 1 --along columns", {"kernel": "gaussian:2", "dims": 1, "along": "columns"}),
    "a sheet": ("-k sobel --sheet", {"kernel": "sobel", "sheet": True}),
    "a method and threads": ("-k disk:5 --method fft --threads 1", {"kernel": "disk:5", "method": "fft", "threads": 1}),
}  # fmt: skip


@pytest.mark.parametrize("what", SAME)
def test_the_pixels_equal_those_of_the_command_line(call: Call, tmp_path: Path, what: str) -> None:
    words, options = SAME[what]
    source = PHOTO if what in ("how kernels are changed", "groups", "a tile", "depth") else LOGO
    result = call("filter", source, *words.split(), "-o", tmp_path / "out.tiff")
    assert result.code == 0, result.err
    wanted = read_picture(tmp_path / "out.tiff").frames[0].pixels
    pixels = read_picture(source).frames[0].pixels
    made = filter_picture(pixels, **options)
    assert made.dtype == wanted.dtype and (made == wanted).all()
    with Image.open(source) as image:
        assert (np.asarray(filter_picture(image, **options)) == wanted).all()
    written = filter_file(source, tmp_path / "again.tiff", **options)
    again, before = (read_picture(path) for path in (written.path, tmp_path / "out.tiff"))
    assert (again.frames[0].pixels == wanted).all()
    assert again.metadata == before.metadata  # libtiff leaves padding bytes in a file uninitialised


def test_the_walk_reaches_every_argument() -> None:
    tried = {name for _, options in SAME.values() for name in options}
    of_networks = {"network", *OF_NETWORKS}  # tested in test_work_from_arguments.py
    assert tried == arguments() - {"weights", "bias", "mask", "max_kernel", "max_pixels"} - of_networks


# Kinds of kernels, arrays and pictures


@given(st.integers(1, 3), st.integers(1, 3), st.data())
def test_an_array_is_correlated_as_scipy_does(rows: int, columns: int, data: st.DataObject) -> None:
    kernel = np.array(
        data.draw(st.lists(st.integers(-3, 3), min_size=rows * columns, max_size=rows * columns))
    )
    kernel = kernel.reshape(rows, columns)
    picture = np.random.default_rng(rows).integers(0, 256, (7, 6)).astype(np.int32)
    origin = [
        -(1 - side % 2) for side in kernel.shape
    ]  # the centre of an even size is the tap before the middle
    wanted = ndimage.correlate(picture, kernel, mode="mirror", origin=origin)
    for given_kernel in (kernel, kernel.tolist(), Kernel("mine", (tuple(map(tuple, kernel.tolist())),))):
        assert (filter_picture(picture, given_kernel) == wanted).all()


def test_kinds_of_kernels_give_the_same_pixels() -> None:
    pixels = read_picture(HOUSE).frames[0].pixels
    once = filter_picture(pixels, "sharpen")
    weights = np.array(parse_kernel("sharpen").weights)
    for kernel in (
        weights,
        weights.tolist(),
        weights.astype(np.float32),
        parse_kernel("sharpen"),
        ["sharpen"],
        (weights,),
    ):
        assert (filter_picture(pixels, kernel) == once).all()
    both = filter_picture(pixels, "sharpen; emboss")
    assert (filter_picture(pixels, [weights, "emboss"]) == both).all()


def test_weights_choose_the_variant_by_their_shape() -> None:
    """As in PyTorch: (C, 1, kh, kw) on C channels is a kernel for each, (O, C, kh, kw) sums, and 1 channel has O maps."""
    rng = np.random.default_rng(3)
    colours, weights = rng.normal(size=(9, 11, 3)), rng.normal(size=(3, 1, 3, 3))
    alone = [filter_picture(colours[..., n], weights[n, 0]) for n in range(3)]
    assert np.allclose(filter_picture(colours, weights=weights), np.dstack(alone))
    assert np.allclose(
        filter_picture(colours, weights=weights, bias=np.arange(3.0)), np.dstack(alone) + np.arange(3)
    )
    maps = [filter_picture(colours[..., 0], weights[n, 0]) for n in range(3)]
    assert np.allclose(filter_picture(colours[..., 0], weights=weights), np.dstack(maps))
    with pytest.raises(ArgumentError, match="leave out `variant` to run a kernel on each channel"):
        filter_picture(colours, weights=weights, variant="standard")


def test_weights_biases_and_matrices_are_arrays() -> None:
    pixels = read_picture(PHOTO).frames[0].pixels[:40, :50].astype(np.float64)
    rng = np.random.default_rng(5)
    weights, bias, matrix = rng.normal(size=(4, 3, 3, 3)), rng.normal(size=4), rng.normal(size=(2, 3))
    x = np.moveaxis(pixels, -1, 0)[np.newaxis]
    made = filter_picture(pixels, weights=weights, bias=bias, padding="valid")
    assert np.moveaxis(made, -1, 0) == pytest.approx(convcli.backend.conv(x, weights, bias)[0], abs=1e-9)
    assert filter_picture(pixels, pointwise=matrix) == pytest.approx(pixels @ matrix.T, abs=1e-9)
    still = filter_picture(pixels, offsets=np.zeros((2, *pixels.shape[:2])))
    assert still == pytest.approx(pixels)
    places = np.zeros((1, 5, 6, 1, 1, 1)) + 2
    assert (filter_picture(pixels[:5, :6, :1], local=places) == 2 * pixels[:5, :6, :1]).all()


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "int32", "float32", "float64"])
def test_the_depth_is_kept_and_the_array_is_not_modified(dtype: str) -> None:
    pixels = np.arange(120).reshape(5, 8, 3).astype(dtype)
    before = pixels.copy()
    made = filter_picture(pixels, "box:3")
    assert (made.dtype, made.shape) == (pixels.dtype, pixels.shape)
    assert (pixels == before).all()
    assert made.flags.owndata or made.base is not pixels


@pytest.mark.parametrize(
    "shape", [(5, 6), (5, 6, 1), (5, 6, 2), (5, 6, 3), (5, 6, 4), (5, 6, 7), (3, 5, 6, 2)]
)
def test_the_number_of_axes_is_kept(shape: tuple[int, ...]) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, shape, dtype=np.uint8)
    assert filter_picture(pixels, "identity").tolist() == pixels.tolist()
    assert filter_picture(pixels, ["identity", "identity"]).shape == shape
    raw = filter_picture(pixels, "identity", value_range=None)
    assert (raw.dtype, raw.shape) == (np.float32, shape)


def test_python_integers_become_int32() -> None:
    assert filter_picture(np.eye(4, dtype=np.int64), "identity").dtype == np.int32
    assert filter_picture([[1.0, 2.0], [3.0, 4.0]], "identity").tolist() == [[1, 2], [3, 4]]  # type: ignore[type-var]


def test_kernels_reach_over_frames() -> None:
    frames = np.random.default_rng(2).integers(0, 256, (5, 6, 7, 1), dtype=np.uint8)
    made = filter_picture(frames, np.ones((3, 1, 1)) / 3, dims=3, padding="valid", value_range=None)
    assert made == pytest.approx(ndimage.uniform_filter1d(frames.astype(float), 3, axis=0)[1:-1], rel=1e-6)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "I", "F", "LAB"])
def test_an_image_is_returned_as_an_image(mode: str) -> None:
    grey = Image.fromarray(np.random.default_rng(3).integers(0, 256, (6, 5), dtype=np.uint8))
    image = {
        "LAB": lambda: Image.merge("LAB", [grey] * 3),
        "I;16": lambda: Image.fromarray(np.asarray(grey) * np.uint16(257)),
    }.get(mode, lambda: grey.convert("RGB" if mode == "P" else "L" if mode == "I" else mode))()
    image = image.convert(mode) if mode in ("P", "I") else image
    made = filter_picture(image, "identity")
    assert made.mode == {"1": "L", "P": "RGB"}.get(mode, mode)
    assert (np.asarray(made) == np.asarray(image.convert(made.mode))).all()
    assert made is not image


def test_an_image_keeps_its_metadata() -> None:
    with Image.open(SAMPLES / "landscape.jpg") as image:
        image.load()
        image.info["icc_profile"] = b"\0" * 16 + b"RGB " + bytes(108)
        made = filter_picture(image, "box")
        assert made.info["icc_profile"] == image.info["icc_profile"]
        assert {key for key in ("exif", "dpi") if key in image.info} <= made.info.keys()
        assert "icc_profile" not in filter_picture(image, "box", gray=True).info


def test_the_current_frame_of_an_image_is_filtered() -> None:
    with Image.open(SPINNER) as image:
        image.seek(3)
        wanted = read_picture(SPINNER, frame=3).frames[0].pixels
        assert (np.asarray(filter_picture(image, "identity")) == wanted).all()


def test_notes_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "convcli"):
        filter_picture(np.eye(9, dtype=np.uint8) * 255, "sobel-x")
    (record,) = caplog.records
    assert record.getMessage().endswith(
        "of the samples were clipped; `value_range='offset'` also shows negative values, around middle grey"
    )


# Errors

WRONG: dict[str, dict[str, Any]] = {
    "`stride`: 'x' is not a size; write 7, or 7x5": {"stride": "x"},
    "stride must be a whole number, got 2.5": {"stride": 2.5},
    "stride must be at least 1, got 0": {"stride": 0},
    "`dims`: 4 is not a whole number from 1 to 3": {"dims": 4},
    "`repeat`: True is not a whole number from 1 to 1000": {"repeat": True},
    "`flip`: it must be True or False, got 'no'": {"flip": "no"},
    "`scale`: nan is not a finite number": {"scale": float("nan")},
    "`shift`: [1] is not a number": {"shift": [1]},
    "`shift`: np.complex128(1+2j) is not a number": {"shift": np.complex128(1 + 2j)},
    "`shift`: np.True_ is not a number": {"shift": np.True_},
    "`anchor`: (-1, 0) is not a position in a kernel; write Y,X from 0": {"anchor": (-1, 0)},
    "`variant`: there is no variant 'depth-wise'; did you mean 'depthwise'?": {"variant": "depth-wise"},
    "`variant`: dense needs a weight for every pair": {"variant": "dense"},
    "`alpha`: there is no alpha 'premul'; did you mean 'premultiply'?": {"alpha": "premul"},
    "`value_range`: there is no value range 5; use clip, abs, offset, minmax": {"value_range": 5},
    "`padding_mode`: there is no padding mode 'mirrored'; did you mean 'mirror'?": {"padding_mode": "mirrored"},
    "`channels`: [] is not a list of channels": {"channels": []},
    "`pool`: it must be a string, such as 'max:2', got 2": {"pool": 2},
    "`pool` max has no argument 'x'": {"pool": "max:2,x=1"},
    "',2' has an empty argument; name the one that follows, as size=7": {"pool": "max:,2"},
    "`kernel`: an array of shape () is not a kernel": {"kernel": 3},
    "`kernel`: the kernel: 'nan' is not a finite number": {"kernel": [[float("nan")]]},
    "`kernel`: [[1, 2], [3]] is ragged": {"kernel": [[1, 2], [3]]},
    "kernel 'kernel' of 3 has 1 axes, and `dims` is 2; give `dims=1`": {"kernel": [1, 2, 1]},
    "a kernel of size 9 is over the limit of 8; raise it with `max_kernel=9`": {"kernel": np.ones((9, 9)), "max_kernel": 8},
    "`weights` has shape (2, 2); `weights` needs 4 axes": {"kernel": None, "weights": np.ones((2, 2))},
    "`weights`: the array holds inf at (0, 0, 0, 0)": {"kernel": None, "weights": np.full((1, 3, 1, 1), np.inf)},
    "`weights`: array(['a'], dtype='<U1') is not an array of real numbers": {"kernel": None, "weights": np.array(["a"])},
    "`rank` has no use with `variant='depthwise'`": {"rank": 1, "variant": "depthwise"},
    "there is nothing to run; give `kernel` or `weights`, such as `kernel='sobel'`": {"kernel": None},
    "`padding_value` belongs to `padding_mode='constant'`, not to reflect": {"padding_value": 1},
    "`sheet` draws a picture, and `value_range=None` returns values instead": {"sheet": True, "value_range": None},
    "cannot filter the picture: there is no channel 'x' in RGB": {"channels": "x"},
    "over the limit of 10; raise it with `max_pixels=42`": {"max_pixels": 10},
}  # fmt: skip


@pytest.mark.parametrize("message", WRONG)
def test_errors_name_the_argument(message: str) -> None:
    with pytest.raises((ArgumentError, ImageError)) as error:
        filter_picture(np.zeros((6, 7, 3), np.uint8), **({"kernel": "box"} | WRONG[message]))
    assert message in str(error.value)
    assert "--" not in str(error.value)


def test_wrong_pictures_are_refused() -> None:
    for picture, message in (
        (
            np.zeros(5),
            "`picture` has the shape (5,); it must be (H, W), (H, W, C) or (frames, H, W, C), or a Pillow image",
        ),
        (np.zeros((5, 0)), "its shape (5, 0) is not that of a picture"),
        (np.zeros((5, 5), complex), "its dtype complex128 is not supported for pictures"),
        (np.full((5, 5), 2**40), "need more than 32 bits"),
    ):
        with pytest.raises((ArgumentError, ImageError)) as error:
            filter_picture(picture, "box")
        assert message in str(error.value)


def test_modes_that_pillow_does_not_support_are_refused_with_alternatives() -> None:
    image = Image.new("RGB", (5, 5))
    for options in ({"weights": np.ones((5, 3, 1, 1))}, {"kernel": "box", "value_range": None}):
        with pytest.raises(
            ImageError,
            match=r"Pillow has no image mode for .*; pass an array to get the values, `value_range`",
        ):
            filter_picture(image, **options)
    with pytest.raises(
        ArgumentError, match=r"has 25 pixels, over the limit of 24; raise it with `max_pixels=25`"
    ):
        filter_picture(image, "box", max_pixels=24)


def test_an_unknown_argument_is_a_type_error() -> None:
    for name, instead in (
        ("colour", "use kernel, normalize"),
        ("kernels", "did you mean 'kernel'"),
        ("range", "use value_range"),
        ("bias_file", "use bias"),
    ):
        options: Mapping[str, Any] = {name: "box"}
        with pytest.raises(TypeError, match=f"there is no argument '{name}'; {instead}"):
            filter_picture(np.zeros((3, 3)), **options)


# Files


def test_a_file_equals_that_of_the_command(call: Call, tmp_path: Path) -> None:
    photo = tmp_path / "photo.jpg"
    photo.write_bytes((SAMPLES / "landscape.jpg").read_bytes())
    written = filter_file(photo, kernel=["gaussian:2", "sobel"], quality=80, subsampling="4:4:4")
    assert written.path == tmp_path / "photo.gaussian-sobel.jpg"
    made = written.path.read_bytes()
    assert (
        call(
            "filter",
            photo,
            "-k",
            "gaussian:2",
            "-k",
            "sobel",
            "--quality",
            80,
            "--subsampling",
            "4:4:4",
            "--force",
        ).code
        == 0
    )
    assert written.path.read_bytes() == made
    assert filter_file(str(photo), f"{tmp_path}/out/", "box").path == tmp_path / "out" / "photo.jpg"
    assert filter_file(photo, tmp_path / "{stem}.{kernel}.png", "box").path == tmp_path / "photo.box.png"
    (note,) = filter_file(SPINNER, tmp_path / "spinner.tiff", "box").notes
    assert "the timing of the frames" in note
    assert len(read_picture(filter_file(SPINNER, tmp_path / "one.png", "box", frame=2).path).frames) == 1


def test_nothing_is_overwritten_without_force(tmp_path: Path) -> None:
    source, there = tmp_path / "a.png", tmp_path / "b.png"
    source.write_bytes(HOUSE.read_bytes())
    there.write_bytes(b"mine")
    with pytest.raises(
        convcli.WriteError, match=r"b.png exists; give `force=True` to replace it, or another `output`"
    ):
        filter_file(source, there, "box")
    assert there.read_bytes() == b"mine"
    assert filter_file(source, there, "box", force=True).path == there
    with pytest.raises(ArgumentError, match=r"a.png is an input and would be overwritten"):
        filter_file(source, source, "box", force=True)
    assert source.read_bytes() == HOUSE.read_bytes()
    np.save(tmp_path / "w.npy", np.ones((1, 3, 1, 1)))
    with pytest.raises(ArgumentError, match=r"w.npy is the file of `weights` and would be overwritten"):
        filter_file(source, tmp_path / "w.npy", weights=tmp_path / "w.npy", force=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.png", "b.png", "w.npy"]


def test_wrong_files_and_arguments(tmp_path: Path) -> None:
    cases: dict[str, dict[str, Any]] = {
        "cannot read": {"source": tmp_path / "none.png"},
        "is not a picture format": {"output": tmp_path / "x.xyz"},
        "- is standard output; name a file": {"output": "-"},
        "`quality`: '0' is neither a whole number from 1 to 100 nor lossless": {"quality": 0},
        "`png_level`: 10 is not a whole number from 0 to 9": {"png_level": 10},
        "`subsampling`: there is no '4:3:2'": {"subsampling": "4:3:2"},
        "`subsampling` belongs to JPEG, AVIF and HEIF output, not to PNG": {"subsampling": "4:2:0"},
        "'1X' is not an amount of memory": {"max_memory": "1X"},
        "over the limit of 1K; raise it with `max_memory='": {"max_memory": 1024},
        "its 8 frames are over the limit of 7; raise it with `max_frames=8`": {
            "source": SPINNER,
            "max_frames": 7,
        },
        "there is no frame 1.5; it has one, 0": {"frame": 1.5},
        "`stride`: 'x' is not a size": {"stride": "x"},
    }
    for message, options in cases.items():
        with pytest.raises(convcli.ConvcliError) as error:
            filter_file(**({"source": HOUSE, "output": tmp_path / "x.png", "kernel": "box"} | options))
        assert message in str(error.value)
        assert not list(tmp_path.iterdir())


def test_the_command_line_has_the_same_errors_with_options(call: Call, tmp_path: Path) -> None:
    with pytest.raises(ImageError) as error:
        filter_file(SPINNER, tmp_path / "x.gif", "box", max_frames=7)
    assert "`max_frames=8`, or choose one with `frame`" in str(error.value)
    message = one_error(call("filter", SPINNER, "-k", "box", "-o", tmp_path / "x.gif", "--max-frames", 7))
    assert message == str(error.value).replace("`max_frames=8`", "--max-frames 8").replace(
        "`frame`", "--frame"
    )
