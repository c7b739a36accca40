"""The arguments of kernels as Pillow, OpenCV, ffmpeg and ImageMagick write them, in the syntax here."""

import re
from collections.abc import Callable, Collection, Mapping
from math import ceil

Conversion = Callable[[float], float]


def _of_radius(radius: float) -> float:
    return 2 * ceil(radius) + 1


def _of_size(size: float) -> float:
    return (size - 1) / 2


def _of_percent(percent: float) -> float:
    return percent / 100


# Arguments of other programs: the names here, of which the first that the kernel accepts is used, and the conversion of
# the number, if it is not the same.
_SIZE_NAMES: tuple[tuple[str, Conversion | None], ...] = (("size", None), ("radius", _of_size))
_RADIUS_NAMES: tuple[tuple[str, Conversion | None], ...] = (
    *(("radius", None), ("sigma", None)),  # Pillow's radius of a Gaussian is its standard deviation
    ("size", _of_radius),
)
_ARGUMENTS: Mapping[str, tuple[tuple[str, Conversion | None], ...]] = {
    **dict.fromkeys(("size", "ksize", "kernel_size", "k", "width", "diameter", "length"), _SIZE_NAMES),
    **dict.fromkeys(("radius", "r"), _RADIUS_NAMES),
    **dict.fromkeys(("std", "sd", "stddev", "sigmax", "sigma_x", "s"), (("sigma", None),)),
    **dict.fromkeys(("theta", "direction", "degrees"), (("angle", None),)),
    **dict.fromkeys(("strength", "gain", "alpha"), (("amount", None),)),
    "percent": (("amount", _of_percent),),
    **dict.fromkeys(("lambda", "lambd", "period"), (("wavelength", None),)),
    **dict.fromkeys(("scale", "zoom"), (("factor", None),)),
}
# The arguments of functions of other programs, in their order after the picture, by their number.
_ORDERS: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "gaussianblur": (("radius",), ("size", "sigma")),  # Pillow; OpenCV
    "unsharpmask": (("radius",), ("radius", "percent"), ("radius", "percent", "threshold")),  # Pillow
    "boxblur": (("radius",),),  # Pillow and ffmpeg
    "avgblur": (("radius",),),  # ffmpeg
    "gblur": (("sigma",),),  # ffmpeg
}

SIZE = re.compile(r"(\d+)x(\d+)")
_PAIR = re.compile(r"\(\s*(\d+)\s*,\s*\1\s*\)")  # the same size on both axes, as OpenCV has it
# ImageMagick's radius x sigma + gain + threshold; the last two belong to -unsharp.
GEOMETRY = re.compile(r"(\d*\.?\d+)x(\d*\.?\d+)(?:\+(\d*\.?\d+))?(?:\+(\d*\.?\d+))?")
# ImageMagick changes a sample if twice its difference from the blur reaches the threshold, a fraction of white
# (UnsharpMaskImage in MagickCore/effect.c); without a threshold it takes 0.05. Here white is 255.
_LEVELS_OF_THRESHOLD = 255 / 2
_DEFAULT_THRESHOLD = 0.05
_NUMBER = re.compile(r"[-+]?[\d.]+")


def rule_of_geometry(geometry: re.Match[str], accepted: Collection[str]) -> str:
    """Return the description of ImageMagick's form for a kernel that accepts the given arguments."""
    if "threshold" not in accepted:
        return "radius x sigma is ImageMagick's form"
    default = "" if geometry[4] else f", where the threshold is {_DEFAULT_THRESHOLD} by default"
    return f"radius x sigma + amount + threshold is ImageMagick's form{default}"


def arguments_of_geometry(geometry: re.Match[str], accepted: Collection[str]) -> list[str] | None:
    """Return the arguments in ImageMagick's form; None if the kernel does not accept them."""
    radius, sigma, amount, threshold = geometry.groups()
    size = [f"size={_of_radius(float(radius)):g}"] if float(radius) else []
    if "sigma" in accepted and "threshold" not in accepted and amount is None:
        return [f"sigma={sigma}", *size]
    if not {"sigma", "amount", "threshold"} <= set(accepted):
        return None
    levels = _DEFAULT_THRESHOLD if threshold is None else float(threshold)
    levels *= _LEVELS_OF_THRESHOLD if levels < 1 else 1  # from 1 on, no sample would change: these are levels
    given = [*([f"amount={amount}"] if amount else []), *size, *([f"threshold={levels:g}"] if levels else [])]
    return [f"sigma={sigma}", *given]


def arguments_here(text: str, accepted: Collection[str], function: str) -> list[str] | None:
    """Return the arguments of a function of another program in the syntax here; None if one is unknown.

    accepted : the names of the kernel's arguments

    >>> arguments_here("radius=2, percent=150", ["sigma", "amount"], "UnsharpMask")
    ['sigma=2', 'amount=1.5']
    >>> arguments_here("img, (5, 5), 0", ["sigma", "size"], "GaussianBlur")
    ['size=5x5', 'sigma=1.1']
    """
    if re.match(r"\s*,", text) or re.search(r",\s*,", text):
        return None
    words = [word for word in re.split(r"\s*[,:]\s*|\s*(=)\s*|\s+", _PAIR.sub(r"\1x\1", text)) if word]
    orders = _ORDERS.get(function.lower())
    if orders and words and words[0].isidentifier() and words[1:2] != ["="]:
        words = words[1:]  # the picture
    given: list[tuple[str, str]] = []  # names, which are empty for values without a name, and values
    while words:
        word = words.pop(0)
        if words[:1] == ["="] or word in accepted or word.lower() in _ARGUMENTS:
            words = words[1:] if words[:1] == ["="] else words
            if not words:
                return None
            given.append((word, words.pop(0)))
        elif SIZE.fullmatch(word) or _NUMBER.fullmatch(word):
            given.append(("", word))
        else:
            return None
    if orders and any(not name for name, _ in given):
        order = next((each for each in orders if len(each) == len(given)), None)
        if order is None or any(name for name, _ in given):
            return None
        given = [(name, value) for name, (_, value) in zip(order, given, strict=True)]
        if (
            given[-1] == ("sigma", "0")
            and len(given) == 2
            and (size := given[0][1].partition("x")[0]).isdigit()
        ):
            given[-1] = "sigma", f"{0.3 * ((int(size) - 1) / 2 - 1) + 0.8:g}"  # OpenCV's getGaussianKernel
    found = [_translated(name, value, accepted, [other for other, _ in given]) for name, value in given]
    return None if None in found else list(filter(None, found))


def _translated(name: str, value: str, accepted: Collection[str], names: Collection[str]) -> str | None:
    """Return an argument in the syntax here; None if the kernel has none such.

    names : the names of all arguments, so that none is given twice
    """
    if not name:
        return value
    if name in accepted:
        return f"{name}={value}"
    for here, conversion in _ARGUMENTS.get(name.lower(), ()):
        if here in accepted and here not in names:
            return f"{here}={_converted(value, conversion) if conversion else value}"
    return None


def _converted(value: str, conversion: Conversion) -> str:
    """Return a number after a conversion; text that is not a number stays as it is, and is rejected later."""
    try:
        return f"{conversion(float(value)):g}"
    except (ValueError, OverflowError):
        return value
