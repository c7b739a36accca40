"""Find pictures inside metadata, such as previews of the unfiltered picture."""

import re

# Signatures of picture files: JPEG, PNG, GIF, WebP, JPEG XL, JPEG 2000, HEIF and AVIF.
_STARTS = (
    rb"\xff\xd8\xff|\x89PNG\r\n\x1a\n|GIF8[79]a|RIFF....WEBP|\0\0\0\x0cJXL |\0\0\0\x0cjP  "
    rb"|ftyp(?:heic|heix|mif1|msf1|avif)"
)
# The same signatures in base64, as in XMP and PNG text, and in hexadecimal digits.
_WRITTEN = rb"/9j/|iVBORw0KGgo|R0lGOD[dl]|UklGR[\w+/]{6}XRUJQ|data:image/|(?i:ffd8ff(?:e|db|c[04]|fe))"
_PICTURE = _STARTS + b"|" + _WRITTEN  # re compiles it at its first use and caches it


def holds_picture(data: bytes) -> bool:
    """Return whether bytes or text contain the start of a picture file, raw, in base64 or in hexadecimal digits."""
    return re.search(_PICTURE, data, re.DOTALL) is not None


def pictures(data: bytes) -> list[int]:
    """Return the offsets at which pictures start in bytes or text."""
    return [found.start() for found in re.finditer(_PICTURE, data, re.DOTALL)]
