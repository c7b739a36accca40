import shlex

import click
import pytest

from convcli.cli import COMMANDS as KNOWN
from convcli.cli import foreign_words, group
from convcli.cli.advised_values import example
from convcli.filters.request import RANGES
from convcli.kernels.kernel_grammar import parse_kernels
from tests.conftest import SAMPLES, Call, one_error

CONTEXT = click.Context(group)
HERE = {name: group.get_command(CONTEXT, name) for name in KNOWN}
NAMES = {
    name: {word for each in command.params for word in each.opts} for name, command in HERE.items() if command
}


def test_advice_names_commands_and_options_that_exist() -> None:
    for word, hint in foreign_words.COMMANDS.items():
        assert word not in KNOWN
        _, first, *words = hint.split()
        assert first in {*KNOWN, "--version"}, hint
        for option in (each for each in words if each.startswith("--")):
            assert option in NAMES[first], hint
    for word, hints in foreign_words.OPTIONS.items():
        for hint in hints:
            option, _, rest = hint.partition(" ")
            if option == "--kernel":
                assert parse_kernels(*shlex.split(example(rest))), hint
            able = [name for name, options in NAMES.items() if option in options and word not in options]
            assert able or hint.endswith("without an option"), (word, hint)


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
         "there is no file 'sigma=2'; did you mean --kernel gaussian:sigma=2?"),
        ("filter x.png y.png -k unsharp sigma=2 amount=0.5",
         "there is no file 'sigma=2'; did you mean --kernel unsharp:sigma=2,amount=0.5?"),
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
        ("filter x.png --mode wrap", "use --padding-mode wrap ("),
        ("filter x.png --mode same", "use --padding same ("),
        ("filter x.png --crop 10,20,30,40", "use --only 10,20,30,40 ("),
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


def test_values_of_other_tools_name_options_that_take_them(call: Call) -> None:
    for option, values in foreign_words.VALUES.items():
        assert any(option in names for names in NAMES.values())
        for hint in values.values():
            name, value = hint.split()
            assert any({option, name} <= names for names in NAMES.values())
            if name == "--range":
                assert value in RANGES
    for option in foreign_words.NOT_HERE:
        assert not any(option in names for names in NAMES.values())


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
