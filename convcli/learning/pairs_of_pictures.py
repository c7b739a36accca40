"""Convert pictures from files to pairs to learn from: frame by frame, without alpha and transparent pixels."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcli.backend.convolution import conv
from convcli.backend.values import full_scale
from convcli.errors import ArgumentError
from convcli.images.formats import NUMBERS
from convcli.images.picture import Frame, Picture
from convcli.learning.learning_recipe import Recipe
from convcli.learning.picture_pairs import Pair, padding_between

Array = NDArray[Any]


def pairs_of_pictures(recipe: Recipe, before: Picture, after: Picture, names: tuple[str, str]) -> list[Pair]:
    """Return a pair for each frame of two pictures; raise ArgumentError if they do not match."""
    if len(before.frames) != len(after.frames):
        raise ArgumentError(
            f"{names[0]} has {len(before.frames):,} frame(s) and {names[1]} {len(after.frames):,}; choose one frame of "
            "each with `frame`"
        )
    return [_pair(recipe, *frames, names) for frames in zip(before.frames, after.frames, strict=True)]


def notes_on(before: Picture, after: Picture, names: tuple[str, str], *, linear: bool) -> list[str]:
    """Return notes about ignored alpha, and about weights that include a change of bit depth."""
    notes = [
        f"{name} has alpha, which is ignored, as are pixels that are not opaque"
        for name, picture in zip(names, (before, after), strict=True)
        if picture.frames[0].has_alpha and picture.format not in NUMBERS
    ]
    types = [picture.frames[0].pixels.dtype for picture in (before, after)]
    if not linear and types[0] != types[1] and all(dtype.kind in "iu" for dtype in types):
        notes.append(
            f"{names[0]} holds {types[0]} and {names[1]} {types[1]}: the weights include the change of scale, "
            f"{full_scale(types[1]) / full_scale(types[0]):g}"
        )
    return notes


def _pair(recipe: Recipe, before: Frame, after: Frame, names: tuple[str, str]) -> Pair:
    """Return two frames as an aligned pair."""
    mask = None
    if before.has_alpha or after.has_alpha:
        sizes = before.pixels.shape[:2], after.pixels.shape[:2]
        padding = padding_between(recipe.geometry, *sizes, names)
        ones = np.ones((1, 1, *recipe.geometry.kernel_size), np.uint8)
        hidden = conv(
            _hidden(before)[np.newaxis],
            ones,
            stride=recipe.geometry.stride,
            dilation=recipe.geometry.dilation,
            padding=padding,
            padding_mode=recipe.geometry.padding_mode or "zeros",  # hidden pixels extend into the border too
        )[0]
        mask = (hidden == 0) & ~_hidden(after)
    return recipe.pair(_colours(before), _colours(after), mask, names)


def _colours(frame: Frame) -> Array:
    return frame.pixels[..., :-1] if frame.has_alpha else frame.pixels


def _hidden(frame: Frame) -> Array:
    """Return a mask (H, W) of the pixels of a frame that are not opaque."""
    if not frame.has_alpha:
        return np.zeros(frame.pixels.shape[:2], bool)
    opacity = frame.pixels[..., -1]
    hidden: Array = opacity < full_scale(opacity.dtype)
    return hidden
