"""Choose channels of a picture, and adapt its mode and colour profile to them."""

from collections.abc import Sequence
from dataclasses import replace
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcli.errors import instead_of
from convcli.images.modes import CHANNELS, LABS, channels_of, is_counted, mode_name
from convcli.images.picture import Frame, ImageError, Picture

# Colour spaces of ICC profiles: ICC.1:2022, 7.2.6.
_SPACES = {b"GRAY": "L", b"RGB ": "RGB", b"CMYK": "CMYK", b"Lab ": "LAB"}


def channel_names(mode: str) -> tuple[str, ...]:
    """Return the names of a mode's channels: letters for colours and alpha, otherwise numbers from 0.

    >>> channel_names("RGBA"), channel_names("I;16"), channel_names("3 channels")
    (('r', 'g', 'b', 'a'), ('l',), ('0', '1', '2'))
    """
    channels = channels_of(mode)
    if channels in CHANNELS:
        return tuple(channels.removeprefix("ICC").lower())
    return tuple(map(str, range(int(channels.split()[0]))))


def with_channels(picture: Picture, wanted: Sequence[str], name: str) -> Picture:
    """Return a picture with the given channels in the given order, or raise ImageError; `name` is its name in errors.

    One channel makes a grey picture, and three channels of RGB or without names make an RGB picture. Alpha in the last
    place stays alpha, but alpha alone becomes grey. Any other choice has channels without colours, which are only
    counted.
    """
    return recoloured(picture, [_chosen(frame, tuple(wanted), name) for frame in picture.frames])


def recoloured(picture: Picture, frames: Sequence[Frame]) -> Picture:
    """Return a picture with new frames; colour profiles that do not apply to their channels are removed."""
    changed, lost = list(frames), ""
    metadata = picture.metadata
    for number, frame in enumerate(frames):
        own = metadata if number == 0 or frame.page is None else frame.page
        was = picture.frames[min(number, len(picture.frames) - 1)]
        if "icc" not in own or _is_of(own["icc"], was, frame):
            continue
        lost = lost or frame.channels.removesuffix("A")
        own = {kind: value for kind, value in own.items() if kind != "icc"}
        if number == 0:
            metadata = own
        elif frame.page is not None:
            changed[number] = replace(frame, page=own)
    note = f"the colour profile is left out: it does not apply to the remaining channels, {lost}"
    notes = (*picture.notes, note) if lost else picture.notes
    return replace(picture, frames=tuple(changed), metadata=metadata, notes=notes)


def without_profile(picture: Picture) -> Picture:
    """Return a picture without its colour profile, which does not apply to the new colours."""

    def left(own: dict[str, Any]) -> dict[str, Any]:
        return {kind: value for kind, value in own.items() if kind != "icc"}

    pages = [None if frame.page is None else left(frame.page) for frame in picture.frames]
    frames = tuple(replace(frame, page=page) for frame, page in zip(picture.frames, pages, strict=True))
    return replace(picture, frames=frames, metadata=left(picture.metadata))


def _is_of(profile: bytes, was: Frame, frame: Frame) -> bool:
    """Return whether the profile of a frame still applies to its new channels."""
    now = frame.channels.removesuffix("A")
    return now in (was.channels.removesuffix("A"), _SPACES.get(profile[16:20]))


def profile_name(picture: Picture) -> str | None:
    """Return the description in the colour profile of a picture; None if it has no profile."""
    from PIL import ImageCms

    if "icc" not in picture.metadata:
        return None
    try:
        return ImageCms.getProfileDescription(
            ImageCms.getOpenProfile(BytesIO(picture.metadata["icc"]))
        ).strip()
    except (OSError, ImageCms.PyCMSError):
        return "damaged"


def _chosen(frame: Frame, wanted: tuple[str, ...], name: str) -> Frame:
    known = channel_names(frame.mode)
    for each in wanted:
        if each not in known:
            hint = f"use {known[0]} to {known[-1]}" if is_counted(frame.mode) else instead_of(each, known)
            raise ImageError(f"cannot filter {name}: there is no channel {each!r} in {frame.mode}; {hint}")
    if wanted == known:
        return frame
    places = [known.index(each) for each in wanted]
    planes = frame.pixels.reshape(*frame.pixels.shape[:2], -1)
    pixels = np.ascontiguousarray(planes[..., places])
    if frame.zero is not None:
        pixels = _signed(pixels, [frame.zero[place] for place in places])
    has_alpha = frame.has_alpha and wanted[-1] == "a" and len(wanted) > 1
    colours = len(wanted) - has_alpha
    of_light = frame.channels not in ("CMYK", *LABS)
    channels = {1: "L", 3: "RGB" if of_light else ""}.get(colours) or f"{len(wanted)} channels"
    if channels in CHANNELS and has_alpha:
        channels += "A"
    if channels == "L":
        pixels = pixels[..., 0]
    return replace(frame, pixels=pixels, mode=mode_name(channels, pixels.dtype.name))


def _signed(pixels: NDArray[Any], zero: Sequence[int]) -> NDArray[Any]:
    """Subtract `zero` from integers (H, W, C) and return them as a signed dtype; unchanged if all zeros are 0."""
    if not any(zero):
        return pixels
    bits = 8 * pixels.dtype.itemsize * (1 if all(zero) else 2)
    return (pixels.astype(np.int64) - zero).astype(f"int{bits}")
