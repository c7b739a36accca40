"""Read and write comments in the headers of Netpbm files: lines that begin with #."""

import re

from convcli.images.metadata.embedded import holds_picture
from convcli.images.metadata.found import Found

_LINE = re.compile(rb"#[ \t]?([^\r\n]*)")


def netpbm_metadata(header: bytes) -> Found:
    """Return the comments in the header of a file."""
    found = Found()
    comment = b"\n".join(_LINE.findall(header))
    if holds_picture(comment):
        found.lose(["a comment that holds a picture"])
    else:
        found.add("comment", comment)
    return found


def with_comment(data: bytes, comment: bytes) -> bytes:
    """Return a file with a comment added after the first line of its header."""
    lines = b"".join(b"# " + line + b"\n" for line in re.split(rb"[\r\n]+", comment))
    return data[:3] + lines + data[3:]
