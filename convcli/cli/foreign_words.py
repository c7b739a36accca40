"""Commands, options and values as users of other tools spell them, and what does it here."""

from collections.abc import Callable, Collection, Mapping
from typing import NamedTuple

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
    **dict.fromkeys(("gray", "grey", "grayscale"), f"{_FILTER} --kernel identity --gray"),
    **dict.fromkeys(
        (
            "flops",
            "macs",
            "count",
            "profile",
            "summary",
            "ops",
            "memory",
            "mem",
            "bytes",
            "roofline",
            "latency",
        ),
        "convcli cost NETWORK",
    ),
    **dict.fromkeys(("parameters", "weights"), "convcli params NETWORK"),
    **dict.fromkeys(("size", "output-size", "out-size", "padding"), "convcli shape --n 224 --k 7"),
    **dict.fromkeys(
        ("receptive-field", "receptive", "rf", "field", "shapes", "sizes"),
        "convcli shape NETWORK, or convcli shape --n 224 --k 7",
    ),
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


class Hint(NamedTuple):
    """What is typed instead of an option of another tool.

    words : options here, or the name of an argument, which is typed without an option, or a whole command; a value that
        the user typed replaces the example in braces, if the option accepts it
    commands : the commands to which the hint applies; if empty, all that have the options or the argument
    """

    words: str
    commands: Collection[str] = ()


SIZED = Hint("--kernel box:{5}")
_OF_LAYERS = ("draw", "shape", "params", "cost", "compare")
_OF_NETWORKS = ("shape", "params", "cost", "compare")
_WITH_WORK = ("shape", "cost", "compare")  # their answers have the fields macs and flops
_WORK = (
    Hint("--field macs,flops", _WITH_WORK),
    Hint("convcli cost NETWORK, or convcli cost --n 224 --in 3 --out 64 --k 3", ("params",)),
)
_DRAWN_NETWORK = Hint("convcli draw {NETWORK} --receptive", ("draw",))
_GAUSSIAN = Hint("--kernel gaussian:sigma={2}")
_DESCENT = Hint("--method sgd --lr {0.0001}")

# The first hint that applies to the command is shown.
OPTIONS: Mapping[str, tuple[Hint, ...]] = {
    **dict.fromkeys(("--blur", "--gaussian-blur", "--smooth", "--radius", "--std-dev"), (_GAUSSIAN,)),
    "--kernel": (Hint("--size {5}"), Hint("--kernel-size {3}")),
    "-k": (Hint("--size {5}"),),
    **dict.fromkeys(("--morphology", "--convolve"), (Hint("--kernel {'0 -1 0; -1 5 -1; 0 -1 0'}"),)),
    **dict.fromkeys(("--vf", "--lavfi", "--filter-complex"), (Hint("--kernel {gaussian:sigma=2}"),)),
    **dict.fromkeys(("-i", "--input"), (Hint("INPUT"),)),
    **dict.fromkeys(("--colorspace", "--colourspace", "--color-space"), (Hint("--gray"),)),
    **dict.fromkeys(("-t", "--needle", "--patch"), (Hint("--template {T}"),)),
    **dict.fromkeys(("--ksize", "--filter-size"), (Hint("--size {5}"), Hint("--kernel-size {3}"), SIZED)),
    "--kernel-size": (Hint("--size {5}"), SIZED),
    "--filter": (Hint("--kernel {sobel-x}", ("draw",)), Hint("--kernel {sobel}")),
    **dict.fromkeys(("--unsharp-mask", "--usm"), (Hint("--kernel unsharp:sigma=1.5,amount=0.8"),)),
    **dict.fromkeys(
        ("--edges", "--edge-detect"), (Hint("--kernel sobel-x", ("draw",)), Hint("--kernel sobel"))
    ),
    **dict.fromkeys(
        ("--border", "--border-type", "--border-mode", "--boundary", "--edge-mode", "--virtual-pixel"),
        (Hint("--padding-mode {replicate}"),),
    ),
    "--mode": (Hint("--padding-mode {replicate}"), Hint("--padding {valid}")),
    "--pad": (Hint("--padding {1}"),),
    **dict.fromkeys(
        ("--overwrite", "--yes", "--clobber", "--replace", "-f", "-y"),
        (Hint("--force"),),
    ),
    **dict.fromkeys(("--out", "--output-dir", "--outdir", "--dest", "--out-dir"), (Hint("--output {FILE}"),)),
    **dict.fromkeys(("--workers", "--processes", "--parallel", "-j"), (Hint("--jobs {4}"),)),
    "-r": (Hint("--recursive"),),
    **dict.fromkeys(("--grayscale", "--greyscale", "--grey"), (Hint("--gray"),)),
    **dict.fromkeys(("--16bit", "--16-bit"), (Hint("--depth 16"),)),
    **dict.fromkeys(("--bits", "--bit-depth"), (Hint("--depth {16}"),)),
    **dict.fromkeys(("--roi", "--rect", "--region", "--crop"), (Hint("--only {X,Y,WIDTH,HEIGHT}"),)),
    **dict.fromkeys(("--thumbnail", "--shrink"), (Hint("--resize {50%}"),)),
    **dict.fromkeys(("--max-pool", "--maxpool", "--pooling"), (Hint("--pool max:{2}"),)),
    **dict.fromkeys(("--avg-pool", "--avgpool"), (Hint("--pool avg:{2}"),)),
    **dict.fromkeys(("--act", "--nonlinearity"), (Hint("--activation {relu}"),)),
    **dict.fromkeys(("--float32", "--float"), (Hint("--depth float"),)),
    "--dtype": (Hint("--depth {float}"),),
    **dict.fromkeys(("--epochs", "--iterations", "--iters"), (Hint("--method sgd --steps {200}"),)),
    "--learning-rate": (_DESCENT,),
    "--rate": (_DESCENT, Hint("--dilation {2}")),
    **dict.fromkeys(("--flops", "--macs", "--unit", "--units"), _WORK),
    **dict.fromkeys(("--params", "--parameters"), (Hint("--field params", (*_WITH_WORK, "params")),)),
    **dict.fromkeys(("--bs", "--batchsize", "--batch-size"), (Hint("--batch {8}"),)),
    **dict.fromkeys(
        ("--classes", "--num-classes", "--n-classes"),
        tuple(Hint(f"convcli {name} resnet-50:classes={{10}}", (name,)) for name in _OF_NETWORKS),
    ),
    "--mse": (Hint("--field mean_squared_error,psnr", ("diff",)),),
    **dict.fromkeys(("--model", "--onnx"), (Hint("--network {model.onnx}"), _DRAWN_NETWORK, Hint("NETWORK"))),
    "--network": (_DRAWN_NETWORK, Hint("NETWORK")),
    **dict.fromkeys(("--threshold", "--fuzz", "--tol", "--atol"), (Hint("--tolerance {1}"),)),
    **dict.fromkeys(("--metric", "--psnr", "--ssim"), (Hint("--field psnr,ssim", ("diff",)),)),
    "--junit": (Hint("--format junit"),),
    "--json": (Hint("--format json"),),
    "--csv": (Hint("--format csv"),),
    **dict.fromkeys(
        ("--in-channels", "--channels-in", "--cin", "--in-planes"), (Hint("--in {3}", _OF_LAYERS),)
    ),
    **dict.fromkeys(
        ("--out-channels", "--filters", "--channels-out", "--cout", "--out-planes"), (Hint("--out {8}"),)
    ),
    **dict.fromkeys(
        ("--image-size", "--resolution", "--input-shape"),
        (Hint("--n {5}", ("draw",)), Hint("--n {224}"), Hint("--resize {224x224}")),
    ),
    **dict.fromkeys(("--output-size", "--out-size", "--outsize", "--solve"), (Hint("--target {112}"),)),
    **dict.fromkeys(("--op", "--output-pad", "--out-padding"), (Hint("--transposed --output-padding {1}"),)),
    **dict.fromkeys(
        ("--transpose", "--deconv", "--conv-transpose", "--deconvolution", "--upconv"),
        (Hint("--transposed"), Hint("--variant transposed", _OF_LAYERS)),
    ),
    **dict.fromkeys(("--dilate", "--atrous"), (Hint("--dilation {2}"),)),
    **dict.fromkeys(("--strides", "--subsample"), (Hint("--stride {2}"),)),
    **dict.fromkeys(
        ("--size", "--dpi", "--ppi", "--zoom", "--height", "--magnify"), (Hint("--scale 2", ("draw",)),)
    ),
    "--fps": (Hint("--delay {0.5}"),),
    "--speed": (Hint("--delay 0.5"),),
}

# Options whose value is converted before it replaces the example of a hint.
CONVERSIONS: Mapping[str, Callable[[float], float]] = {"--fps": lambda fps: 1 / fps}

# Options of other programs that nothing here is like, and the reason.
_PROCESSOR = "convcli runs on the processor alone, which needs no option"
NOT_HERE: Mapping[str, str] = {
    **dict.fromkeys(("--device", "--gpu", "--cuda", "--gpus"), _PROCESSOR),
    **dict.fromkeys(
        ("--rotate", "--rotation", "--auto-orient", "--transpose"),
        "pictures are turned only as their EXIF orientation has it",
    ),
}

_ONE_PER_CORE = {r"auto|all|max|default|none|-?\d+": "leave it out: the default is one per core"}
# Values of other programs, as patterns, by the option that got them, and the advice; {} is the value.
VALUES: Mapping[str, Mapping[str, str]] = {
    "--scale": {r"[\d.]+%": "use --resize {}"},
    "--range": {
        r"clamp|clamped|saturate|none": "use --range clip",
        r"absolute|magnitude": "use --range abs",
        r"normali[sz]e|stretch|rescale|auto|full": "use --range minmax",
    },
    "--threads": _ONE_PER_CORE,
    "--jobs": _ONE_PER_CORE,
    "--dtype": {
        r"half|(fp|f|float|bf|bfloat)[ -_]?16|bfloat|16": "use --dtype float16",  # each has two bytes
        r"single|full|float|(fp|f|float)[ -_]?32|32": "use --dtype float32",
        r"u?int[ -_]?8|[iu]8|8|byte|q(uint)?8|quantized": "use --dtype int8",
    },
    "--depth": {
        r"(u|u?int)?16[ -]?(bits?)?": "use --depth 16",
        r"f(loat)?(16|32|64)?|single|double|(32|64)[ -]?(bits?)?": "use --depth float",
        r"(u|u?int)?8[ -]?(bits?)?": "use --depth 8",
    },
}
