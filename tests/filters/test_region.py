"""--only and --mask: the filtered part of a picture; the rest is unchanged bit for bit."""

import json
import shlex
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from convcli import filter_file, filter_picture
from convcli.errors import ArgumentError
from convcli.filters.single_kernel import SingleKernel
from convcli.filters.work_from_arguments import work_from_arguments
from convcli.images.codecs.npy_pictures import picture_of
from convcli.images.read import read_picture
from convcli.jobs.job import Job
from convcli.layers.padding import MODES
from tests.conftest import SAMPLES, Call, one_error
from tests.examples import examples

RNG = np.random.default_rng(2)
COLOURS = RNG.integers(0, 256, (30, 40, 3), np.uint8)
TRANSPARENT = RNG.integers(0, 256, (30, 40, 4), np.uint8)


@given(st.integers(0, 39), st.integers(0, 29), st.data(), st.sampled_from(["gaussian:2", "sobel"]))
def test_a_rectangle_equals_that_of_the_filtered_picture(x, y, data, kernel):
    width, height = data.draw(st.integers(1, 40 - x)), data.draw(st.integers(1, 30 - y))
    found = filter_picture(COLOURS, kernel, only=(x, y, width, height))
    wanted = COLOURS.copy()
    wanted[y : y + height, x : x + width] = filter_picture(COLOURS, kernel)[y : y + height, x : x + width]
    assert np.array_equal(found, wanted)


@settings(max_examples=examples(60))
@given(st.data())
def test_small_rectangles_equal_those_of_the_filtered_picture_with_any_options(data):
    """A kernel runs on the rectangles and what they depend on, and the picture's borders are extended as before."""
    dtype, channels = (
        data.draw(st.sampled_from([np.uint8, np.uint16, np.float32])),
        data.draw(st.integers(1, 4)),
    )
    pixels = RNG.integers(0, 256, (41, 47, channels)).astype(dtype)
    rectangles = []
    for _ in range(data.draw(st.integers(1, 3))):
        x, y = data.draw(st.integers(0, 46)), data.draw(st.integers(0, 40))
        rectangles.append(
            (x, y, data.draw(st.integers(1, min(6, 47 - x))), data.draw(st.integers(1, min(6, 41 - y))))
        )
    options = {
        "padding_mode": data.draw(st.sampled_from(list(MODES))),
        "padding_value": 7,
        "dilation": data.draw(st.sampled_from([1, 2, (1, 3)])),
        "padding": data.draw(st.sampled_from(["same", "same-lower"])),
        "value_range": data.draw(st.sampled_from(["clip", "abs", "offset", "minmax"])),
        "flip": data.draw(st.booleans()),
        "linear": data.draw(st.booleans()) and dtype != np.float32,
    }
    if options["padding_mode"] != "constant":
        del options["padding_value"]
    kernel = data.draw(st.sampled_from(["gaussian:1", "sobel", "1 2 3 4", "0 -1; 5 -3; 1 1; 2 0", "box:4x3"]))
    found = filter_picture(pixels, kernel, only=rectangles, **options)
    whole, wanted = filter_picture(pixels, kernel, **options), pixels.copy()
    for x, y, width, height in rectangles:
        wanted[y : y + height, x : x + width] = whole[y : y + height, x : x + width]
    assert np.array_equal(found, wanted)


def test_only_what_rectangles_depend_on_is_computed(monkeypatch: pytest.MonkeyPatch):
    computed = []
    filtered = SingleKernel.filtered
    monkeypatch.setattr(
        SingleKernel,
        "filtered",
        lambda single, pixels, *more: computed.append(pixels.shape) or filtered(single, pixels, *more),
    )
    filter_picture(COLOURS, "box:5", only=[(0, 0, 3, 2), (20, 10, 4, 4)])
    assert computed == [
        (2 + 4, 3 + 4, 3),
        (4 + 8, 4 + 8, 3),
    ]  # a window reaches 4 pixels from its first to its last
    computed.clear()
    mask = np.zeros((30, 40))
    mask[7:9, 30] = mask[8, 35] = 0.5
    found = filter_picture(COLOURS, "box:5", mask=mask)
    assert computed == [(2 + 8, 6 + 8, 3)]
    mask[0, 0] = mask[-1, -1] = 1e-9  # too little for a change
    assert np.array_equal(found, filter_picture(COLOURS, "box:5", mask=mask))
    for options in ({"value_range": "minmax"}, {"padding_mode": "circular"}, {"mask": np.ones((30, 40))}):
        computed.clear()
        filter_picture(COLOURS, "box:5", **({} if "mask" in options else {"only": (0, 0, 3, 2)}), **options)
        assert computed == [COLOURS.shape]


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_greys_of_a_mask_blend(dtype):
    pixels = COLOURS.astype(dtype)
    mask = RNG.integers(0, 256, (30, 40), np.uint8)
    mask[:5], mask[5:10] = 0, 255
    whole = filter_picture(pixels, "box:5").astype(np.float64)
    share = mask[..., np.newaxis] / 255
    blended = pixels * (1 - share) + whole * share
    found = filter_picture(pixels, "box:5", mask=mask)
    assert found.dtype == dtype
    if dtype == np.float32:
        assert np.allclose(found, blended, rtol=1e-6)
    else:
        assert np.abs(found - blended).max() <= 0.5 + 1e-9
    assert np.array_equal(found[:5], pixels[:5])
    assert np.array_equal(found[5:10], whole[5:10].astype(dtype))


def test_masks_are_booleans_fractions_and_pictures(tmp_path: Path):
    shown = RNG.random((30, 40)) < 0.5
    found = filter_picture(COLOURS, "box:5", mask=shown)
    assert np.array_equal(found, np.where(shown[..., np.newaxis], filter_picture(COLOURS, "box:5"), COLOURS))
    assert np.array_equal(found, filter_picture(COLOURS, "box:5", mask=shown.astype(np.float32)))
    Image.fromarray(shown.astype(np.uint8) * 255).save(tmp_path / "mask.png")
    assert np.array_equal(found, filter_picture(COLOURS, "box:5", mask=str(tmp_path / "mask.png")))
    seen = np.dstack([np.full((30, 40, 3), 255, np.uint8), shown.astype(np.uint8) * 255])
    Image.fromarray(seen).save(tmp_path / "alpha.png")  # white and partly transparent
    assert np.array_equal(found, filter_picture(COLOURS, "box:5", mask=str(tmp_path / "alpha.png")))


@given(st.lists(st.tuples(*(st.integers(least, 15) for least in (0, 0, 1, 1))), min_size=1, max_size=4))
def test_several_rectangles_are_filtered_once_where_they_overlap(rectangles):
    found = filter_picture(COLOURS, "sobel", only=rectangles)
    inside = np.zeros((30, 40, 1), bool)
    for x, y, width, height in rectangles:
        inside[y : y + height, x : x + width] = True
    assert np.array_equal(found, np.where(inside, filter_picture(COLOURS, "sobel"), COLOURS))


def test_a_mask_within_rectangles():
    shown = RNG.random((30, 40))
    found = filter_picture(COLOURS, "box:5", mask=shown, only=[(4, 6, 20, 10), "20,10,9,9"])
    inside = np.zeros((30, 40), bool)
    inside[6:16, 4:24] = inside[10:19, 20:29] = True
    assert np.array_equal(found, filter_picture(COLOURS, "box:5", mask=shown * inside))


def test_blended_colours_are_weighted_by_alpha():
    before = np.array([[[200, 0, 0, 255], [0, 0, 0, 0]]], np.uint8)
    mask = np.array([[0.5, 0.5]])
    found = filter_picture(before, "0 0 1", mask=mask, padding_mode="replicate", alpha="filter")
    assert found[0, 0].tolist() == [
        200,
        0,
        0,
        128,
    ]  # blending in an invisible pixel does not change visible colours
    whole = filter_picture(TRANSPARENT, "gaussian:2")
    half = filter_picture(TRANSPARENT, "gaussian:2", mask=np.full((30, 40), 0.5))
    alpha = (TRANSPARENT[..., 3:] / 2 + whole[..., 3:] / 2).astype(np.float64)
    premultiplied = TRANSPARENT[..., :3] * (TRANSPARENT[..., 3:] / 2) + whole[..., :3] * (whole[..., 3:] / 2)
    seen = alpha[..., 0] > 0
    assert np.abs(half[seen][:, :3] - (premultiplied / np.maximum(alpha, 1e-9))[seen]).max() <= 0.5 + 1e-6


def test_files(call: Call, tmp_path: Path):
    with Image.open(SAMPLES / "landscape.png") as image:
        before = np.asarray(image)
    target = tmp_path / "blurred.png"
    assert (
        call(
            "filter",
            SAMPLES / "landscape.png",
            "-k",
            "box:9",
            "--only",
            "10,20,30,40",
            "--only",
            "0,0,9,5",
            "-o",
            target,
        ).code
        == 0
    )
    (frame,) = read_picture(target).frames
    wanted = before.copy()
    for part in (np.s_[20:60, 10:40], np.s_[:5, :9]):
        wanted[part] = filter_picture(before, "box:9")[part]
    assert np.array_equal(frame.pixels, wanted)
    moving = tmp_path / "moving.png"
    words = (
        "filter",
        SAMPLES / "spinner.gif",
        "-k",
        "edge",
        "--alpha",
        "keep",
        "--only",
        "0,0,3,3",
        "-o",
        moving,
    )
    assert call(*words).code == 0
    for after, was in zip(
        read_picture(moving).frames, read_picture(SAMPLES / "spinner.gif").frames, strict=True
    ):
        assert np.array_equal(after.pixels[3:], was.pixels[3:])


def test_all_pictures_share_one_mask_which_is_not_an_output(call: Call, tmp_path: Path):
    for name in "ab":
        Image.fromarray(COLOURS).save(tmp_path / f"{name}.png")
    mask = tmp_path / "mask.png"
    Image.fromarray(RNG.integers(0, 256, (30, 40), np.uint8)).save(mask)
    words = ("filter", tmp_path / "a.png", tmp_path / "b.png", "-k", "box", "--mask", mask)
    assert call(*words, "-o", f"{tmp_path}/out/").code == 0
    assert (tmp_path / "out" / "a.png").read_bytes() == (tmp_path / "out" / "b.png").read_bytes()
    assert "mask" in one_error(
        call("filter", tmp_path / "a.png", "-k", "box", "--mask", mask, "-o", mask, "--force")
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"only": (1, 2, 3)}, "is not a rectangle; write X,Y,WIDTH,HEIGHT in pixels from the top left of the upright picture, such as 10,20,64,48"),
        ({"only": "1,2,0,4"}, "'1,2,0,4' is not a rectangle: its width is 0; write X,Y,WIDTH,HEIGHT, such as 10,20,64,48"),
        ({"only": (1, 2, 3, 0)}, "is not a rectangle: its height is 0"),
        ({"only": "1 2 3 4"}, "'1 2 3 4' is not a rectangle; did you mean 1,2,3,4?"),
        ({"only": (30, 0, 11, 5)}, "`only` 30,0,11,5 reaches beyond the picture, which is 40 wide and 30 high"),
        ({"only": (0, 0, 5, 5), "stride": 2}, "`only` keeps the rest of the picture, which is 40 wide and 30 high of RGB, and the result is 20 wide and 15 high of RGB; leave out what changes its size, its channels or its depth"),
        ({"mask": np.ones((3, 4))}, "`mask` is 4 wide and 3 high, and the picture 40 wide and 30 high; make them the same size"),
        ({"mask": np.ones((40, 30))}, "turn the mask: pictures are filtered as their EXIF orientation shows them"),
        ({"only": [(0, 0, 5, 5), (30, 0, 11, 5)]}, "`only` 30,0,11,5 reaches beyond the picture"),
        ({"only": [(0, 0, 5, 5), (1, 2, 3)]}, "(1, 2, 3) is not a rectangle"),
        ({"mask": np.ones(3)}, "`mask` has the shape (3,); give (height, width)"),
        ({"mask": np.full((30, 40), 2.0)}, "`mask` takes booleans, unsigned whole numbers, or floats from 0 to 1"),
    ],
)  # fmt: skip
def test_errors(options, message):
    with pytest.raises(ArgumentError) as error:
        filter_picture(COLOURS, "box", **options)
    assert message in str(error.value)


@pytest.mark.parametrize("kernel", ["box", ["box", "sobel"]])
def test_the_memory_of_the_copied_picture_is_estimated(kernel):
    def memory(**options):
        return (
            work_from_arguments(kernel, options)
            .work.plan("x", "y", picture_of(COLOURS, "x", 10**6), "PNG")
            .memory
        )

    assert memory(only=(0, 0, 4, 4)) == memory(only="0, 0, 4,4 ") == memory() + COLOURS.nbytes


def test_an_output_is_explained_without_a_region(call: Call):
    found = call("filter", SAMPLES / "house.png", "-k", "box", "--only", "1,2,3,4", "--explain", "5,5")
    assert one_error(found) == "--explain explains one output and writes no picture; leave out --only"


def photos_and_masks(folder: Path, names: str = "abc") -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Write pictures of different sizes, each with its mask."""
    found = {}
    for number, name in enumerate(names):
        size = 20 + 3 * number, 31 - 2 * number
        found[name] = RNG.integers(0, 256, (*size, 3), np.uint8), RNG.integers(0, 256, size, np.uint8)
        for below, pixels in zip(("photos", "masks"), found[name], strict=True):
            (folder / below).mkdir(exist_ok=True)
            Image.fromarray(pixels).save(folder / below / f"{name}.png")
    return found


@pytest.mark.parametrize("words", [("--jobs", 1), ("--jobs", 3, "--threads", 2)], ids=["one", "three"])
def test_each_picture_has_its_own_mask(call: Call, tmp_path: Path, words: tuple[object, ...]):
    pictures = photos_and_masks(tmp_path, "abcd")
    (tmp_path / "masks" / "b.png").unlink()
    (tmp_path / "masks" / "c.png").write_bytes(b"none")
    mask, out, report = f"{tmp_path}/masks/{{stem}}{{ext}}", tmp_path / "out", tmp_path / "run.jsonl"
    command = ("filter", tmp_path / "photos", "-k", "box:5", "--mask", mask, "-o", out)
    dry = call(*command, "--dry-run")
    assert dry.code == 1
    assert f"of which the result is kept where {tmp_path}/masks/a.png is white" in dry.out
    run = call(*command, *words, "--report", report)
    assert (run.code, sorted(path.name for path in out.iterdir())) == (1, ["a.png", "d.png"])
    begun = f"cannot filter {tmp_path}/photos/b.png with its mask: cannot read {tmp_path}/masks/b.png: "
    assert f"{begun}there is no such file" in run.err
    assert f"{tmp_path}/masks/c.png: it is not a picture" in run.err
    for name in "ad":
        pixels, weights = pictures[name]
        wanted = filter_picture(pixels, "box:5", mask=weights)
        assert np.array_equal(np.asarray(Image.open(out / f"{name}.png")), wanted)
        filter_file(tmp_path / "photos" / f"{name}.png", tmp_path / "one.png", "box:5", mask=mask, force=True)
        assert np.array_equal(np.asarray(Image.open(tmp_path / "one.png")), wanted)
    lines = sorted(map(json.loads, report.read_text().splitlines()), key=lambda line: line["number"])
    assert [line["mask"] for line in lines] == [f"{tmp_path}/masks/{name}.png" for name in "abcd"]
    assert [line["status"] for line in lines] == ["done", "failed", "failed", "done"]


def test_masks_beside_their_pictures(call: Call, tmp_path: Path):
    pictures = photos_and_masks(tmp_path, "ab")
    for name in "ab":
        (tmp_path / "masks" / f"{name}.png").rename(tmp_path / "photos" / f"{name}-mask.png")
    words = ("--exclude", "*-mask.png", "-k", "box:5", "--mask", "{parent}/{stem}-mask.png")
    assert call("filter", tmp_path / "photos", *words, "-o", tmp_path / "out").code == 0
    for name, (pixels, weights) in pictures.items():
        made = np.asarray(Image.open(tmp_path / "out" / f"{name}.png"))
        assert np.array_equal(made, filter_picture(pixels, "box:5", mask=weights))


DARK = "; white marks what is filtered"


@pytest.mark.parametrize(
    ("mask", "only", "note"),
    [
        (np.zeros((30, 40), np.uint8), (), "{} is black everywhere, so the picture is unchanged; opaque white marks what is filtered"),
        (np.eye(30, 40, dtype=np.uint8), (), "{} is nowhere lighter than 1 of 255, so the picture hardly changes; multiply masks of 0 and 1 by 255"),
        (np.eye(30, 40, dtype=np.uint16), (), "{} is nowhere lighter than 1 of 65535, so the picture hardly changes; multiply masks of 0 and 1 by 65535"),
        (np.eye(30, 40, dtype=np.uint8) * 255, ("20,0,10,9",), "--mask and --only have no pixel in common, so the picture is unchanged"),
        (np.eye(30, 40, dtype=np.uint8) * 255, ("20,0,10,9", "5,5,2,2"), ""),
        (np.eye(30, 40, dtype=np.uint8) * 76, (), "{} is nowhere white: at most 30 % of the result is blended in" + DARK),
        (np.tri(30, 40, 2, dtype=np.uint8) * 128 + np.eye(30, 40, dtype=np.uint8) * 127, ("0,9,4,4",), "{} is nowhere white inside --only: at most 50 % of the result is blended in" + DARK),
        (np.eye(30, 40, dtype=np.uint8) * 250, (), ""),
        (np.dstack([np.zeros((30, 40, 3), np.uint8), np.eye(30, 40, dtype=np.uint8) * 255]), (), "{} is black everywhere, so the picture is unchanged; opaque white marks what is filtered"),
        (np.eye(30, 40, dtype=np.uint8)[..., None] * np.array([255, 0, 0], np.uint8), (), "{} is nowhere white: at most 30 % of the result is blended in" + DARK),
    ],
)  # fmt: skip
def test_a_mask_that_changes_nothing_or_little_gets_a_note(call: Call, caplog, tmp_path, mask, only, note):
    Image.fromarray(COLOURS).save(tmp_path / "a.png")
    Image.fromarray(mask).save(tmp_path / "a-mask.png")
    words = ("filter", tmp_path / "a.png", "-k", "box", *(w for each in only for w in ("--only", each)))
    name = tmp_path / "a-mask.png"
    for file in (name, tmp_path / "{stem}-mask.png"):
        run = call(*words, "--mask", file, "-o", tmp_path / "x.png", "--force")
        told = f"convcli: {tmp_path}/a.png: {note.format(name)}\n" if note else ""
        assert (run.code, run.err) == (0, told)
    dry = call(*words, "--mask", name, "-o", tmp_path / "y.png", "--dry-run")
    assert (dry.code, dry.err) == (0, told)
    if mask.ndim == 2:
        caplog.set_level("INFO", "convcli")
        filter_picture(COLOURS, "box", mask=mask, only=only or None)
        given = note.format("`mask`").replace("--mask", "`mask`").replace("--only", "`only`")
        assert caplog.messages == [given][: bool(note)]


def test_masks_of_processes_and_of_a_tree(call: Call, tmp_path: Path):
    (tmp_path / "one").mkdir()
    pictures = photos_and_masks(tmp_path / "one", "ab")
    mask = f"{tmp_path}/one/{{below}}/../masks/{{name}}"
    command = ("filter", tmp_path / "one", "--recursive", "--exclude", "masks", "-k", "box:5", "--mask", mask)
    assert call(*command, "--isolate", "-o", tmp_path / "out").code == 0
    for name, (pixels, weights) in pictures.items():
        made = np.asarray(Image.open(tmp_path / "out" / "photos" / f"{name}.png"))
        assert np.array_equal(made, filter_picture(pixels, "box:5", mask=weights))


def test_the_mask_of_a_picture_counts_as_memory_and_is_no_output(call: Call, tmp_path: Path):
    photos_and_masks(tmp_path, "a")
    photo, mask = tmp_path / "photos" / "a.png", f"{tmp_path}/masks/{{stem}}.png"
    facts = [
        json.loads(call("filter", photo, "-k", "box", *words, "-o", "x.png", "--dry-run", "--stats").out)
        for words in (("--only", "1,2,3,4"), ("--only", "1,2,3,4", "--mask", mask))
    ]
    assert facts[1]["bytes"] >= facts[0]["bytes"] + 8 * 20 * 31
    assert (facts[1]["only"], facts[1]["mask"]) == ([[1, 2, 3, 4]], f"{tmp_path}/masks/a.png")
    assert "is a mask and would be overwritten" in one_error(
        call("filter", photo, "-k", "box", "--mask", mask, "-o", tmp_path / "masks" / "a.png", "--force")
    )
    (tmp_path / "odd{1}.png").write_bytes((tmp_path / "masks" / "a.png").read_bytes())  # an existing file
    assert (
        call("filter", photo, "-k", "box", "--mask", tmp_path / "odd{1}.png", "-o", tmp_path / "y.png").code
        == 0
    )


def test_masks_that_are_folders_patterns_or_have_other_fields(call: Call, tmp_path: Path):
    photos_and_masks(tmp_path, "a")
    words = ("filter", tmp_path / "photos" / "a.png", "-k", "box", "-o", tmp_path / "x.png", "--mask")
    for mask, kind in ((tmp_path / "masks", "a folder"), (tmp_path / "masks" / "*.png", "a pattern")):
        assert one_error(call(*words, mask)).endswith(
            f"--mask {mask} is {kind}; name one picture for all inputs, or a template for the mask of each: --mask "
            + shlex.quote(f"{tmp_path}/masks/{{stem}}.png")
        )
    assert one_error(call(*words, "masks/%s.png")).endswith(
        "--mask masks/%s.png is a pattern; name one picture for all inputs, or a template for the mask of each: --mask "
        "'masks/{stem}.png'"
    )
    Image.new("L", (3, 4)).save(tmp_path / "small.png")
    small = f"the mask {tmp_path}/small.png is 3 wide and 4 high, and the picture 31 wide and 20 high"
    assert small in one_error(call(*words, tmp_path / "small.png"))
    assert "there is no field {base}; use {stem} {ext}" in one_error(call(*words, "masks/{base}.png"))
    assert "standard input has no file name, from which the name of the mask is taken" in one_error(
        call("filter", "-", "-k", "box", "-o", tmp_path / "x.png", "--mask", "masks/{stem}.png")
    )
    with pytest.raises(ArgumentError, match="names a mask for each file, and this picture has no name"):
        filter_picture(COLOURS, "box", mask="masks/{stem}.png")


def test_a_job_for_another_machine_has_the_absolute_path_of_its_mask():
    job = Job(Path("a.png"), Path("b.png"), mask=Path("masks/a.png"))
    assert job.absolute().mask == Path.cwd() / "masks" / "a.png"
    assert Job(Path("a.png"), Path("b.png")).absolute().mask is None


def test_a_dry_run_names_the_rectangles(call: Call, tmp_path: Path):
    Image.fromarray(COLOURS).save(tmp_path / "a.png")
    words = (
        "filter",
        tmp_path / "a.png",
        "-k",
        "box",
        "-o",
        tmp_path / "b.png",
        "--dry-run",
        "--only",
        "1,2,3,4",
    )
    # 3x3 weights in three channels, in the rectangle and up to two pixels around it.
    assert f": {3 * 9 * 8 * 6:,} multiply-adds in the rectangle 1,2,3,4, less than" in call(*words).out
    assert (
        f": {3 * 9 * (8 * 6 + 8 * 7):,} multiply-adds in 2 rectangles, less than"
        in call(*words, "--only", "9,9,3,4").out
    )
    whole = "on the whole picture, of which the result is kept in the rectangle 1,2,3,4, less than"
    assert whole in call(*words, "--range", "minmax").out
