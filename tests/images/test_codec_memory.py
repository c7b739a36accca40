"""The estimated memory of encoders, compared between similar cases."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from convcli.images.codec_memory import POOL, POOL_BLOCK, encoding, pooled, pooled_of_many
from convcli.images.coding import Coding
from convcli.images.header import FrameHeader

FRAME = FrameHeader((600, 800, 3), "RGB", "uint8")
PIXELS = 600 * 800


@pytest.mark.parametrize("quality", [None, 80], ids=["lossless", "lossy"])
def test_an_animated_webp_takes_more_than_its_single_frames(quality: int | None) -> None:
    """It needs three RGBA canvases in addition, and three copies of the file at the end."""
    coding = Coding(quality=quality)
    one, two, three = (encoding([FRAME] * count, "WEBP", coding) for count in (1, 2, 3))
    image = 4 * PIXELS
    file = (three - two - image) // 3
    assert 0.2 * FRAME.nbytes < file < 0.8 * FRAME.nbytes
    assert two - one >= image + 5 * file + 3 * image


def test_a_lossless_animation_is_encoded_twice() -> None:
    lossy, lossless = (encoding([FRAME] * 2, "WEBP", Coding(quality=quality)) for quality in (80, None))
    still = encoding([FRAME], "WEBP", Coding()) - encoding([FRAME], "WEBP", Coding(quality=80))
    assert lossless - lossy > 2 * still


def test_pillow_keeps_no_more_than_its_pool_for_a_job() -> None:
    large = FrameHeader((6000, 8000, 3), "RGB", "uint8")
    assert pooled([FRAME]) == 0  # not decoded by Pillow
    assert pooled([FRAME._replace(image=1000), FRAME]) == 1000
    assert pooled([large._replace(image=4 * 6000 * 8000)]) == POOL * POOL_BLOCK
    assert pooled_of_many([FRAME]) == 4 * PIXELS
    assert pooled_of_many([large]) == POOL * POOL_BLOCK


def test_the_next_picture_reuses_the_memory_of_the_previous_one(tmp_path: Path) -> None:
    for name in "abc":
        Image.effect_noise((600, 500), 60).convert("RGB").save(tmp_path / f"{name}.bmp")
    script = (
        "import atexit, sys\n"
        "from convcli.cli import main\n"
        "def tell():\n"
        "    from PIL import Image\n"
        "    print(Image.core.get_blocks_max(), Image.core.get_stats()['reused_blocks'])\n"
        "atexit.register(tell)\n"
        "main()\n"
    )
    options = ["--kernel", "box:3", "--jobs", "1", "-q", "-o", str(tmp_path / "out") + os.sep]
    done = subprocess.run(
        [sys.executable, "-c", script, "filter", str(tmp_path), *options],
        env={name: value for name, value in os.environ.items() if name != "PILLOW_BLOCKS_MAX"},
        capture_output=True,
        text=True,
        check=True,
    )
    most, reused = map(int, done.stdout.splitlines()[-1].split())
    assert most == POOL
    assert reused >= 5  # all images except the first: three are read, and three written
