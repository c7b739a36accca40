"""Commands and options as users of other tools spell them, and the command or the option that does it here."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches

import click

from convcli.errors import instead_of
from convcli.layers.activation import ACTIVATIONS

_FILTER = "convcli filter PICTURE"
_NETWORK = f"{_FILTER} --network model.onnx"

COMMANDS: Mapping[str, str] = {
    **dict.fromkeys(
        ("convolve", "conv", "conv2d", "correlate", "filter2d", "apply", "convert", "magick", "edit"),
        f"{_FILTER} --kernel SPEC",
    ),
    **dict.fromkeys(("resize", "rescale", "scale", "thumbnail", "mogrify"), f"{_FILTER} --resize 50%"),
    **dict.fromkeys(("run", "infer", "inference", "predict", "classify", "onnx"), _NETWORK),
    **dict.fromkeys(("show", "display", "view"), f"{_FILTER} --kernel SPEC --show"),
    **dict.fromkeys(("pool", "maxpool"), f"{_FILTER} --pool max:2"),
    **dict.fromkeys(("gray", "grey", "grayscale"), f"{_FILTER} --gray"),
    **dict.fromkeys(("flops", "macs", "count", "profile", "summary", "ops"), "convcli cost NETWORK"),
    **dict.fromkeys(("parameters", "weights"), "convcli params NETWORK"),
    **dict.fromkeys(("size", "output-size", "receptive-field", "padding"), "convcli shape --n 224 --k 7"),
    **dict.fromkeys(("animate", "plot", "visualize", "visualise"), "convcli draw --n 5 --k 3"),
    **dict.fromkeys(("psnr", "ssim", "metrics", "check"), "convcli diff A B"),
    **dict.fromkeys(("train", "fit", "estimate"), "convcli learn BEFORE AFTER"),
    **dict.fromkeys(("find", "template", "matchtemplate"), "convcli match PICTURE --template T"),
    **dict.fromkeys(("models", "zoo"), "convcli networks"),
    "list": "convcli kernels or convcli networks",
    "version": "convcli --version",
    **dict.fromkeys(("docs", "man", "topics"), "convcli help"),
}

# Each with what is typed instead; where commands differ, the first whose option the command has.
OPTIONS: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("--blur", "--gaussian-blur", "--smooth"), ("--kernel gaussian:sigma=2",)),
    **dict.fromkeys(("--radius", "--std-dev"), ("--kernel gaussian:sigma=2",)),
    "--kernel": ("--size 5", "--kernel-size 3"),
    **dict.fromkeys(("--ksize", "--filter-size"), ("--size 5", "--kernel-size 3", "--kernel box:5")),
    "--kernel-size": ("--size 5", "--kernel box:5"),
    "--filter": ("--kernel sobel",),
    **dict.fromkeys(("--unsharp-mask", "--usm"), ("--kernel unsharp:sigma=1.5,amount=0.8",)),
    **dict.fromkeys(("--edges", "--edge-detect", "--canny"), ("--kernel sobel",)),
    **dict.fromkeys(
        ("--border", "--border-type", "--border-mode", "--boundary", "--edge-mode", "--virtual-pixel"),
        ("--padding-mode replicate",),
    ),
    "--mode": ("--padding-mode replicate, or --padding valid", "--padding valid"),
    "--pad": ("--padding 1",),
    **dict.fromkeys(
        ("--overwrite", "--yes", "--clobber", "--replace", "-f", "-y"),
        ("--force",),
    ),
    **dict.fromkeys(("--out", "--output-dir", "--outdir", "--dest", "--out-dir"), ("--output",)),
    **dict.fromkeys(("--workers", "--processes", "--parallel", "-j"), ("--jobs 4",)),
    "-r": ("--recursive",),
    **dict.fromkeys(("--grayscale", "--greyscale", "--grey"), ("--gray",)),
    **dict.fromkeys(("--16bit", "--16-bit", "--bits", "--bit-depth"), ("--depth 16",)),
    **dict.fromkeys(("--roi", "--rect", "--region", "--crop"), ("--only X,Y,WIDTH,HEIGHT",)),
    **dict.fromkeys(("--thumbnail", "--shrink"), ("--resize 50%",)),
    **dict.fromkeys(("--max-pool", "--maxpool"), ("--pool max:2",)),
    **dict.fromkeys(("--avg-pool", "--avgpool"), ("--pool avg:2",)),
    **dict.fromkeys(("--model", "--onnx"), ("--network model.onnx", "NETWORK without an option")),
    **dict.fromkeys(("--threshold", "--fuzz", "--tol", "--atol"), ("--tolerance 1",)),
    **dict.fromkeys(("--metric", "--psnr", "--ssim"), ("--field psnr,ssim",)),
    "--network": ("NETWORK without an option",),
    "--junit": ("--format junit",),
    **dict.fromkeys(("--json", "--csv"), ("--format json",)),
    **dict.fromkeys(("--in-channels", "--channels-in"), ("--in 3",)),
    **dict.fromkeys(("--out-channels", "--filters", "--channels-out"), ("--out 64",)),
    **dict.fromkeys(("--image-size", "--resolution", "--input-shape"), ("--n 224", "--resize 224x224")),
    **dict.fromkeys(("--output-size", "--solve"), ("--target 112",)),
    **dict.fromkeys(("--rate", "--dilate"), ("--dilation 2",)),
    **dict.fromkeys(("--fps", "--speed"), ("--delay",)),
}


def command_instead(word: str, known: Iterable[str]) -> str:
    """Return what to type instead of an unknown command: a command, or an option of filter.

    >>> command_instead("blur", ["filter"]), command_instead("macs", ["match"])
    ('use convcli filter PICTURE --kernel gaussian', 'use convcli cost NETWORK')
    """
    from convcli.kernels.kernel_grammar import OTHER_NAMES
    from convcli.kernels.named import KERNELS

    name = word.lower().replace("_", "-")
    if replacement := COMMANDS.get(name):
        return f"use {replacement}"
    if kernel := name if name in KERNELS else next(iter(OTHER_NAMES.get(name, ())), None):
        return f"use {_FILTER} --kernel {kernel}"
    if "." in word.strip(".") or "/" in word:
        return f"a command comes before files: convcli filter {word} --kernel sobel"
    return instead_of(word, known)


def option_instead(word: str, ctx: click.Context) -> str:
    """Return what to type instead of an unknown option of a command; empty if nothing is similar."""
    options = {
        name: parameter
        for parameter in ctx.command.get_params(ctx)
        if isinstance(parameter, click.Option) and not parameter.hidden
        for name in (*parameter.opts, *parameter.secondary_opts)
    }
    arguments = [each for each in ctx.command.params if isinstance(each, click.Argument)]
    for replacement in OPTIONS.get(word.lower(), ()):
        if replacement.startswith("NETWORK") and any("NETWORK" in (each.metavar or "") for each in arguments):
            return f"use {replacement}"
        if replacement.partition(" ")[0].rstrip(",") in options:
            return f"use {replacement}"
    bare = word.lstrip("-").lower()
    if (kernel := _kernel_meant(bare)) and "--kernel" in options:
        return f"use --kernel {kernel}"
    if bare in ACTIVATIONS and "--activation" in options:
        return f"use --activation {bare}"
    names = {name.lstrip("-"): name for name in options if name.startswith("--")}
    close = get_close_matches(bare, names, n=2, cutoff=0.65)
    return f"did you mean {' or '.join(repr(names[name]) for name in close)}?" if close else ""


def _kernel_meant(name: str) -> str | None:
    """Return the kernel of a name, or the first one that takes an argument of this name."""
    from convcli.kernels.kernel_grammar import OTHER_NAMES, arguments_of
    from convcli.kernels.named import KERNELS

    if name in KERNELS:
        return name
    if name in OTHER_NAMES:
        return OTHER_NAMES[name][0]
    takers = [kernel for kernel, build in KERNELS.items() if name in arguments_of(build)]
    if not takers:
        return None
    kernel = "gaussian" if "gaussian" in takers else takers[0]
    return f"{kernel}:{name}=VALUE"
