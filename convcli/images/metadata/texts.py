"""Text chunks of PNG files: plain, compressed, Unicode, and ImageMagick's raw profiles.

PNG, third edition, 11.3.3.
"""

from __future__ import annotations

import re
import zlib
from contextlib import suppress

from convcli.images.metadata.table import Chunk

TEXTS = {b"tEXt", b"zTXt", b"iTXt"}
XMP_TEXT, COMMENT_TEXT, PROFILE_TEXT = b"XML:com.adobe.xmp", b"Comment", b"Raw profile type "

MAX_INFLATED = 1 << 26  # total bytes of a file's decompressed texts


class Inflater:
    """Decompress the data of a file, up to a limit for the total size."""

    def __init__(self) -> None:
        self._left = MAX_INFLATED

    def __call__(self, data: bytes) -> bytes | None:
        """Return the decompressed data; None if it is damaged or too long."""
        machine = zlib.decompressobj()
        with suppress(zlib.error):
            found = machine.decompress(data, max(self._left, 0) + 1)
            self._left -= len(found)
            if machine.eof and self._left >= 0:
                return found
        return None


def text_of(chunk: Chunk, inflate: Inflater) -> tuple[bytes, bytes | None]:
    """Return the keyword and the encoded text of a chunk; None as text if it cannot be decompressed."""
    key, _, rest = chunk.data.partition(b"\0")
    if chunk.kind == b"tEXt":
        return key, rest
    if chunk.kind == b"zTXt":
        return key, inflate(rest[1:])
    text = rest[2:].partition(b"\0")[2].partition(b"\0")[2]  # after the language and the translated keyword
    return key, inflate(text) if rest[:1] == b"\1" else text


def profile_in(text: bytes | None) -> bytes | None:
    """Return the bytes of a raw profile: a line with its name, one with its length, and hexadecimal digits."""
    digits = b"".join((text or b"").split(b"\n")[3:])
    try:
        return bytes.fromhex(digits.decode("ascii"))
    except ValueError:
        return None


def profile_text(name: bytes, data: bytes) -> Chunk:
    """Return a compressed text chunk that holds a raw profile."""
    lines = re.sub(rb"(.{72})", rb"\1\n", data.hex().encode())
    text = b"\n%s\n%8d\n%s\n" % (name, len(data), lines)
    return Chunk(b"zTXt", PROFILE_TEXT + name + b"\0\0" + zlib.compress(text))


def unicode_text(key: bytes, text: bytes) -> list[Chunk]:
    """Return a Unicode text chunk in a list; an empty list if the text is not UTF-8."""
    try:
        text.decode("utf-8")
    except UnicodeDecodeError:
        return []
    return [Chunk(b"iTXt", key + b"\0\0\0\0\0" + text)]


def comment_text(comment: bytes) -> Chunk:
    """Return a comment as a text chunk: a Unicode one if it is UTF-8 beyond ASCII."""
    comment = comment.replace(b"\0", b" ")
    found = [] if comment.isascii() else unicode_text(COMMENT_TEXT, comment)
    return found[0] if found else Chunk(b"tEXt", COMMENT_TEXT + b"\0" + comment)


def without_comment(texts: tuple[Chunk, ...]) -> tuple[bytes, tuple[Chunk, ...]]:
    """Return the comment among text chunks, empty if there is none, and the other chunks."""
    for place, chunk in enumerate(texts):
        if chunk.data.startswith(COMMENT_TEXT + b"\0"):
            return text_of(chunk, Inflater())[1] or b"", texts[:place] + texts[place + 1 :]
    return b"", texts
