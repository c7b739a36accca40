"""What a written file holds beside its pixels, and what is said of the rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from convcli.images.formats import NETPBM
from convcli.images.metadata.blocks import with_extensions
from convcli.images.metadata.chunks import png_chunks
from convcli.images.metadata.directories import Directory
from convcli.images.metadata.exif import HEADER, sized_exif
from convcli.images.metadata.lines import with_lines
from convcli.images.metadata.segments import jpeg_settings, with_aspect
from convcli.images.metadata.table import PLACES, said
from convcli.images.metadata.tags import page_tags
from convcli.images.metadata.texts import comment_in
from convcli.images.metadata.words import listed
from convcli.images.metadata.xmp import sized_xmp
from convcli.images.picture import Picture

_LARGEST_BMP = 2**31 - 1  # pixels a metre
_METRE = 39.3701  # inches


@dataclass
class Beside:
    """What stands beside the pixels of a file.

    settings : for Pillow's `save`
    before, after : the chunks of a PNG, before and after its pixels
    pages : the tags of each page of a TIFF
    metadata : what is put into the file afterwards, by kind
    notes : what is left out
    """

    settings: dict[str, Any] = field(default_factory=dict)
    before: bytes = b""
    after: bytes = b""
    pages: tuple[Directory, ...] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def into(self, data: bytes, form: str) -> bytes:
        """Put what Pillow does not write into a file that it has written."""
        if form == "PNG" and (self.before or self.after):
            return b"".join((data[:33], self.before, data[33:-12], self.after, data[-12:]))
        if form == "JPEG" and "aspect" in self.metadata:
            return with_aspect(data, self.metadata["aspect"])
        if form == "GIF":
            return with_extensions(data, self.metadata)
        return with_lines(data, self.metadata) if form in NETPBM else data


def beside(picture: Picture, form: str, also_lost: Sequence[str] = ()) -> Beside:
    """Return what a picture's file in a format will hold beside the pixels; `also_lost` is said with the rest."""
    height, width = picture.frames[0].pixels.shape[:2]
    places = PLACES[form]
    metadata = dict(picture.metadata)
    if "comment" in places and "text" not in places and "comment" not in metadata:
        metadata |= {"comment": comment} if (comment := comment_in(metadata.get("text", ()))) else {}
    kept = {kind: value for kind, value in metadata.items() if kind in places}
    missing = [kind for kind in metadata if kind not in places and not _is_square(kind, metadata[kind])]
    lost = said(metadata, missing)
    found = Beside(metadata=kept)
    if "exif" in kept and form != "TIFF":
        kept["exif"] = sized_exif(kept["exif"], width, height)
    if "xmp" in kept:
        kept["xmp"] = sized_xmp(kept["xmp"], width, height)
    if _is_grey(kept.get("icc")) and form in ("WEBP", "GIF"):
        del kept["icc"]
        lost.append("a profile of grey, which it writes as colours,")
    unfit: Sequence[str] = ()
    if form == "PNG":
        frame = picture.frames[0]
        depth = 8 * frame.pixels.itemsize
        found.before, found.after, unfit = png_chunks(kept, frame.channels, depth)
    elif form == "JPEG":
        found.settings, unfit = jpeg_settings(kept)
    elif form == "TIFF":
        found.pages, unfit = _pages(picture, kept)
    elif form == "WEBP":
        found.settings = {"icc_profile": kept.get("icc", b""), "xmp": kept.get("xmp", b"")}
        found.settings["exif"] = kept.get("exif", b"").removeprefix(HEADER)
    elif form == "GIF":
        found.settings = {"comment": kept["comment"]} if "comment" in kept else {}
    elif form == "BMP" and "dpi" in kept:
        if all(0 < each * _METRE < _LARGEST_BMP for each in kept["dpi"]):
            found.settings = {"dpi": kept["dpi"]}
        else:
            unfit = ["a resolution beyond that of BMP"]
    if form != "TIFF" and any(frame.page not in (None, picture.metadata) for frame in picture.frames[1:]):
        lost.append("what its other pages say")
    found.notes = _notes(form, [*lost, *unfit, *also_lost], picture.lost)
    return found


def _pages(picture: Picture, first: Mapping[str, Any]) -> tuple[tuple[Directory, ...], list[str]]:
    pages: list[Directory] = []
    lost: dict[str, None] = {}
    for number, frame in enumerate(picture.frames):
        height, width = frame.pixels.shape[:2]
        own = frame.page if number and frame.page is not None else first
        tags, unfit = page_tags(own, width, height)
        pages.append(tags)
        lost |= dict.fromkeys(unfit)
    return tuple(pages), list(lost)


def _notes(form: str, lost: Sequence[str], left: Sequence[str]) -> tuple[str, ...]:
    notes = [f"{form} does not carry {listed(lost)}"] if lost else []
    if left:
        notes.append(f"left out: {', '.join(left)}")
    return tuple(notes)


def _is_square(kind: str, value: Any) -> bool:
    """Whether all that is said is that pixels are square, as they are where nothing is said."""
    return kind == "aspect" and value[0] == value[1]


def _is_grey(profile: bytes | None) -> bool:
    return profile is not None and profile[16:20] == b"GRAY"
