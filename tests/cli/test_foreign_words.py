import click
import pytest

from convcli.cli import COMMANDS as KNOWN
from convcli.cli import foreign_words, group
from convcli.filters.request import RANGES
from tests.conftest import Call, one_error

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
            option = hint.partition(" ")[0]
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
        ("filter x.png --sigma 2", "use --kernel gaussian:sigma=VALUE"),
        ("filter x.png --angle=2", "use --kernel motion:angle=VALUE"),
        ("filter x.png --relu", "use --activation relu"),
        ("filter x.png -k sobel --border wrap", "use --padding-mode replicate"),
        ("filter x.png -k sobel --grey", "use --gray"),
        ("filter x.png -k sobel -y", "No such option '-y'; use --force"),
        ("filter x.png -k sobel --out y.png", "use --output"),
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
        ("cost --out-channels 3", "use --out 64"),
        ("params --in 64 --out 128 --kernel 3", "use --kernel-size 3"),
        ("learn a.png b.png --kernel 5", "use --size 5"),
        ("diff a.png b.png --fuzz 5%", "use --tolerance 1"),
        ("diff a.png b.png --junit", "use --format junit"),
        ("params --in_channels 3", "No such option '--in_channels'; use --in 3 (see convcli params --help)"),
        ("cost resnet-50 --batch-size 8", "use --batch 8"),
        ("filter x.png -blur 0x2 y.png", "No such option '-blur'; use --kernel gaussian:sigma=2 (see"),
        ("filter x.png -kernel sobel", "No such option '-kernel'; did you mean '--kernel'? (see"),
        ("filter x.png -k sobel -output y.png", "No such option '-output'; did you mean '--output'? (see"),
        ("filter -i x.png -vf gblur=2 y.png", "No such option '-i'; use INPUT without an option (see"),
        ("filter x.png -vf gblur=2 y.png", "No such option '-vf'; use --kernel gaussian:sigma=2 (see"),
        ("kernels gaussian --sigma 2", "use convcli kernels gaussian:sigma=VALUE"),
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
