"""Detect matrices in text: by file extension, as typed numbers, or from the start of a stream."""

import os
import re
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from convcli.images.formats import TEXT_ENDINGS
from convcli.remote_files import file_path

SEEN = 512  # bytes that are inspected
_NUMBERS = re.compile(rb"(?:\xef\xbb\xbf)?(?:\s|#.*\n)*(?:[-+.\d\[]|nan\b)")  # the start of a text matrix
_TYPED = re.compile(r"[-+\d\s.,eE/]*\d[-+\d\s.,eE/]*")  # only numbers
_PICTURE = re.compile(rb"[\x80-\xff](?!\xbb\xbf)|GIF8|RIFF|BM|II\*|MM\x00|P[1-7fF]\s")


TYPED = "the values"  # name of typed numbers in messages


class TypedMatrix(BytesIO):
    """Numbers typed in place of a file name: rows separated by semicolons."""

    def __init__(self, data: bytes = b"", shown: str = TYPED) -> None:
        super().__init__(data)
        self.shown = shown  # its name in messages

    @classmethod
    def of(cls, text: str, shown: str = TYPED) -> "TypedMatrix":
        """Return typed text as a matrix."""
        return cls(text.encode("utf-8", "surrogateescape"), shown)


def typed_or_file(text: str, shown: str) -> TypedMatrix | Path:
    """Return typed rows of numbers, unless a file has that name; otherwise the path of a file.

    >>> typed_or_file("4 5; 7 8", "it").getvalue(), str(typed_or_file("eye.png", "it"))
    (b'4 5; 7 8', 'eye.png')
    """
    if (";" in text or _TYPED.fullmatch(text)) and not os.path.lexists(text):
        return TypedMatrix.of(text, shown)
    return file_path(text)


def text_form(name: str, file: BinaryIO) -> str | None:
    """Return the text format of a file, None if it is a picture; the file is left at its start."""
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
