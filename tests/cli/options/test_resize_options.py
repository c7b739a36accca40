"""filter --resize on the command line: its position, dry runs, and metadata that depends on the size."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from convcli.filters.filter_picture import filter_picture
from convcli.images.read import read_picture
from tests.conftest import SAMPLES, Call, one_error

HOUSE = SAMPLES / "house.png"


def made(call: Call, target: Path, *words: object) -> np.ndarray:
    result = call("filter", HOUSE, *words, "-o", target)
    assert result.code == 0, result.err
    with Image.open(target) as image:
        return np.asarray(image)


@pytest.mark.parametrize(
    ("words", "after"),
    [
        ("--resize 60% -k gaussian:1 -k emboss --pool max:2", 0),
        ("-k gaussian:1 --resize=60% -k emboss --pool max:2", 1),
        ("--pool max:2 -k gaussian:1 -k emboss --resize 60%", 3),
        (
            "-k gaussian:1 --resize 10x --resize 60% --pool max:2 -k emboss",
            1,
        ),  # the last one of an option counts
        ("-k gaussian:1 -k emboss --resize 60% --pool max:2", 2),
    ],
)
def test_it_runs_after_the_options_before_it(call: Call, tmp_path: Path, words: str, after: int) -> None:
    options = {"kernel": ["gaussian:1", "emboss"], "pool": "max:2", "resize": "60%", "resize_after": after}
    wanted = filter_picture(read_picture(HOUSE).frames[0].pixels, **options)
    np.testing.assert_array_equal(made(call, tmp_path / "o.png", *words.split()), wanted)


def test_lists_of_kernels_and_layers_without_kernels_are_steps(call: Call, tmp_path: Path) -> None:
    before = made(call, tmp_path / "a.png", "-k", "gaussian:1; emboss", "--resize", "x40")
    pixels = read_picture(HOUSE).frames[0].pixels
    options = {"kernel": ["gaussian:1", "emboss"], "resize": "x40"}
    np.testing.assert_array_equal(before, filter_picture(pixels, **options, resize_after=2))
    Image.fromarray(np.random.default_rng(4).integers(0, 256, (40, 30, 3), np.uint8)).save(tmp_path / "c.png")
    pixels = read_picture(tmp_path / "c.png").frames[0].pixels
    for words, after in (("--pointwise sepia --resize x15", 1), ("--resize x15 --pointwise sepia", 0)):
        target = tmp_path / f"{after}.png"
        assert call("filter", tmp_path / "c.png", *words.split(), "-o", target).code == 0
        wanted = filter_picture(pixels, pointwise="sepia", resize="x15", resize_after=after)
        np.testing.assert_array_equal(read_picture(target).frames[0].pixels, wanted)


def test_it_can_be_the_only_stage_and_names_the_output(call: Call, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(HOUSE.read_bytes())
    result = call("filter", tmp_path / "a.png", "--resize", "80x", "-v")
    assert result.code == 0 and Path(result.out.strip()).name == "a.resized.png"
    assert "depthwise, stages in float64" in result.err
    with Image.open(HOUSE) as before, Image.open(tmp_path / "a.resized.png") as after:
        assert after.size == (80, round(80 * before.height / before.width))


def test_a_dry_run_knows_the_size_the_work_and_the_memory(call: Call, tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.zeros((3000, 4000), np.uint8))
    words = ("filter", tmp_path / "a.npy", "--resize", "10%", "-o", tmp_path / "o.png", "--dry-run")
    reported = call(*words, "--stats")
    facts = json.loads(reported.out)
    assert facts["size"] == [300, 400]
    assert facts["layers"] == ["resize 300x400 lanczos"]
    assert facts["macs"] == 60 * (3000 * 400 + 300 * 400)
    assert 12e6 < facts["bytes"] < 100e6  # of the picture, and of some rows of it as floats
    refused = call("filter", HOUSE, "--resize", "99999x99999", "-o", tmp_path / "o.png")
    assert refused.code == 1
    assert "its output would have 9,999,800,001 pixels, over the limit of" in one_error(refused)


def test_scale_on_earth_exif_and_resolution_follow(call: Call, tmp_path: Path) -> None:
    from PIL import TiffImagePlugin

    info = TiffImagePlugin.ImageFileDirectory_v2()
    info[33550], info.tagtype[33550] = (10.0, 20.0, 0.0), 12
    info[33922], info.tagtype[33922] = (0.0, 0.0, 0.0, 500.0, 900.0, 0.0), 12
    Image.fromarray(np.zeros((40, 60), np.uint8)).save(tmp_path / "a.tif", tiffinfo=info)
    assert call("filter", tmp_path / "a.tif", "--resize", "15x20", "-o", tmp_path / "o.tif").code == 0
    with Image.open(tmp_path / "o.tif") as image:
        assert image.tag_v2[33550][:2] == pytest.approx((40, 40))
        x, y, _, east, north, _ = image.tag_v2[33922]
        assert (east - 40 * x, north + 40 * y) == pytest.approx((500, 900))  # the corner is unchanged
    photo = tmp_path / "a.jpg"
    exif = Image.Exif()
    exif[0x0112] = 6
    exif.get_ifd(0x8769)[0xA002] = 60
    exif.get_ifd(0x8769)[0xA003] = 40
    Image.fromarray(np.zeros((40, 60, 3), np.uint8)).save(photo, exif=exif)
    assert call("filter", photo, "--resize", "50%", "-o", tmp_path / "o.jpg").code == 0
    with Image.open(tmp_path / "o.jpg") as image:
        assert image.size == (20, 30)
        inner = image.getexif().get_ifd(0x8769)
        assert (inner.get(0xA002, 20), inner.get(0xA003, 30)) == (20, 30)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--resize 2", "'2' may be a factor or a width; write 200% or 2.0 to resize by a factor, or 2x for the width"),
        ("--resize 50% --explain 0,0", "--explain shows one convolution and the activation after it; leave out --resize"),
        ("-k box --resampling box", "--resampling belongs to --resize; give --resize 50% with it"),
        ("-k box --resize 50% -k box --repeat 2", "--resize within a layer that runs several times would resize each time"),
        ("-k box --resize 50% --only 1,1,5,5", "--only keeps the rest of the picture"),
        ("--resize 50% --stride 2", "--stride belongs to a layer, and there is none; give --kernel"),
        ("--network net.toml --resize 50%", "'50%' is not the size of a network's input; write WIDTHxHEIGHT in pixels, such as 224x224"),
    ],
)  # fmt: skip
def test_errors_are_one_line(call: Call, tmp_path: Path, words: str, message: str) -> None:
    target = [] if "--explain" in words else ["-o", tmp_path / "o.png"]
    result = call("filter", HOUSE, *words.split(), *target)
    assert result.code in (1, 2)
    assert message in one_error(result)
