"""What a written file holds beside its pixels, and what is said of the rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from convcli.images.formats import NETPBM
from convcli.images.metadata.table import PLACES, said
from convcli.images.metadata.words import listed
from convcli.images.picture import Picture

if TYPE_CHECKING:
    from convcli.images.metadata.entries import Directory

# What writes a kind or a format is loaded where there is some of it.

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
            from convcli.images.metadata.segments import with_aspect

            return with_aspect(data, self.metadata["aspect"])
        if form == "GIF" and not {"icc", "xmp"}.isdisjoint(self.metadata):
            from convcli.images.metadata.blocks import with_extensions

            return with_extensions(data, self.metadata)
        if form in NETPBM and "comment" in self.metadata:
            from convcli.images.metadata.lines import with_comment

            return with_comment(data, self.metadata["comment"])
        return data


def beside(picture: Picture, form: str, also_lost: Sequence[str] = ()) -> Beside:
    """Return what a picture's file in a format will hold beside the pixels; `also_lost` is said with the rest."""
    places = PLACES.get(form, {})  # text has none
    metadata = dict(picture.metadata)
    if "comment" in places and "text" in metadata and "text" not in places:
        from convcli.images.metadata.texts import without_comment

        metadata["comment"], metadata["text"] = without_comment(metadata["text"])
        metadata = {kind: value for kind, value in metadata.items() if value}
    kept = {kind: value for kind, value in metadata.items() if kind in places}
    missing = [kind for kind in metadata if kind not in places and not _is_square(kind, metadata[kind])]
    lost = said(metadata, missing)
    if _is_grey(kept.get("icc")) and form in ("WEBP", "GIF"):
        del kept["icc"]
        lost.append("a profile of grey, which it writes as colours,")
    if form != "TIFF" and any(frame.page not in (None, picture.metadata) for frame in picture.frames[1:]):
        lost.append("what its other pages say")
    found = Beside(metadata=kept)
    unfit: Sequence[str] = ()
    if form == "TIFF":
        found.pages, unfit = _pages(picture, kept)
    else:
        height, width = picture.frames[0].pixels.shape[:2]
        found.metadata = kept = _sized(kept, width, height)
        if not kept:
            pass
        elif form == "PNG":
            from convcli.images.metadata.chunks import png_chunks

            frame = picture.frames[0]
            found.before, found.after, unfit = png_chunks(kept, frame.channels, 8 * frame.pixels.itemsize)
        elif form == "JPEG":
            from convcli.images.metadata.segments import jpeg_settings

            has_header = picture.frames[0].channels != "CMYK"  # where a density stands
            found.settings, unfit = jpeg_settings(kept, has_header=has_header)
        else:
            found.settings, unfit = _settings(form, kept)
    found.notes = _notes(form, [*lost, *unfit, *also_lost], picture.lost)
    return found


def _sized(metadata: dict[str, Any], width: int, height: int) -> dict[str, Any]:
    """Return metadata whose sizes, where they have any, are those of the picture."""
    changed = dict(metadata)
    if "exif" in changed:
        from convcli.images.metadata.exif import sized_exif

        changed["exif"] = sized_exif(changed["exif"], width, height)
    if "xmp" in changed:
        from convcli.images.metadata.xmp import sized_xmp

        changed["xmp"] = sized_xmp(changed["xmp"], width, height)
    return changed


def _settings(form: str, metadata: Mapping[str, Any]) -> tuple[dict[str, Any], Sequence[str]]:
    """Return what Pillow is to be told of the simpler formats, and the names of what does not fit."""
    if form == "WEBP":
        own = {"icc_profile": "icc", "xmp": "xmp", "exif": "exif"}
        settings = {name: metadata.get(kind, b"") for name, kind in own.items()}
        return settings | {"exif": settings["exif"].removeprefix(b"Exif\0\0")}, ()
    if form == "BMP" and "dpi" in metadata:
        if not all(0 < each * _METRE < _LARGEST_BMP for each in metadata["dpi"]):
            return {}, ["a resolution beyond that of BMP"]
        return {"dpi": metadata["dpi"]}, ()
    return ({"comment": metadata["comment"]} if form == "GIF" and "comment" in metadata else {}), ()


def _pages(picture: Picture, first: dict[str, Any]) -> tuple[tuple[Directory, ...], list[str]]:
    """Return the tags of each page, and the names of what does not fit."""
    pages: list[Directory] = []
    lost: dict[str, None] = {}
    for number, frame in enumerate(picture.frames):
        own = frame.page if number and frame.page is not None else first
        if not own:
            pages.append({})
            continue
        from convcli.images.metadata.tags import page_tags

        height, width = frame.pixels.shape[:2]
        tags, unfit = page_tags(_sized(own, width, height))
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
