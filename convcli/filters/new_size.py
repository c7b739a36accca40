"""Read the size to resize a picture to: 800x600, 800x, x600, 50%, 0.5 or 1/3."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from convcli.errors import ArgumentError, cut

if TYPE_CHECKING:
    from fractions import Fraction

EXAMPLES = (
    "write WIDTHxHEIGHT in pixels as 800x600, 800x or x600 to keep the shape, or a factor as 50%, 0.5 or 1/3"
)
MAX_TIMES = 8  # the largest whole number that may be meant as a factor; above it, it is a percentage
# ImageMagick's sizes, and those with another sign (\u00d7 is the multiplication sign) between the numbers.
_ELSEWHERE = re.compile("([0-9]{1,9})(?:[xX*,:\u00d7]| by )([0-9]{1,9})?([!<>^]?)|([0-9]{1,9})@")
_FLAGS = {
    "!": "",
    "^": ": the larger of the two",
    ">": ", but may enlarge a picture",
    "<": ", but may reduce a picture",
}
_PIXELS = re.compile(r"(?P<width>[0-9]{0,9})x(?P<height>[0-9]{0,9})")
_FACTOR = re.compile(r"[0-9]{1,9}(\.[0-9]{0,15})?|\.[0-9]{1,15}")
_RATIO = re.compile(r"[0-9]{1,9}/[0-9]{1,9}")


class NewSize(NamedTuple):
    """A new size: width and height in pixels, of which one may be None to keep the aspect ratio, or a factor."""

    width: int | None = None
    height: int | None = None
    factor: Fraction | None = None

    @property
    def pixels(self) -> tuple[int, int] | None:
        """The width and the height if both are given, otherwise None."""
        return None if self.width is None or self.height is None else (self.width, self.height)

    def of(self, rows: int, columns: int) -> tuple[int, int]:
        """Return the new rows and columns of a picture, at least 1; halves are rounded up.

        >>> read_new_size("50%").of(5, 8), read_new_size("4x").of(5, 8), read_new_size("x600").of(5, 8)
        ((3, 4), (3, 4), (600, 960))
        """
        if self.factor is not None:
            return _rounded(rows * self.factor), _rounded(columns * self.factor)
        if self.height is not None and self.width is not None:
            return self.height, self.width
        from fractions import Fraction

        if self.width is not None:
            return _rounded(Fraction(rows * self.width, columns)), self.width
        assert self.height is not None
        return self.height, _rounded(Fraction(columns * self.height, rows))


def _rounded(length: Fraction) -> int:
    return max(1, (2 * length.numerator + length.denominator) // (2 * length.denominator))


def _meant(text: str) -> str:
    """Return how to write a whole number as a factor or a width; a large one as a factor is a percentage."""
    number = int(text)
    factor, percent = f"{number}.0", f"{100 * number}%"
    if number > MAX_TIMES:
        whole, hundredths = divmod(number, 100)
        factor, percent = f"{whole}.{f'{hundredths:02}'.rstrip('0') or '0'}", f"{number}%"
    return f"write {percent} or {factor} to resize by a factor, or {number}x for the width"


def _instead_of(text: str) -> str:
    """Return how to write a size of ImageMagick, or with another sign between its numbers; empty if it is none.

    >>> _instead_of("320x240!"), _instead_of("320,240")
    ('write 320x240, to which the picture is stretched', 'did you mean 320x240?')
    """
    found = _ELSEWHERE.fullmatch(text)
    if found is None:
        return ""
    width, height, flag, area = found.groups()
    if area is not None:
        return "write a factor, such as 50%, to change the area; it is the same along both axes"
    size = f"{width}x{height or ''}"
    if not flag:
        return f"did you mean {size}?" if size != text else ""
    if flag == "!" and height:
        return f"write {size}, to which the picture is stretched"
    sides = f"{width}x or x{height}" if height else size
    return f"write {sides}, which keeps the shape{_FLAGS[flag]}"


def read_new_size(value: Any) -> NewSize:
    """Read a size or a factor: a string, (width, height), or a float."""
    from fractions import Fraction

    refused = ArgumentError(f"{cut(repr(value), 80)} is not a size; {EXAMPLES}")
    if isinstance(value, tuple | list) and len(value) == 2:
        value = "x".join(str(each) if hasattr(each, "__index__") else "?" for each in value)
    text = repr(float(value)) if isinstance(value, float) else value
    if not isinstance(text, str):
        raise refused
    if (pixels := _PIXELS.fullmatch(text)) is not None:
        width, height = (int(word) if word else None for word in pixels.groups())
        if 0 in (width, height) or width is height is None:
            raise refused
        return NewSize(width, height)
    if text.isascii() and text.isdigit() and len(text) < 10 and int(text):
        raise ArgumentError(f"{text!r} may be a factor or a width; {_meant(text)}")
    number, percent = text.removesuffix("%"), text.endswith("%")
    if _FACTOR.fullmatch(number) or (not percent and _RATIO.fullmatch(number) and not number.endswith("/0")):
        factor = Fraction(number) / (100 if percent else 1)
        if factor > 0:
            return NewSize(factor=factor)
    if way := _instead_of(text):
        raise ArgumentError(f"{cut(repr(value), 80)} is not a size here; {way}")
    raise refused
