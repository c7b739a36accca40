"""Commands, options and topics as users of other tools spell them, and what does it here."""

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches

import click

from convcli.cli.advised_values import (
    WORDS,
    example,
    filled,
    kernel_with,
    typed_kernel,
    typed_value,
    without_size,
)
from convcli.errors import instead_of
from convcli.layers.activation import ACTIVATIONS

_FILTER = "convcli filter PICTURE"
_PLACED = "without an option"
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
    "explain": "convcli filter PICTURE --kernel SPEC --explain ROW,COLUMN, or convcli kernels SPEC",
    **dict.fromkeys(("settings", "options", "set", "get"), "convcli config"),
    **dict.fromkeys(("benchmark", "bench", "calibrate", "autotune"), "convcli tune"),
}

SIZED = "--kernel box:{5}"

# Each with what is typed instead; where commands differ, the first whose option the command has. A value that the user
# typed replaces the example in braces, if the option accepts it.
OPTIONS: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("--blur", "--gaussian-blur", "--smooth"), ("--kernel gaussian:sigma={2}",)),
    **dict.fromkeys(("--radius", "--std-dev"), ("--kernel gaussian:sigma={2}",)),
    "--kernel": ("--size {5}", "--kernel-size {3}"),
    "-k": ("--size {5}",),
    **dict.fromkeys(("--morphology", "--convolve"), ("--kernel {'0 -1 0; -1 5 -1; 0 -1 0'}",)),
    **dict.fromkeys(("--vf", "--lavfi", "--filter-complex"), ("--kernel {gaussian:sigma=2}",)),
    "-i": (f"INPUT {_PLACED}",),
    "--input": (f"INPUT {_PLACED}",),
    **dict.fromkeys(("--colorspace", "--colourspace", "--color-space"), ("--gray",)),
    "-t": ("--template {T}",),
    **dict.fromkeys(("--needle", "--patch"), ("--template {T}",)),
    **dict.fromkeys(("--ksize", "--filter-size"), ("--size {5}", "--kernel-size {3}", SIZED)),
    "--kernel-size": ("--size {5}", SIZED),
    "--filter": ("--kernel {sobel}",),
    **dict.fromkeys(("--unsharp-mask", "--usm"), ("--kernel unsharp:sigma=1.5,amount=0.8",)),
    **dict.fromkeys(("--edges", "--edge-detect", "--canny"), ("--kernel sobel",)),
    **dict.fromkeys(
        ("--border", "--border-type", "--border-mode", "--boundary", "--edge-mode", "--virtual-pixel"),
        ("--padding-mode {replicate}",),
    ),
    "--mode": ("--padding-mode {replicate}", "--padding {valid}"),
    "--pad": ("--padding {1}",),
    **dict.fromkeys(
        ("--overwrite", "--yes", "--clobber", "--replace", "-f", "-y"),
        ("--force",),
    ),
    **dict.fromkeys(("--out", "--output-dir", "--outdir", "--dest", "--out-dir"), ("--output {FILE}",)),
    **dict.fromkeys(("--workers", "--processes", "--parallel", "-j"), ("--jobs {4}",)),
    "-r": ("--recursive",),
    **dict.fromkeys(("--grayscale", "--greyscale", "--grey"), ("--gray",)),
    **dict.fromkeys(("--16bit", "--16-bit"), ("--depth 16",)),
    **dict.fromkeys(("--bits", "--bit-depth"), ("--depth {16}",)),
    **dict.fromkeys(("--roi", "--rect", "--region", "--crop"), ("--only {X,Y,WIDTH,HEIGHT}",)),
    **dict.fromkeys(("--thumbnail", "--shrink"), ("--resize {50%}",)),
    **dict.fromkeys(("--max-pool", "--maxpool", "--pooling"), ("--pool max:{2}",)),
    **dict.fromkeys(("--avg-pool", "--avgpool"), ("--pool avg:{2}",)),
    **dict.fromkeys(("--act", "--nonlinearity"), ("--activation {relu}",)),
    **dict.fromkeys(("--float32", "--float"), ("--depth float",)),
    **dict.fromkeys(("--dtype",), ("--depth {float}",)),
    **dict.fromkeys(("--epochs", "--iterations", "--iters"), ("--method sgd --steps {200}",)),
    **dict.fromkeys(("--learning-rate", "--rate"), ("--lr {0.1}", "--dilation {2}")),
    **dict.fromkeys(("--flops", "--macs"), ("--field macs,flops",)),
    **dict.fromkeys(("--params", "--parameters"), ("--field params",)),
    **dict.fromkeys(("--unit", "--units"), ("--field macs,flops",)),
    **dict.fromkeys(("--bs", "--batchsize", "--batch-size"), ("--batch {8}",)),
    "--mse": ("--field rmse,psnr",),
    **dict.fromkeys(("--model", "--onnx"), ("--network {model.onnx}", f"NETWORK {_PLACED}")),
    **dict.fromkeys(("--threshold", "--fuzz", "--tol", "--atol"), ("--tolerance {1}",)),
    **dict.fromkeys(("--metric", "--psnr", "--ssim"), ("--field psnr,ssim",)),
    "--network": (f"NETWORK {_PLACED}",),
    "--junit": ("--format junit",),
    "--json": ("--format json",),
    "--csv": ("--format csv",),
    **dict.fromkeys(("--in-channels", "--channels-in", "--cin", "--in-planes"), ("--in {3}",)),
    **dict.fromkeys(
        ("--out-channels", "--filters", "--channels-out", "--cout", "--out-planes"), ("--out {64}",)
    ),
    **dict.fromkeys(("--image-size", "--resolution", "--input-shape"), ("--n {224}", "--resize {224x224}")),
    **dict.fromkeys(("--output-size", "--solve"), ("--target {112}",)),
    **dict.fromkeys(("--dilate", "--atrous"), ("--dilation {2}",)),
    **dict.fromkeys(("--strides", "--subsample"), ("--stride {2}",)),
    **dict.fromkeys(("--fps", "--speed"), ("--delay",)),
}

# Options of other programs that nothing here is like, and the reason.
_PROCESSOR = "convcli runs on the processor alone, which needs no option"
NOT_HERE: Mapping[str, str] = {
    **dict.fromkeys(("--device", "--gpu", "--cuda", "--gpus"), _PROCESSOR),
    **dict.fromkeys(
        ("--rotate", "--rotation", "--auto-orient", "--transpose"),
        "pictures are turned only as their EXIF orientation has it",
    ),
}

# Values of other programs, as patterns, by the option that got them, and what is typed instead.
VALUES: Mapping[str, Mapping[str, str]] = {
    "--scale": {r"[\d.]+%": "--resize {}"},
    "--range": {
        r"clamp|clamped|saturate|none": "--range clip",
        r"absolute|magnitude": "--range abs",
        r"normali[sz]e|stretch|rescale|auto|full": "--range minmax",
    },
}


def value_instead(option: click.Option, message: str, ctx: click.Context) -> str:
    """Return what to type instead of a value that an option refused, which its message quotes first; or ""."""
    quoted = re.match(r"'([^']*)'", message)
    if quoted is None:
        return ""
    known = _options(ctx.command, ctx)
    for pattern, hint in VALUES.get(max(option.opts, key=len), {}).items():
        if re.fullmatch(pattern, quoted[1], re.IGNORECASE) and hint.partition(" ")[0] in known:
            return f"use {hint.format(quoted[1])}"
    return ""


def command_instead(word: str, known: Iterable[str]) -> str:
    """Return what to type instead of an unknown command: a command, or an option of filter.

    >>> command_instead("blur", ["filter"]), command_instead("macs", ["match"])
    ('use convcli filter PICTURE --kernel gaussian', 'use convcli cost NETWORK')
    """
    from convcli.kernels.foreign_kernels import kernel_for_name

    name = word.lower().replace("_", "-")
    if hint := COMMANDS.get(name):
        return f"use {hint}"
    if kernel := kernel_for_name(name):
        return f"use {_FILTER} --kernel {kernel}"
    if "." in word.strip(".") or "/" in word:
        return f"a command comes before files: convcli filter {word} --kernel sobel"
    return instead_of(word, known)


def option_instead(word: str, ctx: click.Context) -> str:
    """Return what to type instead of an unknown option of a command; empty if nothing is similar."""
    options = _options(ctx.command, ctx)
    arguments = [each for each in ctx.command.params if isinstance(each, click.Argument)]
    name = word.replace("_", "-") if word.startswith("--") else word
    spellings = (name.lower(), *([f"-{name.lower()}"] if len(name) > 2 and name[1] != "-" else []))
    value = typed_value((word, name), ctx.meta.get(WORDS, ()))
    able = []  # the advice whose option the command has
    for hint in (hint for spelling in spellings for hint in OPTIONS.get(spelling, ())):
        place, _, rest = hint.partition(" ")
        if rest == _PLACED and any(place in (each.metavar or "") for each in arguments):
            return f"use {hint}"
        if hint == SIZED and place in options and (why := without_size(ctx)):
            return why
        if place in options:
            able.append(hint)
    if able:
        made = (filled(hint, value, options, ctx) for hint in able)
        return f"use {next(filter(None, made), example(able[0]))}"
    for spelling in spellings:
        if spelling in options:
            return f"did you mean {spelling!r}?"
    if why := NOT_HERE.get(spellings[-1], ""):
        return why
    bare = name.lstrip("-").lower()
    if any("SPEC" in (each.metavar or "") for each in arguments) and (
        kernel := _suggested_kernel(bare, value, ctx)
    ):
        return f"use convcli {ctx.info_name} {kernel}"
    if "--kernel" in options and (kernel := _suggested_kernel(bare, value, ctx)):
        return f"use --kernel {kernel}"
    if bare in ACTIVATIONS and "--activation" in options:
        return f"use --activation {bare}"
    names = {each.lstrip("-"): each for each in options if each.startswith("--")}
    close = get_close_matches(bare, names, n=2, cutoff=0.65)
    if close:
        return f"did you mean {' or '.join(repr(names[each]) for each in close)}?"
    return option_elsewhere(name, ctx)


def option_elsewhere(word: str, ctx: click.Context) -> str:
    """Return the commands that have an option, as advice for one that has not; empty if there is none."""
    group = ctx.find_root().command
    if not isinstance(group, click.Group) or not word.startswith("--"):
        return ""
    having = [
        name
        for name in group.list_commands(ctx)
        if (command := group.get_command(ctx, name)) is not None and word in _options(command, ctx)
    ]
    return f"it is an option of convcli {', '.join(having)}" if having else ""


def help_instead(word: str, ctx: click.Context) -> str:
    """Return what explains a word that is no topic and no command: another command, or a topic that has it."""
    from convcli.cli.topics import TOPICS
    from convcli.images.formats import ENDINGS
    from convcli.kernels.foreign_kernels import NOT_CONVOLUTIONS, kernel_for_name
    from convcli.layers.padding import MODE_ALIASES, MODES
    from convcli.layers.text.foreign_layers import VARIANTS_ELSEWHERE
    from convcli.layers.text.operators import ALIASES, OPERATORS
    from convcli.layers.variants import VARIANTS
    from convcli.networks.zoo.index import beginning

    name = word.lstrip("-").lower().replace("_", "-")
    if kernel := kernel_for_name(name):
        return f"convcli kernels {kernel} shows it, and {_FILTER} --kernel {kernel} runs it"
    if why := NOT_CONVOLUTIONS.get(name):
        return f"it is not a convolution: {why}"
    if name in {**VARIANTS, **VARIANTS_ELSEWHERE}:
        return "see convcli help variants"
    if name in {**MODES, **MODE_ALIASES}:
        return "see convcli help padding"
    if hint := COMMANDS.get(name):
        return f"use {hint}"
    if beginning(name):
        return f"convcli networks {word} lists networks of that name"
    if name in ACTIVATIONS or name in map(str.lower, (*OPERATORS, *ALIASES)):
        return "see convcli help layers"
    if f".{name.lstrip('.')}" in ENDINGS:
        return "see convcli help formats"
    close = get_close_matches(name, [*TOPICS, *_commands(ctx)], n=1)
    if not close and (where := option_elsewhere(f"--{name}", ctx)):
        return f"{where}, whose --help-all or --help explains it".replace("it is", f"--{name} is", 1)
    if not close:
        hints = OPTIONS.get(f"--{name}", ())
        return (
            f"see {example(hints[0])} in convcli filter --help-all"
            if hints
            else "convcli help lists all topics"
        )
    return f"did you mean {close[0]!r}?"


def _commands(ctx: click.Context) -> list[str]:
    group = ctx.find_root().command
    return group.list_commands(ctx) if isinstance(group, click.Group) else []


def _options(command: click.Command, ctx: click.Context) -> dict[str, click.Option]:
    """Return the options of a command by all their names."""
    return {
        name: parameter
        for parameter in command.get_params(ctx)
        if isinstance(parameter, click.Option) and not parameter.hidden
        for name in (*parameter.opts, *parameter.secondary_opts)
    }


def _suggested_kernel(name: str, value: str | None, ctx: click.Context) -> str | None:
    """Return the kernel of a name, or one that takes an argument of this name: if it does, the typed kernel."""
    from convcli.kernels.foreign_kernels import kernel_for_name
    from convcli.kernels.named import KERNELS, arguments_of

    if kernel := kernel_for_name(name):
        return kernel
    takers = [kernel for kernel, build in KERNELS.items() if name in arguments_of(build)]
    if not takers:
        return None
    typed = typed_kernel(ctx) or ""
    takers.sort(key=lambda kernel: (kernel != typed.partition(":")[0], kernel != "gaussian"))
    kernel = typed if typed.partition(":")[0] == takers[0] else takers[0]
    return (value and kernel_with(kernel, name, value)) or f"{takers[0]}:{name}=VALUE"
