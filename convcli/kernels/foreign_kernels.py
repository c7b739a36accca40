"""Kernels as OpenCV, SciPy, ImageMagick and ffmpeg write them, and the spelling that means the same here."""

import re
from collections.abc import Collection, Iterator
from typing import NamedTuple

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
        "it changes each pixel by itself; use `value_range='minmax'` to rescale the values of a result",
    ),
}

# Arguments of other programs, and their names here.
_ARGUMENTS = {
    **dict.fromkeys(("ksize", "kernel_size", "k", "width", "diameter", "length"), "size"),
    **dict.fromkeys(("std", "sd", "stddev", "sigmax", "sigma_x", "s"), "sigma"),
    **dict.fromkeys(("r", "size"), "radius"),
    **dict.fromkeys(("theta", "direction", "degrees"), "angle"),
    **dict.fromkeys(("strength", "gain", "percent", "alpha"), "amount"),
    **dict.fromkeys(("lambda", "lambd", "period"), "wavelength"),
    **dict.fromkeys(("scale", "zoom"), "factor"),
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

_SIZE = re.compile(r"(\d+)x(\d+)")
# ImageMagick's radius x sigma + gain + threshold; the last two belong to -unsharp.
_RADIUS = re.compile(r"(\d+)x(\d*\.?\d+)(?:\+(\d*\.?\d+))?(?:\+(\d*\.?\d+))?")
_FRACTION = (
    127.5  # ImageMagick compares twice the difference with a threshold that is a fraction of white, here 255
)
_NUMBER = re.compile(r"[-+]?[\d.]+")


class Suggestion(NamedTuple):
    """A kernel as it is written here, and the rule that the other spelling breaks."""

    spec: str
    rule: str


def spellings(text: str) -> Iterator[Suggestion]:
    """Yield what may be meant by a kernel that is written as in another program, the likeliest first.

    The caller checks whether the suggestion is a kernel.

    >>> [each.spec for each in spellings("cv2.GaussianBlur(2)")], [each.spec for each in spellings("3x3")]
    (['gaussian:2', 'gaussian'], ['box:3x3'])
    """
    text = text.strip()
    if len(text) > MAX_READ:
        return
    yield from _lists(text)
    yield from _calls(text)
    if _SIZE.fullmatch(text):
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
    if _RADIUS.fullmatch(call["rest"]):
        added = " + amount + threshold" if "+" in call["rest"] else ""
        rule = f"radius x sigma{added} is ImageMagick's form"
    elif call["sign"] == ":":
        rule = f"it takes {', '.join(accepted)}, as name=value"
    if name != call["name"]:
        rule = f"there is no kernel {call['name']!r}"
    rest = call["rest"].removeprefix("(").strip()
    if (along := _ALONG.get(re.sub(r"\s", "", rest))) and f"{name}{along}" in KERNELS:
        yield Suggestion(f"{name}{along}", "the direction is part of the name")
    read = _arguments(rest, accepted)
    if read is not None:
        yield Suggestion(f"{name}:{','.join(read)}" if read else name, rule)
        if len(read) == 2 and accepted[:2] == ["sigma", "size"] and "=" not in "".join(read):
            yield Suggestion(f"{name}:sigma={read[1]},size={read[0]}", "the order is sigma,size")
    if call["name"] != name or call["sign"] in ("(", "="):
        # The arguments of a function, such as the picture and its border, have no counterpart.
        yield Suggestion(name, rule)


def _arguments(text: str, accepted: Collection[str]) -> list[str] | None:
    """Return the arguments in the syntax here; None if one is unknown."""
    if "sigma" in accepted and (radius := _RADIUS.fullmatch(text)):
        size = [f"size={2 * int(radius[1]) + 1}"] if int(radius[1]) else []
        amount, threshold = radius[3], radius[4]
        if amount is None:
            return [f"sigma={radius[2]}", *size]
        if not {"amount", "threshold"} <= set(accepted):
            return None
        levels = float(threshold or 0)
        levels *= _FRACTION if levels <= 1 else 1  # a larger number can only be meant in levels
        return [
            f"sigma={radius[2]}",
            f"amount={amount}",
            *size,
            *([f"threshold={levels:g}"] if levels else []),
        ]
    if re.match(r"\s*,", text) or re.search(r",\s*,", text):
        return None
    read: list[str] = []
    words = [word for word in re.split(r"\s*[,:]\s*|\s*(=)\s*|\s+", text) if word]
    while words:
        word = words.pop(0)
        key = next((each for each in (word, _ARGUMENTS.get(word.lower(), "")) if each in accepted), None)
        if key is not None:
            words = words[1:] if words[:1] == ["="] else words
            if not words:
                return None
            read.append(f"{key}={words.pop(0)}")
        elif _SIZE.fullmatch(word) or _NUMBER.fullmatch(word):
            read.append(word)
        else:
            return None
    return read
