"""Find pictures inside metadata: previews of what a picture showed before it was filtered."""

import re

# How files of pictures begin: JPEG, PNG, GIF, WebP, JPEG XL, JPEG 2000, HEIF and AVIF.
_STARTS = (
    rb"\xff\xd8\xff|\x89PNG\r\n\x1a\n|GIF8[79]a|RIFF....WEBP|\0\0\0\x0cJXL |\0\0\0\x0cjP  "
    rb"|ftyp(?:heic|heix|mif1|msf1|avif)"
)
# The same in base 64, as in XMP and in texts, and in hexadecimal digits.
_WRITTEN = rb"/9j/|iVBORw0KGgo|R0lGOD[dl]|UklGR[\w+/]{6}XRUJQ|data:image/|(?i:ffd8ff(?:e|db|c[04]|fe))"
_PICTURE = _STARTS + b"|" + _WRITTEN  # which re compiles when it is first needed, and keeps


def holds_picture(data: bytes) -> bool:
    """Whether bytes or text hold the start of a picture file, as it is, in base 64 or in hexadecimal digits."""
    return re.search(_PICTURE, data, re.DOTALL) is not None


def pictures(data: bytes) -> list[int]:
    """Return where in bytes or text pictures start."""
    return [found.start() for found in re.finditer(_PICTURE, data, re.DOTALL)]
