"""Prepare the metadata of a file to write, and report what it cannot store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from convcli.images.formats import NETPBM
from convcli.images.metadata.table import PLACES, kind_names
from convcli.images.metadata.words import listed
from convcli.images.picture import Picture

if TYPE_CHECKING:
    from convcli.images.metadata.entries import Directory

# The modules that write a kind or a format are imported when they are needed.

_LARGEST_BMP = 2**31 - 1  # pixels per metre
_METRE = 39.3701  # inches per metre


@dataclass
class FileMetadata:
    """The metadata of a file to write.

    settings : arguments of Pillow's `save`
    before, after : PNG chunks before and after the pixels
    pages : the tags of each TIFF page
    metadata : metadata by kind, from which `into` adds what Pillow cannot write
    notes : messages about metadata that is left out
    """

    settings: dict[str, Any] = field(default_factory=dict)
    before: bytes = b""
    after: bytes = b""
    pages: tuple[Directory, ...] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def into(self, data: bytes, form: str) -> bytes:
        """Add metadata that Pillow cannot write to a file that it has written."""
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
        if form in ("JPEG2000", "J2K") and self.metadata:
            from convcli.images.metadata import boxed_metadata

            if form == "J2K":
                return boxed_metadata.with_comment(data, self.metadata["comment"])
            return boxed_metadata.with_jpeg2000_boxes(data, self.metadata)
        return data


def file_metadata(picture: Picture, form: str, also_lost: Sequence[str] = ()) -> FileMetadata:
    """Return the metadata of a picture's file in a format; `also_lost` are further names to report as lost."""
    places = PLACES.get(form, {})  # text formats store none
    metadata = dict(picture.metadata)
    if "comment" in places and "text" in metadata and "text" not in places:
        from convcli.images.metadata.texts import without_comment

        metadata["comment"], metadata["text"] = without_comment(metadata["text"])
        metadata = {kind: value for kind, value in metadata.items() if value}
    kept = {kind: value for kind, value in metadata.items() if kind in places}
    missing = [kind for kind in metadata if kind not in places and not _is_square(kind, metadata[kind])]
    lost = kind_names(metadata, missing)
    if _is_grey(kept.get("icc")) and form in ("WEBP", "GIF"):
        del kept["icc"]
        lost.append("a grey ICC profile, as it stores grey as RGB,")
    if form != "TIFF" and any(frame.page not in (None, picture.metadata) for frame in picture.frames[1:]):
        lost.append("the metadata of its other pages")
    found = FileMetadata(metadata=kept)
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
        elif form in ("JPEG2000", "J2K"):
            from convcli.images.metadata.boxed_metadata import unfit_of_jpeg2000

            unfit = unfit_of_jpeg2000(kept)
        elif form == "JPEG":
            from convcli.images.metadata.segments import jpeg_settings

            has_header = picture.frames[0].channels != "CMYK"  # the JFIF header, which holds the density
            found.settings, unfit = jpeg_settings(kept, has_header=has_header)
        else:
            found.settings, unfit = _settings(form, kept)
    found.notes = _notes(form, [*lost, *unfit, *also_lost], picture.lost)
    return found


def _sized(metadata: dict[str, Any], width: int, height: int) -> dict[str, Any]:
    """Return metadata with its sizes, if any, set to those of the picture."""
    changed = dict(metadata)
    if "exif" in changed:
        from convcli.images.metadata.exif import sized_exif

        changed["exif"] = sized_exif(changed["exif"], width, height)
    if "xmp" in changed:
        from convcli.images.metadata.xmp import sized_xmp

        changed["xmp"] = sized_xmp(changed["xmp"], width, height)
    return changed


def _settings(form: str, metadata: Mapping[str, Any]) -> tuple[dict[str, Any], Sequence[str]]:
    """Return Pillow's `save` arguments for the simpler formats, and the names of metadata that cannot be stored."""
    if form in ("WEBP", "AVIF"):
        own = {"icc_profile": "icc", "xmp": "xmp", "exif": "exif"}
        settings = {name: metadata.get(kind, b"") for name, kind in own.items()}
        return settings | {"exif": settings["exif"].removeprefix(b"Exif\0\0")}, ()
    if form == "BMP" and "dpi" in metadata:
        if not all(0 < each * _METRE < _LARGEST_BMP for each in metadata["dpi"]):
            return {}, ["a resolution outside the range of BMP"]
        return {"dpi": metadata["dpi"]}, ()
    return ({"comment": metadata["comment"]} if form == "GIF" and "comment" in metadata else {}), ()


def _pages(picture: Picture, first: dict[str, Any]) -> tuple[tuple[Directory, ...], list[str]]:
    """Return the tags of each page, and the names of metadata that cannot be stored."""
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
    """Return whether the metadata only says that pixels are square, which is the default."""
    return kind == "aspect" and value[0] == value[1]


def _is_grey(profile: bytes | None) -> bool:
    return profile is not None and profile[16:20] == b"GRAY"
