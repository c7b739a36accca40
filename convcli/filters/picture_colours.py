"""Convert a picture before it is filtered: to some of its channels, to grey, to another depth, or to linear light."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from convcli.errors import ArgumentError
from convcli.images.modes import SRGB
from convcli.kernels.change import MAX_SUM

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from convcli.filters.picture_depth import Depth
    from convcli.images.header import Header
    from convcli.images.picture import Frame, Picture

MAX_LEVEL = 2**31  # largest padding value for integer samples
_LIT = ("L", "LA", "RGB", "RGBA")  # the channels that can be decoded as sRGB


class Colours(NamedTuple):
    """The conversions of a picture before it is filtered.

    channels : names of the channels to keep; empty for all
    gray : whether to convert colours to grey
    linear : whether to filter sRGB samples in linear light
    depth : one of `picture_depth.DEPTHS`, the depth of the result; None keeps that of the picture
    """

    channels: tuple[str, ...] = ()
    gray: bool = False
    linear: bool = False
    depth: "Depth | None" = None

    @property
    def changes(self) -> bool:
        """Whether samples are converted before light is decoded."""
        return bool(self.channels or self.gray or self.depth in ("16", "float"))

    def rounded_to(self, dtype: "np.dtype[Any]") -> "np.dtype[Any] | None":
        """Return the dtype to which the results of pictures of a dtype are rounded; None if they are not."""
        if self.depth is None:
            return None
        from convcli.filters.picture_depth import rounded_to

        return rounded_to(self.depth, dtype)

    def converted(self, picture: "Picture", name: str) -> "Picture":
        """Return a picture with the requested channels and depth, or raise ImageError."""
        if self.depth:
            from convcli.filters.picture_depth import with_depth

            picture = with_depth(picture, self.depth, name)
        if self.channels:
            from convcli.images.channels import with_channels

            picture = with_channels(picture, self.channels, name)
        if self.gray:
            picture = _in_gray(picture, name)
        return _as_srgb(picture, name) if self.linear else picture

    def ahead(self, header: "Header", name: str) -> tuple["Picture", int]:
        """Return the result of `converted` for a header, with black pixels, and the bytes that it needs."""
        from convcli.memory import black_pixels

        read = header.black()
        if not (self.changes or self.linear or self.depth):
            return read, header.memory
        ones = (replace(frame, pixels=frame.pixels[:1, :1]) for frame in read.frames)
        picture = self.converted(replace(read, frames=tuple(ones)), name)
        frames = []
        for frame, before in zip(picture.frames, read.frames, strict=True):
            pixels = black_pixels((*before.pixels.shape[:2], *frame.pixels.shape[2:]), frame.pixels.dtype)
            frames.append(replace(frame, pixels=pixels))
        picture = replace(picture, frames=tuple(frames))
        converted = sum(frame.pixels.nbytes for frame in frames) if self.changes else 0
        return picture, max(header.memory, header.pixels + converted)

    def stored(self, picture: "Picture", name: str) -> "Picture":
        """Return the result of `converted` for a still picture with `StoredPixels`, converted block by block."""
        if not self.changes:
            return self.converted(picture, name)
        import numpy as np

        from convcli.images.stored_pixels import ChangedPixels

        (frame,) = picture.frames
        pixels: Any = frame.pixels

        def change(block: "NDArray[Any]") -> "NDArray[Any]":
            (made,) = self.converted(replace(picture, frames=(replace(frame, pixels=block),)), name).frames
            return made.pixels

        one = replace(frame, pixels=np.zeros((1, 1, *pixels.shape[2:]), pixels.dtype))
        picture = self.converted(replace(picture, frames=(one,)), name)
        (made,) = picture.frames
        stored: Any = ChangedPixels(pixels, change, made.pixels)
        return replace(picture, frames=(replace(made, pixels=stored),))

    def light(self, frame: "Frame") -> "Frame":
        """Return a frame in linear light, 0 to 1, if that is requested."""
        if not self.linear:
            return frame
        from convcli.backend.colour import to_light
        from convcli.images.modes import mode_name

        light = to_light(frame.pixels, frame.has_alpha)
        return replace(frame, pixels=light, mode=mode_name(frame.channels, light.dtype.name))

    def level(self, value: float, frame: "Frame") -> float:
        """Convert a sample value of a frame, such as the padding value, to the units that are filtered."""
        most = MAX_SUM if frame.pixels.dtype.kind == "f" else MAX_LEVEL
        if abs(value) > most:
            raise ArgumentError(
                f"`padding_value` must be within {most:.4g} for {frame.mode}, got {value:.4g}"
            )
        if not self.linear:
            return value
        import numpy as np

        from convcli.backend.colour import to_light

        highest = np.iinfo(frame.pixels.dtype).max
        if not (value == int(value) and 0 <= value <= highest):
            raise ArgumentError(
                f"with `linear`, `padding_value` must be a sample: a whole number from 0 to {highest}, got {value:g}"
            )
        return float(to_light(np.array([int(value)], frame.pixels.dtype))[0])


def _in_gray(picture: "Picture", name: str) -> "Picture":
    """Convert a picture to grey, with its alpha."""
    import numpy as np

    from convcli.backend.colour import luma
    from convcli.images.channels import recoloured
    from convcli.images.modes import mode_name
    from convcli.images.picture import ImageError

    frames = []
    for frame in picture.frames:
        if frame.channels not in _LIT:
            hint = (
                "use its lightness with `channels='l'`"
                if frame.channels == "LAB"
                else "convert it to RGB first"
            )
            raise ImageError(
                f"cannot convert {name}: `gray` needs red, green and blue, but it has {frame.mode}; {hint}"
            )
        if frame.channels.startswith("RGB"):
            pixels, channels = luma(frame.pixels[..., :3]), "L"
            if frame.has_alpha:
                pixels, channels = np.dstack([pixels, frame.pixels[..., 3]]), "LA"
            frame = replace(frame, pixels=pixels, mode=mode_name(channels, pixels.dtype.name))
        frames.append(frame)
    return recoloured(picture, frames)


def _as_srgb(picture: "Picture", name: str) -> "Picture":
    """Check that `light` can decode a picture; add a note if its colour profile may not be sRGB."""
    from convcli.images.channels import profile_name
    from convcli.images.picture import ImageError

    for frame in picture.frames:
        if frame.channels not in _LIT or frame.pixels.dtype.name not in SRGB:
            raise ImageError(
                f"cannot convert {name}: `linear` needs sRGB or grey of 8 or 16 bits, but it has {frame.mode}; "
                "leave `linear` out, or convert it first"
            )
    profile = profile_name(picture)
    if profile is None or "srgb" in profile.lower():
        return picture
    note = (
        f"`linear` decodes it as sRGB, but its colour profile is {profile or 'another one, without a name'}"
    )
    return replace(picture, notes=(*picture.notes, note))
