"""Which files are matrices in text: those of an ending, numbers that were typed, streams that begin as numbers do."""

import os
import re
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from convcli.images.formats import TEXT_ENDINGS

SEEN = 512  # bytes that are looked at
_NUMBERS = re.compile(rb"(?:\xef\xbb\xbf)?(?:\s|#.*\n)*[-+.\d\[]")  # how a text begins, and no picture
_TYPED = re.compile(r"[-+\d\s.,eE/]*\d[-+\d\s.,eE/]*")  # numbers alone
_PICTURE = re.compile(rb"[\x80-\xff](?!\xbb\xbf)|GIF8|RIFF|BM|II\*|MM\x00|P[1-7fF]\s")


TYPED = "the values"  # what messages call numbers that were typed


class TypedMatrix(BytesIO):
    """Numbers that were typed instead of a file's name: rows between semicolons."""

    def __init__(self, data: bytes = b"", shown: str = TYPED) -> None:
        super().__init__(data)
        self.shown = shown  # what messages call it

    @classmethod
    def of(cls, text: str, shown: str = TYPED) -> "TypedMatrix":
        """Return what was typed."""
        return cls(text.encode("utf-8", "surrogateescape"), shown)


def typed_or_file(text: str, shown: str) -> TypedMatrix | Path:
    """Return rows of numbers that were typed, where no file is called so; or the path of a file.

    >>> typed_or_file("4 5; 7 8", "it").getvalue(), str(typed_or_file("eye.png", "it"))
    (b'4 5; 7 8', 'eye.png')
    """
    if (";" in text or _TYPED.fullmatch(text)) and not os.path.lexists(text):
        return TypedMatrix.of(text, shown)
    return Path(text)


def text_form(name: str, file: BinaryIO) -> str | None:
    """Return which format of text a file is in, None where it is a picture; the file is then at its start."""
    if isinstance(file, TypedMatrix):
        return "TXT"
    file.seek(0)
    start = file.read(SEEN)
    file.seek(0)
    form = next((form for ending, form in TEXT_ENDINGS.items() if name.lower().endswith(ending)), None)
    if form is not None:
        return None if _PICTURE.match(start) else form
    if name == "standard input" and _NUMBERS.match(start):
        return "JSON" if start.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"[") else "TXT"
    return None
