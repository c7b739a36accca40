"""What is sent to a terminal, read back as the terminal would, has the picture's pixels."""

import io
import re
from base64 import b64decode

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from convcli.images.picture import Frame, ImageError
from convcli.images.preview import (
    CHECK,
    CHECKS,
    COLOURS_256,
    GREYS,
    ITERM,
    KITTY,
    SHADES,
    TRUE_COLOUR,
    Screen,
    nearest_of_256,
    preview,
)
from tests.examples import examples

RNG = np.random.default_rng(3)


def xterm_colour(number: int) -> tuple[int, int, int]:
    """The colours of xterm from 16 on, by the arithmetic of its 256colres.pl."""
    if number >= 232:
        return (10 * (number - 232) + 8,) * 3
    place = number - 16
    steps = place // 36, place // 6 % 6, place % 6
    return tuple(55 + 40 * step if step else 0 for step in steps)


def of_blocks(shown: bytes) -> np.ndarray:
    """Draw half blocks as a terminal does; a cell without a background gives one row only."""
    rows = []
    for line in shown.decode().splitlines():
        ground = {"38": None, "48": None}
        upper, lower = [], []
        for codes, block in re.findall(r"\x1b\[([\d;]*)m|(▀)", line):
            if block:
                upper.append(ground["38"])
                lower.append(ground["48"])
                continue
            words = codes.split(";")
            while len(words) > 1:
                if words[1] == "2":
                    ground[words[0]], words = tuple(map(int, words[2:5])), words[5:]
                else:
                    ground[words[0]], words = xterm_colour(int(words[2])), words[3:]
        assert line.endswith("\x1b[0m")
        rows.append(upper)
        if None not in lower:
            rows.append(lower)
    return np.array(rows, np.uint8)


def of_kitty(shown: bytes) -> np.ndarray:
    parts = re.findall(rb"\x1b_G([^;]*);([^\x1b]*)\x1b\\", shown)
    assert b"".join(b"\x1b_G%s;%s\x1b\\" % part for part in parts) + b"\n" == shown
    assert parts[0][0].startswith(b"a=T,f=100,q=2,m=")
    assert [keys[-3:] for keys, _ in parts] == [b"m=1"] * (len(parts) - 1) + [b"m=0"]
    assert all(0 < len(data) <= 4096 and len(data) % 4 == 0 for _, data in parts)
    return np.asarray(Image.open(io.BytesIO(b64decode(b"".join(data for _, data in parts)))))


def of_iterm(shown: bytes) -> np.ndarray:
    found = re.fullmatch(
        rb"\x1b\]1337;File=inline=1;size=(\d+);width=(\d+)px;height=(\d+)px:([^\a]*)\a\n", shown
    )
    assert found is not None
    data = b64decode(found[4])
    pixels = np.asarray(Image.open(io.BytesIO(data)))
    assert (len(data), *pixels.shape[1::-1]) == tuple(int(found[place]) for place in (1, 2, 3))
    return pixels


READERS = {KITTY: of_kitty, ITERM: of_iterm, TRUE_COLOUR: of_blocks}


@settings(max_examples=examples(20), deadline=None)
@given(
    st.sampled_from(sorted(READERS)),
    st.integers(17, 40),
    st.integers(17, 40),
    st.sampled_from(["L", "RGB", "RGBA", "LA"]),
)
def test_pixels_round_trip(method: str, height: int, width: int, mode: str) -> None:
    pixels = RNG.integers(0, 256, (height, width, len(mode)), dtype=np.uint8)
    if mode.endswith("A"):
        pixels[..., -1] = 255
    shown, notes = preview(
        Frame(pixels[..., 0] if mode == "L" else pixels, mode), Screen(method, 60, 60, (3, 3)), "x"
    )
    back = READERS[method](shown)
    if method != TRUE_COLOUR:
        factor = back.shape[0] // height  # a tiny picture is enlarged
        assert factor == 160 // max(height, width)
        assert (back[::factor, ::factor].repeat(factor, 0).repeat(factor, 1) == back).all()
        back = back[::factor, ::factor]
    assert (back == (pixels[..., :1] if len(mode) < 3 else pixels[..., :3])).all()
    assert notes == ()


@pytest.mark.parametrize("method", READERS)
def test_a_picture_is_reduced_to_the_size_of_the_screen(method: str) -> None:
    pixels = RNG.integers(0, 256, (80, 240, 3), dtype=np.uint8)
    back = READERS[method](preview(Frame(pixels, "RGB"), Screen(method, 60, 100, (1, 1)), "x")[0])
    wanted = pixels.reshape(20, 4, 60, 4, 3).mean(axis=(1, 3))
    assert back.shape == wanted.shape
    assert np.abs(back - wanted).max() <= 1


@pytest.mark.parametrize("size", [(3, 5), (1, 1), (1, 9)])
def test_the_pixels_of_a_tiny_picture_become_squares(size: tuple[int, int]) -> None:
    pixels = RNG.integers(0, 256, (*size, 3), dtype=np.uint8)
    factor = 16 // max(size)
    back = of_blocks(preview(Frame(pixels, "RGB"), Screen(TRUE_COLOUR, 80, 40), "x")[0])
    assert (back == pixels.repeat(factor, 0).repeat(factor, 1)).all()


def test_transparent_places_show_a_checkerboard() -> None:
    pixels = np.full((200, 200, 4), 255, np.uint8)
    pixels[:, 100:, 3], pixels[:, 150:, 3] = 0, 51
    back = of_kitty(preview(Frame(pixels, "RGBA"), Screen(KITTY, 200, 200, (1, 1)), "x")[0])
    assert (back[:, :100] == 255).all()
    for y, x in [(0, 104), (8, 104), (0, 112), (199, 149), (31, 120)]:
        grey = CHECKS[(y // CHECK + x // CHECK) % 2]
        assert (back[y, x] == grey).all()
        assert (
            back[y, x + 48] == round(255 * 0.2 + CHECKS[(y // CHECK + (x + 48) // CHECK) % 2] * 0.8)
        ).all()


def test_256_colours_are_the_nearest() -> None:
    colours = np.array([xterm_colour(number) for number in range(16, 256)])
    pixels = RNG.integers(0, 256, (20, 30, 3), dtype=np.uint8)
    pixels[:10] = pixels[:10, :, :1]  # greys
    found = nearest_of_256(pixels)
    distances = ((pixels[:, :, None].astype(int) - colours) ** 2).sum(axis=-1)
    assert (np.take_along_axis(distances, (found - 16)[..., None], 2)[..., 0] == distances.min(axis=-1)).all()
    back = of_blocks(preview(Frame(pixels, "RGB"), Screen(COLOURS_256, 80, 40), "x")[0])
    assert (back == colours[found - 16]).all()


def test_without_colours_there_are_shades() -> None:
    levels = np.repeat(np.array([[0, 64, 128, 191, 255]], np.uint8), 4, axis=0).repeat(4, axis=1)
    shown, _ = preview(Frame(levels, "L"), Screen(SHADES, 80, 40), "x")
    assert shown.decode() == ("".join(grey * 4 for grey in GREYS) + "\n") * 2
    assert b"\x1b" not in shown


def test_numbers_are_shown_from_their_least_to_their_largest() -> None:
    def shown(values: object, mode: str) -> tuple[np.ndarray, tuple[str, ...]]:
        pixels = np.array(values, {"F": np.float32, "I": np.int32, "I;16": np.uint16}[mode])
        data, notes = preview(
            Frame(pixels.repeat(10, 0).repeat(10, 1), mode), Screen(TRUE_COLOUR, 80, 40), "x"
        )
        return of_blocks(data)[::10, ::10, 0], notes

    found, notes = shown([[-10.0, 0.0], [10.0, 5.0]], "F")
    assert found.tolist() == [[0, 128], [255, 191]]
    assert notes == ("shown from -10, black, to 10, white",)
    assert shown([[0.0, 0.5], [0.25, 0.75]], "F") == (pytest.approx(np.array([[0, 128], [64, 191]])), ())
    assert shown([[7, 9], [8, 9]], "I")[0].tolist() == [[0, 255], [128, 255]]
    assert shown([[0, 65535], [257, 32768]], "I;16") == (pytest.approx(np.array([[0, 255], [1, 128]])), ())
    assert shown([[3.0, 3.0], [3.0, 3.0]], "F")[0].tolist() == [[0, 0], [0, 0]]
    unknown, notes = shown([[np.nan, np.inf], [2.0, 4.0]], "F")
    assert set(unknown[0]) <= set(CHECKS)
    assert (unknown[1].tolist(), notes) == ([0, 255], ("shown from 2, black, to 4, white",))
    large, _ = shown([[-3e38, 3e38], [0, 1]], "F")
    assert large.tolist() == [[0, 255], [128, 128]]


def test_what_is_no_colour_is_refused() -> None:
    maps = Frame(np.zeros((3, 4, 7), np.float32), "7 channels")
    with pytest.raises(
        ImageError, match="cannot show x: its channels are 7 channels, which are no grey or RGB; draw them"
    ):
        preview(maps, Screen(SHADES, 80, 40), "x")
    with pytest.raises(ImageError, match="cannot show x: its channels are LAB"):
        preview(Frame(np.zeros((3, 4, 3), np.uint8), "LAB"), Screen(SHADES, 80, 40), "x")
    red = np.broadcast_to(np.array([0, 255, 255, 0], np.uint8), (16, 16, 4))
    back = of_blocks(preview(Frame(red, "CMYK"), Screen(TRUE_COLOUR, 80, 40), "x")[0])
    assert (back == [255, 0, 0]).all()
