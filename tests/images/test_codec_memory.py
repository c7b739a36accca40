"""What encoders are said to take, by what else would take as much."""

import pytest

from convcli.images.codec_memory import encoding
from convcli.images.coding import Coding
from convcli.images.header import FrameHeader

FRAME = FrameHeader((600, 800, 3), "RGB", "uint8")
PIXELS = 600 * 800


@pytest.mark.parametrize("quality", [None, 80], ids=["lossless", "lossy"])
def test_an_animated_webp_takes_more_than_its_frames_one_by_one(quality: int | None) -> None:
    """Three canvases of four channels lie beside what frames take, and the file is there three times at its end."""
    coding = Coding(quality=quality)
    one, two, three = (encoding([FRAME] * count, "WEBP", coding) for count in (1, 2, 3))
    image = 4 * PIXELS
    file = (three - two - image) // 3
    assert 0.2 * FRAME.nbytes < file < 0.8 * FRAME.nbytes
    assert two - one >= image + 5 * file + 3 * image


def test_a_lossless_animation_is_coded_in_two_ways() -> None:
    lossy, lossless = (encoding([FRAME] * 2, "WEBP", Coding(quality=quality)) for quality in (80, None))
    still = encoding([FRAME], "WEBP", Coding()) - encoding([FRAME], "WEBP", Coding(quality=80))
    assert lossless - lossy > 2 * still
