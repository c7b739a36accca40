"""Kernels as OpenCV, SciPy, ImageMagick and ffmpeg write them, and the spelling that means the same here."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from convcli.kernels.foreign_arguments import (
    GEOMETRY,
    SIZE,
    arguments_here,
    arguments_of_geometry,
    rule_of_geometry,
)
from convcli.kernels.named import KERNELS, arguments_of

# Names that other programs use for some of the kernels.
OTHER_NAMES = {
    **dict.fromkeys(("blur", "smooth"), ("gaussian", "box")),
    **dict.fromkeys(("gaussianblur", "gaussian-blur", "gaussian-filter", "gauss", "gblur"), ("gaussian",)),
    **dict.fromkeys(
        ("average", "mean", "avg", "boxblur", "box-blur", "boxfilter", "box-filter", "avgblur"), ("box",)
    ),
    **dict.fromkeys(("uniform-filter", "ones"), ("box",)),
    "square": ("box",),
    **dict.fromkeys(("bokeh", "lens-blur", "octagon", "diamond"), ("disk",)),
    **dict.fromkeys(("edges", "edge-detect", "edge-detection"), ("sobel", "laplacian")),
    **dict.fromkeys(("unsharp-mask", "unsharpmask", "usm"), ("unsharp",)),
    **dict.fromkeys(("laplace", "laplacian-filter"), ("laplacian",)),
    **dict.fromkeys(("gaussian-laplace", "laplacian-of-gaussian"), ("log",)),
    **dict.fromkeys(("difference-of-gaussians", "differenceofgaussians"), ("dog",)),
    **dict.fromkeys(("motion-blur", "motionblur"), ("motion",)),
    "none": ("identity",),
}

# Filters that are not convolutions: why, and what is similar here.
_MAXIMUM = "`pool='max:3,stride=1,padding=1'` takes the maximum of each window"
NOT_CONVOLUTIONS = {
    **dict.fromkeys(
        ("median", "medianblur", "median-filter", "medfilt", "rank-filter"),
        "it sorts the pixels of a window; use 'gaussian' or 'box' to smooth, or "
        "`pool='avg:3,stride=1,padding=1'`",
    ),
    **dict.fromkeys(
        (
            "bilateral",
            "bilateral-filter",
            "bilateralfilter",
            "nlmeans",
            "non-local-means",
            "guided",
            "denoise",
        ),
        "its weights depend on the pixels; use 'gaussian' to smooth",
    ),
    "canny": "it follows edges after a threshold; use 'gaussian:1; sobel' for the gradient that it starts from",
    **dict.fromkeys(("dilate", "dilation", "maximum-filter"), f"it takes maxima; {_MAXIMUM}"),
    **dict.fromkeys(
        ("erode", "erosion", "minimum-filter"), f"it takes minima, which no option does; {_MAXIMUM}"
    ),
    **dict.fromkeys(
        ("morphology", "opening", "closing", "tophat"), f"it takes minima and maxima; {_MAXIMUM}"
    ),
    **dict.fromkeys(
        ("threshold", "equalize", "clahe", "gamma"),
        "it changes each pixel by itself; to rescale the values use 'identity' with `value_range='minmax'`",
    ),
}

_ALONG = {"1,0": "-x", "x": "-x", "dx=1,dy=0": "-x", "dx=1": "-x"} | {
    "0,1": "-y",
    "y": "-y",
    "dx=0,dy=1": "-y",
    "dy=1": "-y",
}

_CALL = re.compile(
    r"(?:[A-Za-z_]\w*\.)*(?P<name>[A-Za-z][\w-]*)\s*(?P<sign>[:=(,\s]|$)\s*(?P<rest>.*?)\)?\s*", re.DOTALL
)
MAX_READ = 1000  # characters of a kernel in another spelling


class Suggestion(NamedTuple):
    """A kernel as it is written here, and the rule that the other spelling breaks."""

    spec: str
    rule: str


def spellings(text: str) -> Iterator[Suggestion]:
    """Yield what may be meant by a kernel that is written as in another program, the likeliest first.

    The caller checks whether the suggestion is a kernel.

    >>> [each.spec for each in spellings("cv2.GaussianBlur(2)")], [each.spec for each in spellings("3x3")]
    (['gaussian:sigma=2', 'gaussian'], ['box:3x3'])
    """
    text = text.strip()
    if len(text) > MAX_READ:
        return
    yield from _lists(text)
    yield from _calls(text)
    if SIZE.fullmatch(text):
        yield Suggestion(f"box:{text}", "a size without weights is not a kernel")
    if re.search(r"\s/\s|\n", text):
        yield Suggestion(re.sub(r"\s+/\s+|\s*\n\s*", "; ", text), "rows are separated by ';'")


def kernel_for_name(name: str) -> str | None:
    """Return the kernel that a name of another program stands for; None if it stands for none.

    >>> kernel_for_name("GaussianBlur"), kernel_for_name("Sobel_X"), kernel_for_name("frob")
    ('gaussian', 'sobel-x', None)
    """
    known = name.lower().replace("_", "-")
    return known if known in KERNELS else next(iter(OTHER_NAMES.get(known, ())), None)


def _lists(text: str) -> Iterator[Suggestion]:
    """Yield a list of names, which may be separated by commas, spaces, | or +."""
    names = [kernel_for_name(word) for word in re.split(r"\s*(?:[,|+&]|->)\s*|\s+", text)]
    if len(names) > 1 and all(names):
        yield Suggestion("; ".join(filter(None, names)), "kernels in a list are separated by ';'")


def _calls(text: str) -> Iterator[Suggestion]:
    """Yield a name with arguments, which may follow a parenthesis, a comma, a space or an equals sign."""
    call = _CALL.fullmatch(text)
    name = kernel_for_name(call["name"]) if call else None
    if call is None or name is None:
        return
    rule = "arguments follow a colon, as in gaussian:sigma=2"
    accepted = list(arguments_of(KERNELS[name]))
    if geometry := GEOMETRY.fullmatch(call["rest"]):
        rule = rule_of_geometry(geometry, accepted)
    elif call["sign"] == ":":
        rule = f"it takes {', '.join(accepted)}, as name=value"
    if name != call["name"]:
        rule = f"there is no kernel {call['name']!r}"
    rest = call["rest"].removeprefix("(").strip()
    if (along := _ALONG.get(re.sub(r"\s", "", rest))) and f"{name}{along}" in KERNELS:
        yield Suggestion(f"{name}{along}", "the direction is part of the name")
    read = arguments_of_geometry(geometry, accepted) if geometry else None
    read = arguments_here(rest, accepted, call["name"]) if read is None else read
    if read is not None:
        yield Suggestion(f"{name}:{','.join(read)}" if read else name, rule)
        if len(read) == 2 and accepted[:2] == ["sigma", "size"] and "=" not in "".join(read):
            yield Suggestion(f"{name}:sigma={read[1]},size={read[0]}", "the order is sigma,size")
    if call["name"] != name or call["sign"] in ("(", "="):
        # The arguments of a function, such as the picture and its border, have no counterpart.
        takes = f", but {name}, which takes {', '.join(accepted)}" if rest and name != call["name"] else ""
        yield Suggestion(name, f"{rule}{takes}" if accepted else rule)
