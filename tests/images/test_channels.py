"""Channels chosen by name, and the resulting mode and colour profile."""

import numpy as np
import pytest
from PIL import ImageCms

from convcli.images.channels import channel_names, profile_name, with_channels
from convcli.images.modes import CHANNELS, channels_of, dtype_of, is_float, mode_name, mode_of
from convcli.images.picture import Frame, ImageError, Picture

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
LAB = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()


def picture(mode: str, **metadata: object) -> Picture:
    count = len(channel_names(mode))
    shape = (3, 4, count) if count > 1 else (3, 4)
    pixels = np.random.default_rng(2).integers(0, 256, shape)
    return Picture((Frame(pixels.astype("uint8" if " " in mode else dtype_of(mode)), mode),), "PNG", metadata)


@pytest.mark.parametrize(
    ("mode", "wanted", "result"),
    [
        ("RGB", "r", "L"),
        ("RGB", "g,b", "2 channels"),
        ("RGB", "b,g,r", "RGB"),
        ("RGBA", "r,g,b", "RGB"),
        ("RGBA", "a", "L"),
        ("RGBA", "g,a", "LA"),
        ("RGBA", "b,g,r,a", "RGBA"),
        ("RGBA", "a,r,g,b", "4 channels"),
        ("RGBA", "r,g,a", "3 channels"),
        ("RGBA", "r,g,b,a", "RGBA"),
        ("RGBA;16", "r,g,b", "RGB;16"),
        ("RGBA;16", "a", "I;16"),
        ("RGB;F", "b", "F"),
        ("RGB;float64", "b", "L;float64"),
        ("LA", "l", "L"),
        ("L", "l,l,l", "RGB"),
        ("I;16", "l", "I;16"),
        ("CMYK", "k", "L"),
        ("CMYK", "c,m,y", "3 channels"),
        ("LAB", "l", "L"),
        ("LAB", "a", "L;int8"),
        ("LAB", "b,a", "2 channels"),
        ("ICCLAB;16", "b", "L;int16"),
        ("LAB", "l,a,b", "LAB"),
        ("LAB", "l,a", "2 channels"),
        ("7 channels", "5,0,2", "RGB"),
        ("7 channels", "6", "L"),
        ("7 channels", "0,1,2,3", "4 channels"),
    ],
)
def test_channels_by_name(mode: str, wanted: str, result: str) -> None:
    before, names = picture(mode), wanted.split(",")
    (frame,) = with_channels(before, names, "x.png").frames
    source = before.frames[0].pixels.reshape(3, 4, -1)
    if "LAB" in mode and result not in (
        mode,
        "L",
    ):  # a* and b* on their own are signed numbers
        bits = source.itemsize * 8
        source = source.astype(int) - [0, 1 << bits - 1, 1 << bits - 1]
        source = source.astype(f"int{bits * 2 if 'l' in names else bits}")
    places = [channel_names(mode).index(name) for name in names]
    assert frame.mode == result
    assert (frame.pixels.reshape(3, 4, -1) == source[..., places]).all()
    assert frame.pixels.dtype == source.dtype
    assert frame.pixels.ndim == (2 if len(names) == 1 else 3)


@pytest.mark.parametrize(
    ("mode", "wanted", "message"),
    [
        ("RGB", "a", "cannot filter x.png: there is no channel 'a' in RGB; use r, g, b"),
        ("I;16", "r", "there is no channel 'r' in I;16; use l"),
        ("CMYK", "g", "there is no channel 'g' in CMYK; use c, m, y, k"),
        ("7 channels", "7", "there is no channel '7' in 7 channels; use 0 to 6"),
        ("RGBA", "red", "there is no channel 'red' in RGBA; "),
    ],
)
def test_channels_that_do_not_exist(mode: str, wanted: str, message: str) -> None:
    with pytest.raises(ImageError) as error:
        with_channels(picture(mode), [wanted], "x.png")
    assert message in str(error.value)


def test_a_colour_profile_stays_with_its_colours() -> None:
    for mode, wanted, stays in (
        ("RGBA", "r,g,b", True),
        ("RGB", "b,g,r", True),
        ("RGB", "r", False),
        ("RGBA", "a", False),
        ("RGBA", "r,a", False),
    ):
        result = with_channels(picture(mode, icc=SRGB, dpi=(72, 72)), wanted.split(","), "x.png")
        assert ("icc" in result.metadata, result.metadata["dpi"]) == (stays, (72, 72))
        note = "the colour profile is left out: it does not apply to the remaining channels, L"
        assert result.notes == (() if stays else (note,))


def test_profiles_have_names() -> None:
    assert "sRGB" in profile_name(picture("RGB", icc=SRGB))
    assert profile_name(picture("RGB", icc=b"nothing")) == "damaged"
    assert profile_name(picture("RGB")) is None


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "uint32", "int32", "float32", "float64"])
@pytest.mark.parametrize("channels", CHANNELS)
def test_modes_are_parsed_into_channels_and_dtype(channels: str, dtype: str) -> None:
    mode = mode_name(channels, dtype)
    assert (channels_of(mode), dtype_of(mode), is_float(mode)) == (channels, dtype, dtype.startswith("f"))


def test_modes_are_pillows_where_it_has_them() -> None:
    names = [mode_of(1, dtype) for dtype in ("uint8", "uint16", "int32", "float32")]
    assert names == ["L", "I;16", "I", "F"]
    assert [mode_of(count, "uint8") for count in (2, 3, 4, 5)] == ["LA", "RGB", "RGBA", "5 channels"]
