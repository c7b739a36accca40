"""Damage tiny pictures of every kind at random: each must be read or raise one ImageError, fast and in little memory.

`python -m tests.images.mutations COUNT SEED` tries COUNT files and prints the results as JSON. Run it in a process of
its own: it limits its memory, and captures what libraries write to stderr.
"""

import io
import json
import os
import random
import resource
import struct
import sys
import tempfile
import time
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
from PIL import Image, features

from convcli.images.picture import Frame, ImageError, Picture
from convcli.images.read import read_header, read_picture
from convcli.images.write import encode

MEMORY = 1 << 30  # bytes of address space in addition to those used after all imports
SECONDS = 2.0  # per file
MAX_PIXELS, MAX_FRAMES = 1 << 20, 64


def seeds() -> dict[str, bytes]:
    """Return small files of every format, mode and compression that is read."""
    rng = np.random.default_rng(0)
    colour = rng.integers(0, 256, (9, 7, 4), dtype=np.uint8)
    rgb, grey = Image.fromarray(colour[..., :3].copy()), Image.fromarray(colour[..., 0].copy())
    rgba = Image.fromarray(colour)
    deep = rng.integers(0, 65536, (5, 6, 3), dtype=np.uint16)
    moving = [Image.fromarray(rng.integers(0, 256, (6, 5, 3), dtype=np.uint8)) for _ in range(3)]
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "upright"

    def pillow(image: Image.Image, form: str, **options: object) -> bytes:
        buffer = io.BytesIO()
        image.save(buffer, form, **options)
        return buffer.getvalue()

    def ours(pixels: np.ndarray, mode: str, form: str) -> bytes:
        return encode(Picture((Frame(pixels, mode),), form), form, "seed")[0]

    film = {"save_all": True, "append_images": moving[1:], "duration": 40}
    dpi = {"dpi": (300, 300)}
    found = {
        "grey.png": pillow(grey, "PNG"),
        "rgba.png": pillow(rgba, "PNG", exif=exif, icc_profile=b"profile" * 9, **dpi),
        "palette.png": pillow(rgb.quantize(9), "PNG", transparency=3, bits=4),
        "bits.png": pillow(grey.convert("1"), "PNG"),
        "deep grey.png": ours(deep[..., 0], "I;16", "PNG"),
        "deep.png": ours(deep, "RGB;16", "PNG"),
        "film.png": pillow(moving[0], "PNG", **film),
        "rgb.jpg": pillow(rgb, "JPEG", exif=exif, comment=b"hello", **dpi),
        "grey.jpg": pillow(grey, "JPEG", progressive=True),
        "cmyk.jpg": pillow(rgb.convert("CMYK"), "JPEG"),
        "lossy.webp": pillow(rgb, "WEBP", exif=exif),
        "lossless.webp": pillow(rgba, "WEBP", lossless=True),
        "film.webp": pillow(moving[0], "WEBP", **film),
        "plain.tiff": pillow(rgb, "TIFF", exif=exif, **dpi),
        "pages.tiff": pillow(moving[0], "TIFF", **film),
        "float.tiff": pillow(Image.fromarray(colour[..., 0].astype(np.float32)), "TIFF"),
        "lab.tiff": pillow(rgb.convert("LAB"), "TIFF"),
        "big.tiff": pillow(grey, "TIFF", big_tiff=True),
        "rgb.bmp": pillow(rgb, "BMP"),
        "palette.bmp": pillow(rgb.quantize(9), "BMP"),
        "grey.gif": pillow(grey, "GIF", comment=b"hello"),
        "film.gif": pillow(moving[0], "GIF", loop=0, **film),
        "rgb.ppm": pillow(rgb, "PPM"),
        "grey.pgm": pillow(grey, "PPM"),
        "bits.pbm": pillow(grey.convert("1"), "PPM"),
        "float.pfm": pillow(Image.fromarray(colour[..., 0].astype(np.float32)), "PPM"),
        "deep.ppm": ours(deep, "RGB;16", "PPM"),
        "plain.pgm": b"P2 # words\n3 2 255\n0 1 2\n253 254 255\n",
        "floats.npy": ours(colour.astype(np.float64), "RGBA;float64", "NPY"),
        "bytes.npy": ours(colour[..., 0].copy(), "L", "NPY"),
    }
    for compression in ("tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg"):
        found[f"{compression}.tiff"] = pillow(rgb, "TIFF", compression=compression)
    for compression in ("group3", "group4"):
        found[f"{compression}.tiff"] = pillow(grey.convert("1"), "TIFF", compression=compression)
    if features.check("avif"):
        found["grey alpha.avif"] = ours(colour[..., 2:].copy(), "LA", "AVIF")
        found["rgb.avif"] = pillow(rgb, "AVIF", exif=exif, icc_profile=b"profile" * 9)
        found["film.avif"] = pillow(moving[0], "AVIF", **film)
    if features.check("jpg_2000"):
        found["rgb.jp2"] = ours(colour[..., :3].copy(), "RGB", "JPEG2000")
        found["lossy.j2k"] = pillow(rgba, "JPEG2000", no_jp2=True, irreversible=True, tile_size=(4, 4))
        found["deep grey.jp2"] = ours(deep[..., 0].copy(), "I;16", "JPEG2000")
    with suppress(ImageError):  # without the extra
        found["rgba.heic"] = ours(colour, "RGBA", "HEIF")
    with suppress(ImageError):
        found["rgb.jxl"] = ours(colour[..., :3].copy(), "RGB", "JPEGXL")
        found["deep.jxl"] = ours(deep, "RGB;16", "JPEGXL")
        found["deep.jp2"] = ours(deep, "RGB;16", "JPEG2000")
    try:
        found["deep.tiff"] = ours(deep, "RGB;16", "TIFF")
        found["many.tiff"] = ours(np.dstack([deep, deep]), "6 channels", "TIFF")
    except ImageError:  # without the extra
        pass
    return found


EXTREMES = [0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF]


def flip(data: bytearray, rng: random.Random) -> None:
    """Flip some bits."""
    for _ in range(rng.choice([1, 1, 1, 2, 8])):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)


def scribble(data: bytearray, rng: random.Random) -> None:
    """Overwrite a run of bytes."""
    place = rng.randrange(len(data))
    data[place : place + rng.randint(1, 8)] = rng.randbytes(rng.randint(1, 8))


def truncate(data: bytearray, rng: random.Random) -> None:
    """Cut off the end."""
    del data[rng.randrange(len(data)) :]


def resize(data: bytearray, rng: random.Random) -> None:
    """Write an extreme number where a size may be: near the start, in either byte order."""
    form = rng.choice(["<H", ">H", "<I", ">I", "B"])
    width = struct.calcsize(form)
    place = rng.randrange(max(1, min(len(data), rng.choice([32, 64, 512])) - width))
    data[place : place + width] = struct.pack(form, rng.choice(EXTREMES) & ((1 << 8 * width) - 1))


def rewrite(data: bytearray, rng: random.Random) -> None:
    """Change a number written in decimal digits."""
    places = [place for place, byte in enumerate(data[:128]) if 48 <= byte < 58]
    if places:
        place = rng.choice(places)
        data[place : place + 1] = rng.choice([b"0", b"9", b"-1", b"99999999", b"1e9", b" ", b"\xb2"])


def repeat(data: bytearray, rng: random.Random) -> None:
    """Duplicate a part."""
    start = rng.randrange(len(data))
    data[start:start] = data[start : start + rng.randint(1, 64)] * rng.choice([1, 1, 30])


MUTATIONS: list[Callable[[bytearray, random.Random], None]] = [
    flip, flip, scribble, truncate, resize, resize, rewrite, repeat,
]  # fmt: skip


def with_valid_checksums(data: bytes) -> bytes:
    """Return a PNG with corrected checksums, so that damage gets past their check."""
    if not data.startswith(b"\x89PNG\r\n\x1a\n"):
        return data
    out, place = bytearray(data), 8
    while place + 12 <= len(out):
        length = int.from_bytes(out[place : place + 4], "big")
        end = place + 8 + length
        if end + 4 > len(out):
            break
        out[end : end + 4] = zlib.crc32(out[place + 4 : end]).to_bytes(4, "big")
        place = end + 4
    return bytes(out)


def mutant(files: list[bytes], rng: random.Random) -> bytes:
    """Return one of the files, damaged."""
    data = bytearray(rng.choice(files))
    for _ in range(rng.choice([1, 1, 2, 4])):
        if data:
            rng.choice(MUTATIONS)(data, rng)
    return with_valid_checksums(bytes(data)) if rng.random() < 0.8 else bytes(data)


def attempt(data: bytes) -> str:
    """Read a file; return the kind of result, or raise an unexpected exception."""
    limits = {"max_frames": MAX_FRAMES}
    with suppress(ImageError):
        read_header(io.BytesIO(data), MAX_PIXELS, **limits)
    try:
        picture = read_picture(io.BytesIO(data), MAX_PIXELS, **limits)
    except ImageError as error:
        text = str(error)
        assert text.startswith("cannot read standard input: "), text
        assert "MemoryError" not in text, text
        return "error"
    assert 0 < len(picture.frames) <= MAX_FRAMES
    assert sum(frame.pixels.shape[0] * frame.pixels.shape[1] for frame in picture.frames) <= MAX_PIXELS
    return "picture"


def main(count: int, seed: int) -> dict[str, object]:
    """Try damaged files; those that misbehave are reported with their bytes."""
    files = list(seeds().values())
    for data in files:
        assert attempt(data) == "picture"
    taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (taken + MEMORY, taken + MEMORY))
    tally, wrong, slowest, before = {"picture": 0, "error": 0}, [], 0.0, peak()
    with tempfile.TemporaryFile() as heard:
        mouth = os.dup(2)
        os.dup2(heard.fileno(), 2)
        for number in range(count):
            data = mutant(files, random.Random(f"{seed} {number}"))
            started, message = time.perf_counter(), os.fstat(heard.fileno()).st_size
            failures = ""
            try:
                tally[attempt(data)] += 1
            except BaseException as error:
                failures = f"{type(error).__name__}: {error}"
            seconds = time.perf_counter() - started
            slowest = max(slowest, seconds)
            if seconds > SECONDS:
                failures = f"{seconds:.1f} s"
            if os.fstat(heard.fileno()).st_size > message:
                heard.seek(message)
                failures = f"stderr: {heard.read()!r}"
            if failures:
                wrong.append({"number": number, "trouble": failures[:300], "data": data.hex()[:4000]})
        os.dup2(mouth, 2)
    return {**tally, "wrong": wrong, "slowest": round(slowest, 3), "megabytes": (peak() - before) >> 20}


def peak() -> int:
    """Return the peak memory of this process in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


if __name__ == "__main__":
    json.dump(main(int(sys.argv[1]), int(sys.argv[2])), sys.stdout, indent=1)
