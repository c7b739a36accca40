"""Reading of standard input, up to a limit."""

import sys
from io import BytesIO
from typing import BinaryIO

from convcli.errors import ConvcliError
from convcli.images.picture import ImageError
from convcli.memory import size_name

MAX_BYTES = 1 << 31  # the limit in bytes, if no other is given
BLOCK = 1 << 20


class EndlessError(ConvcliError):
    """A file has more bytes than the limit, or never ends."""


def standard_input(most: int | None = None) -> BytesIO:
    """Return the content of standard input; raise ImageError if it cannot be read, or has more than `most` bytes."""
    limit = MAX_BYTES if most is None else most
    try:
        return read_at_most(sys.stdin.buffer, limit)
    except EndlessError:
        hint = "name a file" if most is None else "raise it with `max_memory`, or name a file"
        raise ImageError(
            f"cannot read standard input: it is larger than the memory limit of {size_name(limit)}; {hint}"
        ) from None
    except OSError as error:
        raise ImageError(f"cannot read standard input: {error.strerror or error}") from error


def read_at_most(file: BinaryIO, most: int) -> BytesIO:
    """Return the rest of a file; raise EndlessError if it has more than `most` bytes."""
    data = BytesIO()
    while block := file.read(BLOCK):
        data.write(block)
        if data.tell() > most:
            raise EndlessError(f"there are more than {most:,} bytes to read")
    data.seek(0)
    return data
