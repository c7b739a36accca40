"""The letters of the font used in pictures."""

from functools import cache

from PIL import ImageFont


@cache
def _drawn(letter: str) -> bytes:
    return bytes(ImageFont.load_default(40).getmask(letter))


def unknown_letters(text: str) -> set[str]:
    """Return the letters of a text that the font cannot draw."""
    return {letter for letter in text if not letter.isspace() and _drawn(letter) == _drawn("\uffff")}
