import re
import shlex
from collections.abc import Callable
from pathlib import Path

import click
import numpy as np
import pytest
from PIL import Image

from convcli.cli import COMMANDS as KNOWN
from convcli.cli import foreign_words, group
from convcli.cli.advised_values import example
from convcli.kernels.foreign_kernels import NOT_CONVOLUTIONS
from tests.conftest import SAMPLES, Call, Result, one_error

CONTEXT = click.Context(group)
HERE = {name: group.get_command(CONTEXT, name) for name in KNOWN}
NAMES = {
    name: {word for each in command.params for word in each.opts} for name, command in HERE.items() if command
}
# What users write for the words in capitals of advice, and for the names of files in it.
WRITTEN = {
    "PICTURE": "a.png",
    "INPUT": "a.png",
    "BEFORE AFTER": "a.png b.png",
    "A B": "a.png a.png",
    "SPEC": "sobel",
    "NETWORK": "lenet-5",
    "model.onnx": "lenet-5 --seed 0",  # with weights
    "ROW,COLUMN": "1,2",
    "X,Y,WIDTH,HEIGHT": "1,2,3,4",
    "--template T": "--template small.png",
    "FILE": "out.csv",
    "VALUE": "3",
}
# A command line of each command, to which an advised option is added.
LINES = {
    "filter": "a.png -k box -o out.tiff --force",
    "match": "a.png --template small.png --force -o out.npy",
    "diff": "a.png a.png --force",
    "learn": "a.png b.png --size 1 --force",
    "kernels": "box --force",
    "draw": "--n 3 --k 3 --p 1 --force",
    "shape": "--n 224 --k 3 --s 2 --p 1 --force",
    **dict.fromkeys(("params", "cost", "compare"), "--n 8 --in 3 --out 4 --k 3 --force"),
    "networks": "--force",
    "tune": "--show --force",
    "config": "--force",
    "completion": "bash",
    "help": "",
}
BETWEEN = re.compile(r",? or (?=convcli)")  # what is between several commands in advice


@pytest.fixture
def follow(call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], Result]:
    """Return a function that runs advice: a command, or options that are added to the line of a command."""
    monkeypatch.chdir(tmp_path)
    pixels = np.random.default_rng(1).integers(0, 256, (12, 14, 3), np.uint8)
    for name, rows in (
        ("a", pixels),
        ("b", pixels // 2),
        ("small", pixels[2:6, 3:8]),
        ("half", pixels[::2, ::2]),
    ):
        Image.fromarray(rows).save(f"{name}.png")

    def run(name: str, advice: str) -> Result:
        for words, written in WRITTEN.items():
            advice = re.sub(rf"(?<![\w-]){re.escape(words)}\b", written, advice)
        if advice.startswith("convcli "):
            return call(*shlex.split(advice)[1:])
        line = LINES[name]
        if "--kernel " in advice:
            line = {
                "draw": f"--n {13 if 'sigma' in advice else 3}",
                "compare": "a.png --variants depthwise",
            }.get(name, line)
        if name == "learn" and advice.startswith("--padding 1"):
            line = line.replace("--size 1", "--size 3")
        if name == "learn" and advice.startswith("--stride"):
            line = line.replace("b.png", "half.png")
        if name == "filter" and advice.startswith("--network"):
            line = "a.png"
        if not advice.startswith("-"):  # an argument
            line = "" if advice == "lenet-5" else line
            advice = "" if advice == "a.png" else advice
        if advice == "--scale 2" and name == "draw":
            line += " -o out.png"
        if advice.startswith("--output") and name in ("filter", "draw"):
            advice = advice.replace(".csv", {"filter": ".png", "draw": ".txt"}[name])
        return call(name, *line.split(), *shlex.split(advice))

    return run


def test_advice_for_commands_runs(call: Call, follow: Callable[[str, str], Result]) -> None:
    for advice, word in {advice: word for word, advice in foreign_words.COMMANDS.items()}.items():
        assert word not in KNOWN
        assert f"No such command {word!r}; use {advice} (see" in one_error(call(word))
        for command in BETWEEN.split(advice):
            result = follow("", command.replace("convcli tune", "convcli tune --show"))
            if "--show" in command:
                assert result.err.startswith("convcli: error: --show draws on a terminal")
            else:
                assert result.code == 0, command


def test_advice_for_options_runs_in_all_commands(call: Call, follow: Callable[[str, str], Result]) -> None:
    shown = set()
    for word in {hints: word for word, hints in foreign_words.OPTIONS.items()}.values():
        for name in KNOWN:
            if word in NAMES[name]:
                continue
            error = one_error(call(name, *LINES[name].split(), word))
            found = re.search(r"; use (.+?)( without an option)? \(see", error)
            if found is None or word in getattr(HERE[name], "moved", ()):
                continue
            for advice in BETWEEN.split(found[1]):
                if (name, advice) not in shown:
                    result = follow(name, advice)
                    assert result.code == 0, (name, word, advice, result.err)
                shown.add((name, advice))
    advised = {example(hint.words) for hints in foreign_words.OPTIONS.values() for hint in hints}
    assert {each for text in advised for each in BETWEEN.split(text)} <= {advice for _, advice in shown}


def test_help_of_an_option_elsewhere_names_a_command_whose_help_has_it(call: Call) -> None:
    for word in {hints: word for word, hints in foreign_words.OPTIONS.items()}.values():
        error = call("help", word.lstrip("-")).err  # there is none if a command has that name
        if found := re.search(r"see (--\S+) .*in (convcli .*)\n", error):
            assert found[1] in call(*found[2].split()[1:]).out
    assert "see --field mean_squared_error,psnr in convcli diff --help" in one_error(call("help", "mse"))


# Values that match the patterns.
SAMPLES_OF_VALUES = {
    "--scale": ("50%",),
    "--range": ("Clamp", "absolute", "normalise"),
    "--threads": ("auto", "0", "-1"),
    "--jobs": ("max", "0"),
    "--dtype": ("half", "FP16", "bf16", "single", "float", "fp32", "uint8", "i8", "quantized"),
    "--depth": ("16bit", "uint16", "float32", "64-bit", "F", "uint8", "8 bit"),
}


def test_advice_for_values_runs_and_every_pattern_has_one(
    call: Call, follow: Callable[[str, str], Result]
) -> None:
    assert SAMPLES_OF_VALUES.keys() == foreign_words.VALUES.keys()
    for option, values in SAMPLES_OF_VALUES.items():
        for pattern in foreign_words.VALUES[option]:
            assert any(re.fullmatch(pattern, value, re.IGNORECASE) for value in values), pattern
        advised = re.findall(r"--[a-z-]+", " ".join(foreign_words.VALUES[option].values()))
        for name in (name for name in KNOWN if {option, *advised} <= set(NAMES[name])):
            for value in values:
                error = one_error(call(name, *LINES[name].split(), option, value))
                found = re.search(r"; (use (.+)|leave it out.*) \(see", error)
                assert found is not None, error
                assert follow(name, found[2] or "--quiet").code == 0
    for option in foreign_words.NOT_HERE:
        assert not any(option in names for names in NAMES.values())


def test_filters_that_are_no_convolutions_say_why(call: Call) -> None:
    for name in ("median", "bilateral", "canny"):
        why = f"it is not a convolution: {NOT_CONVOLUTIONS[name].partition('`')[0]}"
        assert f"No such command {name!r}; {why}" in one_error(call(name, "a.png"))
        assert f"No such option '--{name}'; {why}" in one_error(call("filter", "a.png", f"--{name}", "3"))
    assert "--pool avg:3,stride=1,padding=1 of convcli filter (see" in one_error(call("median", "a.png"))
    assert "--pool avg:3,stride=1,padding=1 (see" in one_error(call("filter", "a.png", "--median"))


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        ("blur x.png", "No such command 'blur'; use convcli filter PICTURE --kernel gaussian (see convcli --help)"),
        ("sharpen x.png", "use convcli filter PICTURE --kernel sharpen"),
        ("Sobel_X x.png", "use convcli filter PICTURE --kernel sobel-x"),
        ("resize x.png 50%", "use convcli filter PICTURE --resize 50%"),
        ("macs mobilenet-v1", "use convcli cost NETWORK"),
        ("infer model.onnx x.png", "use convcli filter PICTURE --network model.onnx"),
        ("x.png -k sobel", "a command comes before files: convcli filter x.png --kernel sobel"),
        ("kernel", "did you mean 'kernels'?"),
        ("filter x.png --sobel", "No such option '--sobel'; use --kernel sobel (see convcli filter --help)"),
        ("filter x.png --blur 0x2", "use --kernel gaussian:sigma=2"),
        ("filter x.png --sigma 2", "use --kernel gaussian:sigma=2 ("),
        ("filter x.png --sigma", "use --kernel gaussian:sigma=VALUE"),
        ("filter x.png --angle=2", "use --kernel motion:angle=2"),
        ("filter x.png --relu", "use --activation relu"),
        ("filter x.png -k sobel --border wrap", "use --padding-mode wrap"),
        ("filter x.png -k sobel --grey", "use --gray"),
        ("filter x.png -k sobel -y", "No such option '-y'; use --force"),
        ("filter x.png -k sobel --out y.png", "use --output y.png"),
        ("filter x.png -k gaussian sigma=2 -o y.png",
         "a kernel is one word; did you mean -k gaussian:sigma=2?"),
        ("filter x.png y.png -k unsharp sigma=2 amount=0.5",
         "a kernel is one word; did you mean -k unsharp:sigma=2,amount=0.5?"),
        ("filter x.png --scale 50%", "'50%' is not a number; use --resize 50% (see convcli filter --help)"),
        ("filter x.png -k sobel --range clamp", "'minmax'; use --range clip (see convcli filter --help)"),
        ("filter x.png --rotate 90", "No such option '--rotate'; pictures are turned only as their EXIF orientation has it"),
        ("filter x.png --colorspace gray", "No such option '--colorspace'; use --gray (see"),
        ("cost resnet-50 --device cuda", "'--device'; convcli runs on the processor alone, which needs no option (see"),
        ("filter x.png --model model.onnx", "use --network model.onnx"),
        ("filter x.png -k sobel --hlep", "did you mean '--help'?"),
        ("cost --network mobilenet-v1", "use NETWORK without an option"),
        ("cost --out-channels 3", "use --out 3"),
        ("params --in 64 --out 128 --kernel 3", "use --kernel-size 3"),
        ("learn a.png b.png --kernel 7", "use --size 7"),
        ("diff a.png b.png --fuzz 5%", "use --tolerance 1"),
        ("diff a.png b.png --junit", "use --format junit"),
        ("params --in_channels 12", "No such option '--in_channels'; use --in 12 (see convcli params --help)"),
        ("cost resnet-50 --batch-size=16", "use --batch 16"),
        ("filter x.png -blur 0x2 y.png", "No such option '-blur'; use --kernel gaussian:sigma=2 (see"),
        ("filter x.png -kernel sobel", "No such option '-kernel'; did you mean '--kernel'? (see"),
        ("filter x.png -k sobel -output y.png", "No such option '-output'; did you mean '--output'? (see"),
        ("filter -i x.png -vf gblur=2 y.png", "No such option '-i'; use INPUT without an option (see"),
        ("filter x.png -vf gblur=2 y.png", "No such option '-vf'; use --kernel gaussian:sigma=2 (see"),
        ("kernels gaussian:size=9 --sigma 2", "use convcli kernels gaussian:size=9,sigma=2"),
        ("filter x.png -k gaussian --ksize 9", "use --kernel gaussian:size=9 ("),
        ("filter x.png -k gaussian:2 --ksize 9", "use --kernel gaussian:2,size=9 ("),
        ("filter x.png --kernel sobel --kernel-size 5", "use --kernel sobel:5 ("),
        ("filter x.png --kernel sobel --kernel-size 6", "use --kernel sobel:5 ("),
        ("filter x.png --kernel disk --kernel-size 5", "the kernel disk has no argument size; it takes radius ("),
        ("filter x.png --kernel roberts --ksize 5", "has no argument size; it takes no arguments ("),
        ("filter x.png --ksize 7", "use --kernel box:7 ("),
        ("filter x.png --ksize", "use --kernel box:5 ("),
        ("filter x.png -k log --sigma 3", "use --kernel log:sigma=3 ("),
        ("filter x.png --blur 0x5", "use --kernel gaussian:sigma=5 ("),
        ("filter x.png --blur strong", "use --kernel gaussian:sigma=2 ("),
        ("filter x.png --blur 2x1", "use --kernel gaussian:sigma=1,size=5 ("),
        ("filter x.png -unsharp 0x2+1+0.02 y.png", "use --kernel unsharp:sigma=2,amount=1,threshold=2.55 ("),
        ("filter x.png -sharpen 0x1 y.png", "No such option '-sharpen'; use --kernel sharpen ("),
        ("filter x.png -edge 1", "use --kernel edge ("),
        ("filter x.png --gaussian 2", "use --kernel gaussian:2 ("),
        ("filter --sobel x.png", "use --kernel sobel ("),
        ("filter x.png --boxblur 2", "use --kernel box:size=5 ("),
        ("filter x.png -k disk --size 5", "the kernel disk has no argument size; it takes radius ("),
        ("filter x.png -k disk --radius 3", "use --kernel disk:radius=3 ("),
        ("filter x.png --mode wrap", "use --padding-mode wrap ("),
        ("filter x.png --mode same", "use --padding same ("),
        ("filter x.png --crop 10,20,30,40", "use --only 10,20,30,40 ("),
        ("filter x.png --crop 30x40+10+20", "use --only 10,20,30,40 ("),
        ("filter x.png --dtype uint16", "use --depth 16 ("),
        ("filter x.png --dtype uint8", "No such option '--dtype'; use --depth 8 (see"),
        ("filter x.png --threshold 128", "it is not a convolution: it changes each pixel by itself; to rescale"),
        ("filter x.png -k unsharp:2 --threshold 3", "use --kernel unsharp:2,threshold=3 ("),
        ("draw --n 5 --k 3 --fps 10", "use --delay 0.1 ("),
        ("draw --n 5 --k 3 --fps 0", "use --delay 0.5 ("),
        ("draw --onnx vgg16", "use convcli draw vgg16 --receptive ("),
        ("params --in 3 --flops", "use convcli cost NETWORK, or convcli cost --n 224 --in 3 --out 64 --k 3 ("),
        ("learn a.png b.png --lr-decay 3 --learning-rate 0.2", "No such option '--lr-decay'"),
        ("learn a.png b.png --learning-rate 0.2", "use --method sgd --lr 0.2 ("),
        ("filter x.png --act tanh", "use --activation tanh ("),
        ("filter x.png --max-pool 3", "use --pool max:3 ("),
        ("shape --kernel 7", "use --kernel-size 7 ("),
        ("shape --kernel sobel", "use --kernel-size 3 ("),
        ("learn a.png b.png -k 9", "use --size 9 ("),
        ("learn a.png b.png --epochs 50", "use --method sgd --steps 50 ("),
        ("diff a.png b.png --csv", "use --format csv ("),
        ("kernels --list", "use convcli kernels without an argument"),
        ("tune --jobs 4", "it is an option of convcli filter, match"),
        ("help --stride", "it is an option of convcli filter, learn, draw, shape, params, cost, compare"),
        ("config --set jobs=4", "use convcli.toml: jobs = 4 in a table such as [filter]"),
    ],
)  # fmt: skip
def test_words_of_other_tools_get_the_command_or_option_that_does_it(
    call: Call, words: str, hint: str
) -> None:
    result = call(*words.split())
    assert result.code == 2
    assert hint in one_error(result)


def test_a_word_that_nothing_is_like_gets_no_suggestion(call: Call) -> None:
    assert (
        one_error(call("diff", "a", "b", "--kernel", "box"))
        == "No such option '--kernel'; it is an option of convcli filter, draw, compare (see convcli diff --help)"
    )
    assert (
        one_error(call("filter", "a", "--dpi", "300")) == "No such option '--dpi' (see convcli filter --help)"
    )


@pytest.mark.parametrize("name", ["torchvision.models.resnet50", "models.resnet50(weights=None)"])
def test_a_network_as_torchvision_calls_it_gets_its_name_here(call: Call, name: str) -> None:
    for words in (("cost", name), ("filter", "x.png", "--network", name)):
        assert "did you mean 'resnet-50'?" in call(*words).err


@pytest.mark.parametrize(("letter", "value"), [("p", "1"), ("s", "2"), ("d", "2")])
def test_options_of_a_layer_have_the_same_letters_in_all_commands(
    call: Call, letter: str, value: str
) -> None:
    words = ["filter", SAMPLES / "logo.png", "-k", "box", "--dry-run"]
    assert call(*words, f"-{letter}", value) == call(*words, f"--{letter}", value)
    assert call("shape", "-n", "9", "-k", "3", f"-{letter}", value).code == 0
