"""Standard input: read once, whole, and not without end."""

import sys
from io import BytesIO
from typing import BinaryIO

from convcli.errors import ConvcliError
from convcli.images.picture import ImageError
from convcli.memory import size_name

MOST = 1 << 31  # bytes, where no other limit is given
BLOCK = 1 << 20


class EndlessError(ConvcliError):
    """There is more to read than a limit allows."""


def standard_input(most: int | None = None) -> BytesIO:
    """Return all that standard input has; or raise ImageError where it cannot be read or has more bytes than `most`."""
    limit = MOST if most is None else most
    try:
        return read_at_most(sys.stdin.buffer, limit)
    except EndlessError:
        way = "name a file" if most is None else "raise it with `max_memory`, or name a file"
        raise ImageError(
            f"cannot read standard input: it is larger than the limit of {size_name(limit)} of memory; {way}"
        ) from None
    except OSError as error:
        raise ImageError(f"cannot read standard input: {error.strerror or error}") from error


def read_at_most(file: BinaryIO, most: int) -> BytesIO:
    """Return the rest of a file, or raise EndlessError where that is more than so many bytes."""
    data = BytesIO()
    while block := file.read(BLOCK):
        data.write(block)
        if data.tell() > most:
            raise EndlessError(f"there are more than {most:,} bytes to read")
    data.seek(0)
    return data
