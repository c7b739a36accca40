"""Writing pictures: files read back equal what was written, or the error is clear."""

import importlib.util
import io
import os
from pathlib import Path
from unittest import mock

import numpy as np
import pytest

from convcli.errors import ArgumentError
from convcli.images import write
from convcli.images.formats import FORMATS, NETPBM, UNADVISED, format_of
from convcli.images.indexed import indexed
from convcli.images.metadata.table import Chunk
from convcli.images.modes import CHANNELS, channels_of, dtype_of, is_float, mode_name
from convcli.images.picture import Frame, ImageError, Picture
from convcli.images.read import read_picture
from convcli.images.write import encode
from tests.conftest import SAMPLES

RNG = np.random.default_rng(5)
CODECS = all(importlib.util.find_spec(name) for name in ("imagecodecs", "tifffile"))


def array_of(mode: str, size: tuple[int, int] = (5, 7)) -> np.ndarray:
    """Noise in the shape and dtype of a mode, over the full range of integers."""
    channels, dtype = channels_of(mode), np.dtype(dtype_of(mode))
    shape = size if channels == "L" else (*size, CHANNELS[channels])
    if dtype.kind == "f":
        return RNG.normal(size=shape).astype(dtype)
    limits = np.iinfo(dtype)
    return RNG.integers(limits.min, limits.max, shape, dtype, endpoint=True)


ARRAYS = {mode: array_of(mode) for mode in sorted(FORMATS["NPY"].modes)}
LOSSLESS = [
    pytest.param(form, mode, marks=pytest.mark.skipif(not CODECS, reason="convcli[codecs] is not installed"))
    if mode in FORMATS[form].deep
    else (form, mode)
    for form in FORMATS
    if form not in ("JPEG", "GIF", "AVIF", "HEIF", *NETPBM)
    for mode in sorted(FORMATS[form].modes | FORMATS[form].deep)
]


def still(mode: str, **metadata: object) -> Picture:
    return Picture((Frame(ARRAYS[mode], mode),), "PNG", metadata)


def back(picture: Picture, form: str) -> tuple[Picture, tuple[str, ...]]:
    data, notes = encode(picture, form, "out")
    return read_picture(io.BytesIO(data)), notes


@pytest.mark.parametrize(("form", "mode"), LOSSLESS)
def test_pixels_round_trip(form: str, mode: str) -> None:
    try:
        picture, _ = back(still(mode), form)
    except ImageError as error:
        assert (form, "fails on some pictures of negative and positive floats" in str(error)) == (
            "JPEGXL",
            True,
        )
        pytest.skip("libjxl 0.12.0 fails on these samples")
    assert picture.format == form
    (frame,) = picture.frames
    if form == "WEBP" and mode in ("L", "LA"):  # WebP has no grey mode: three equal channels
        assert (frame.pixels[..., :3] == ARRAYS[mode].reshape(5, 7, -1)[..., :1]).all()
    elif form == "NPY" and mode.startswith(("CMYK", "LAB", "ICCLAB")):  # channels without names
        assert (frame.pixels == ARRAYS[mode]).all()
    else:
        assert frame.mode == mode
        assert frame.pixels.dtype == ARRAYS[mode].dtype
        assert (frame.pixels == ARRAYS[mode]).all()


@pytest.mark.skipif(not CODECS, reason="convcli[codecs] is not installed")
def test_floats_that_libjxl_fails_on_are_an_error_with_a_way_out() -> None:
    import imagecodecs

    failure = imagecodecs.JpegxlError("JxlEncoderProcessOutput", -1)
    with mock.patch.object(imagecodecs, "jpegxl_encode", side_effect=failure):
        with pytest.raises(
            ImageError,
            match=r"^cannot write out: the installed libjxl [\d.]+ fails on some pictures of "
            r"negative and positive floats; write \.tiff or \.npy, or install imagecodecs before 2026\.10$",
        ):
            encode(Picture((Frame(np.array([[-1, 1]], np.float32), "F"),), "PNG"), "JPEGXL", "out")
        with pytest.raises(ImageError, match="JPEGXL cannot encode the picture"):
            encode(Picture((Frame(np.array([[0, 1]], np.float32), "F"),), "PNG"), "JPEGXL", "out")


@pytest.mark.parametrize("mode", sorted(FORMATS["JPEG"].modes))
def test_jpeg_keeps_the_mode(mode: str) -> None:
    flat = Picture((Frame(np.full_like(ARRAYS[mode], 77), mode),), "PNG")
    (frame,) = back(flat, "JPEG")[0].frames
    assert frame.mode == mode
    assert np.abs(frame.pixels.astype(int) - 77).max() <= 1


@pytest.mark.parametrize("why", [OSError("no more files"), AttributeError("no such call")])
def test_a_jpeg_without_a_memory_file(why: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    picture = read_picture(SAMPLES / "landscape.jpg")
    expected = encode(picture, "JPEG", "out.jpg")

    def refuse(name: str) -> int:
        raise why

    monkeypatch.setattr(os, "memfd_create", refuse, raising=False)
    assert encode(picture, "JPEG", "out.jpg") == expected


def test_a_jpeg_larger_than_the_reserved_space(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(5)
    noise = Picture((Frame(rng.integers(0, 256, (90, 110, 4), np.uint8), "CMYK"),), "JPEG")
    expected = encode(noise, "JPEG", "out.jpg")
    for room in (-12375, -12000, 0):  # no reserve at all
        monkeypatch.setattr(write, "MARGIN", room)
        assert encode(noise, "JPEG", "out.jpg") == expected


@pytest.mark.parametrize("form", FORMATS)
def test_unsupported_modes_are_refused_with_alternatives(form: str) -> None:
    for mode in ARRAYS.keys() - FORMATS[form].modes - FORMATS[form].deep:
        channels, dtype = channels_of(mode), dtype_of(mode)
        narrowed = is_float(mode) and FORMATS[form].holds(channels)
        hint = (
            "map its values to 8 bits with `value_range`, or keep them in one of these: "
            if narrowed
            else "these can: "
        )
        with pytest.raises(ImageError) as error:
            encode(still(mode), form, "out")
        start = f"cannot write out: {form} cannot hold the pixel mode {mode}; {hint}"
        assert str(error.value).startswith(start)
        able, _, hint = str(error.value).removeprefix(start).partition("; ")
        wanted = ""
        if (
            not narrowed
            and channels in ("LA", "RGBA")
            and FORMATS[form].holds(mode_name(channels[:-1], dtype))
        ):
            wanted = f"or drop alpha with `channels={','.join(channels.lower())[:-2]!r}`"
        if (
            not narrowed
            and channels == "RGB"
            and FORMATS[form].holds(mode_name("L", dtype))
            and form != "PBM"
        ):
            wanted = "or convert it to grey with `gray=True`"
        if dtype == "uint16" and FORMATS[form].holds(channels):
            wanted = "or round its samples to 8 bits with `depth='8'`"
        assert hint == wanted
        assert able.split(", ") == [
            form.endings[0] for name, form in FORMATS.items() if form.holds(mode) and name not in UNADVISED
        ]
        assert ".npy" in able


def animation(mode: str = "RGB", count: int = 3) -> Picture:
    frames = tuple(Frame(np.roll(ARRAYS[mode], step, axis=1), mode, 100 + 50 * step) for step in range(count))
    return Picture(frames, "GIF", {}, loop=2)


@pytest.mark.parametrize("form", ["PNG", "WEBP"])
@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_animations_keep_frames_timing_and_loop(form: str, mode: str) -> None:
    picture, _ = back(animation(mode), form)
    assert [frame.duration for frame in picture.frames] == [100, 150, 200]
    assert picture.loop == 2
    for ours, theirs in zip(picture.frames, animation(mode).frames, strict=True):
        channels = theirs.pixels.shape[-1]
        visible = theirs.pixels[..., -1] > 0 if channels == 4 else ...
        assert (ours.pixels[..., :channels] == theirs.pixels)[visible].all()


def test_gif_frames_with_few_colours_round_trip() -> None:
    source = read_picture(SAMPLES / "spinner.gif")
    picture, notes = back(source, "GIF")
    assert notes == ()
    assert picture.loop == 0
    assert [frame.duration for frame in picture.frames] == [frame.duration for frame in source.frames]
    for ours, theirs in zip(picture.frames, source.frames, strict=True):
        visible = theirs.pixels[..., 3] > 0
        assert (visible == (ours.pixels[..., 3] > 0)).all()
        assert (ours.pixels[visible] == theirs.pixels[visible]).all()


def test_pages_round_trip() -> None:
    pages = Picture(tuple(Frame(ARRAYS[mode], mode) for mode in ("L", "RGB", "I;16")), "TIFF")
    picture, _ = back(pages, "TIFF")
    assert [frame.mode for frame in picture.frames] == ["L", "RGB", "I;16"]
    assert all(
        (ours.pixels == theirs.pixels).all()
        for ours, theirs in zip(picture.frames, pages.frames, strict=True)
    )


def test_still_formats_refuse_animations() -> None:
    with pytest.raises(
        ImageError,
        match=r"JPEG holds one frame, the picture has 3; choose one, as with `frame=0`, or a format that holds all: .png, .webp,",
    ):
        encode(animation(), "JPEG", "out")


ICC = read_picture(SAMPLES / "landscape.jpg").metadata["icc"]


TEXT = (Chunk(b"tEXt", b"a\0b"),)


def test_losses_are_noted() -> None:
    _, notes = encode(still("RGB", icc=ICC, dpi=(72, 72), text=TEXT), "BMP", "out")
    assert notes == ("BMP does not carry the ICC profile and PNG text",)
    _, notes = encode(
        Picture((Frame(RNG.integers(0, 256, (40, 40, 4), dtype=np.uint8), "RGBA"),), "PNG"), "GIF", "out"
    )
    assert notes == (
        "GIF holds 256 colours per frame; similar ones were merged",
        "GIF pixels are opaque or transparent; semi-transparent ones became one or the other",
    )


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("a.png", "PNG"),
        ("a.JPG", "JPEG"),
        ("b/a.tar.tif", "TIFF"),
        ("x.pgm", "PGM"),
        ("x.webp", "WEBP"),
        ("x.jpe", "JPEG"),
        ("x.JFIF", "JPEG"),
        ("x.apng", "PNG"),
        ("x.pbm", "PBM"),
        ("x.pnm", "PNM"),
        ("x.pam", "PAM"),
        ("x.pfm", "PFM"),
    ],
)
def test_extensions(path: str, form: str) -> None:

    assert format_of(Path(path)) == form


@pytest.mark.parametrize(
    ("path", "what"), [("a.doc", "the ending '.doc'"), ("a", "no ending"), ("x.eps", "the ending '.eps'")]
)
def test_unknown_extensions(path: str, what: str) -> None:

    with pytest.raises(ArgumentError, match=f"{path} has {what}, which .*; (use|end it in) .png"):
        format_of(Path(path))


def test_many_colours_become_similar_ones() -> None:
    gradient = np.linspace(0, 255, 3 * 64 * 64).reshape(64, 64, 3).astype(np.uint8)
    alpha = np.where(np.arange(64) < 20, 0, 255).astype(np.uint8)
    pixels = np.dstack([gradient, np.broadcast_to(alpha, (64, 64))])
    picture, notes = back(Picture((Frame(pixels, "RGBA"),), "PNG"), "GIF")
    assert notes == ("GIF holds 256 colours per frame; similar ones were merged",)
    (frame,) = picture.frames
    visible = pixels[..., 3] > 0
    assert ((frame.pixels[..., 3] > 0) == visible).all()
    assert np.abs(frame.pixels.astype(int) - pixels)[visible].max() < 16


def test_the_palette_of_a_large_picture_is_chosen_from_a_part_of_it() -> None:
    rows, columns = np.mgrid[:1100, :1000]  # more pixels than the palette is chosen from
    pixels = np.stack([rows // 5, columns // 4, (rows + columns) // 9], axis=-1).astype(np.uint8)
    pixels[-1] = 255, 0, 0  # occurs nowhere else
    image, exact = indexed(Frame(pixels, "RGB"))
    assert not exact
    palette = np.array(image.getpalette(), int).reshape(-1, 3)
    looked = RNG.integers(0, (1099, 1000), (500, 2))  # in all other rows
    wanted = pixels[looked[:, 0], looked[:, 1]].astype(int)
    given = palette[np.asarray(image)[looked[:, 0], looked[:, 1]]]
    nearest = np.abs(wanted[:, None] - palette[None]).sum(axis=2).min(axis=1)
    assert (
        np.abs(wanted - given).sum(axis=1) <= nearest + 12
    ).all()  # Pillow's search is accurate to four levels
    assert np.abs(wanted - given).max() < 32


@pytest.mark.parametrize("channels", [1, 3])
def test_256_colours_are_exact_wherever_they_are(channels: int) -> None:
    levels = RNG.permutation(np.arange(256, dtype=np.uint8))
    pixels = np.resize(levels, (700, 500))  # more than one band
    if channels == 3:
        pixels = np.stack([pixels, 255 - pixels, pixels // 2], axis=-1)
    image, exact = indexed(Frame(pixels, "L" if channels == 1 else "RGB"))
    assert exact
    shown = np.asarray(image.convert("RGB"))
    assert (shown == pixels.reshape(700, 500, -1)).all()


@pytest.mark.parametrize("form", ["PNG", "WEBP", "GIF"])
def test_frames_that_differ_are_refused_as_an_animation(form: str) -> None:
    pages = Picture((Frame(ARRAYS["RGB"], "RGB"), Frame(ARRAYS["RGB"][1:], "RGB")), "TIFF")
    with pytest.raises(
        ImageError, match=f"its 2 pages differ in size or mode, which {form} does not allow; write .tiff"
    ):
        encode(pages, form, "out")


def test_only_png_keeps_a_still_picture_before_the_animation() -> None:
    frames = (Frame(ARRAYS["RGB"], "RGB"), *animation().frames)
    picture, notes = back(Picture(frames, "PNG", poster=True), "PNG")
    assert (notes, picture.poster, len(picture.frames)) == ((), True, 4)
    assert [frame.duration for frame in picture.frames][1:] == [100, 150, 200]
    picture, notes = back(Picture(frames, "PNG", poster=True), "WEBP")
    assert notes == ("WEBP cannot store the still picture before the animation",)
    assert [frame.duration for frame in picture.frames] == [100, 150, 200]


@pytest.mark.parametrize("form", ["PNG", "GIF", "WEBP"])
def test_frames_merged_in_writing_are_noted(form: str) -> None:
    first, second = (Frame(np.full((4, 4, 3), value, np.uint8), "RGB", 100) for value in (9, 200))
    picture, notes = back(Picture((first, first, second, second, second), "GIF", loop=0), form)
    count = len(picture.frames)
    assert sum(frame.duration for frame in picture.frames) == 500
    joined = f"{5 - count} of its 5 frames equal the previous one and were merged with it"
    assert notes == (joined,)


def test_an_animation_of_16_bit_colour_is_refused_as_png() -> None:
    frames = tuple(Frame(array_of("RGB;16"), "RGB;16", 100) for _ in range(2))
    message = (
        "cannot write out: PNG holds one frame of RGB;16, the picture has 2; choose one, as with `frame=0`, or a format "
        "that holds all: .tiff, .npy"
    )
    with pytest.raises(ImageError) as error:
        encode(Picture(frames, "TIFF"), "PNG", "out")
    assert str(error.value) == message
