import re
import shlex
from pathlib import Path

import pytest
from PIL import Image

from convcli.cli.positional_words import CHAINS
from tests.conftest import Call, one_error


@pytest.mark.parametrize(
    ("line", "way"),
    [
        ("shape 224 7 2 3", "'224 7 2 3': numbers belong to options; did you mean --n 224 --k 7 --s 2 --p 3?"),
        ("shape 3x224x224 --k 3", "did you mean --in 3 --n 224x224?"),
        ("shape --input-size 224 112 --k 3", "'112': an option takes one word; write a number for each axis as 224x112"),
        ("params 3 64 3", "did you mean --in 3 --out 64 --k 3?"),
        ("cost 224 3 64", "did you mean --n 224 --in 3 --out 64?"),
        ("compare 112 64 128 3", "did you mean --n 112 --in 64 --out 128 --k 3?"),
        ("draw 5 3", "did you mean --n 5 --k 3?"),
        ("cost conv\\ k3\\ o64", "'conv k3 o64': layers belong to --layers 'conv k3 o64'"),
        ("cost conv k3, relu --n 8", "layers belong to --layers 'conv k3, relu'"),
        ("shape nn.Conv2d(3,64,7,padding=3),\\ nn.ReLU() --n 8", "layers belong to --layers 'conv o64 k7 p3, relu'"),
        ("compare conv k3 --input 3x8x8", f"write each chain of layers as one word: {CHAINS}"),
        ("compare conv k3; relu --n 8", f"write each chain of layers as one word: {CHAINS}"),
        ("compare conv dw --n 8", "variants belong to --variants standard,depthwise"),
        ("shape resnet50 vgg16", "several networks are compared by convcli compare resnet50 vgg16"),
        ("cost resnet50 192", "the input of a network is given as --input 3x192x192"),
        ("draw x.jpg", "draw takes numbers; convcli filter x.jpg --kernel SPEC --explain ROW,COLUMN explains one output of a picture"),
        ("cost conv k3; relu|flatten --n 8", "layers belong to --layers 'conv k3, relu, flatten'"),
        ("draw x.jpg --kernel sobel-x", "draw takes numbers; convcli filter x.jpg --kernel sobel-x --explain ROW,COLUMN "
         "explains one output of a picture"),
        ("kernels gaussian sigma=2", "a kernel is one word, 'gaussian:sigma=2'"),
        ("kernels sobel box", "a kernel is one word, 'sobel; box'"),
        ("config set jobs 4", "convcli config only shows settings; write jobs = 4 below [filter] in convcli.toml"),
        ("config jobs=4", "convcli config only shows settings; write jobs = 4 below [filter] in convcli.toml"),
        ("config set padding_mode wrap", 'write padding-mode = "wrap" below [filter] in convcli.toml'),
        ("config set diff tolerance 2", "write tolerance = 2 below [diff] in convcli.toml"),
        ("config tolerance=2", "write tolerance = 2 below [diff] in convcli.toml"),
        ("config set gray", "write gray = true below [filter] in convcli.toml"),
        ("config jobs", "'jobs': use convcli config filter"),
        ("config set", "write jobs = VALUE below [filter] in convcli.toml"),
        ("config set force true", "'set force true': no command has an option --force"),
        ("help exit codes", "a topic is one word, 'exit-codes'"),
        ("help kernels sobel", "use convcli kernels sobel"),
        ("tune x.png", "Unexpected words 'x.png'; the usage is convcli tune [OPTIONS]"),
        ("networks resnet 50", "Unexpected words '50'; the usage is convcli networks [OPTIONS] [WORD]"),
    ],
)  # fmt: skip
def test_words_without_an_option_get_the_option_to_which_they_belong(call: Call, line: str, way: str) -> None:
    result = call(*(word.replace("\0", " ") for word in line.replace("\\ ", "\0").split()))
    assert result.code == 2
    assert f"{way} (see convcli {line.split()[0]} --help)" in one_error(result)


# The advice of such messages, and the words that complete it.
COMPLETED = {
    "shape": "--n 224 --in 3 --k 3",
    **dict.fromkeys(("params", "cost", "compare"), "--n 8 --in 3 --out 4 --k 3"),
    "draw": "--n 4",
}


@pytest.mark.parametrize(
    "line",
    [
        *(
            "shape 224 7 2 3",
            "shape 3x224x224",
            "params 3 64 3",
            "cost 224 3 64",
            "compare 8 4 8 3",
            "draw 5 3",
        ),
        *("cost conv\\ k3\\ o64", "draw conv k3; relu", "shape nn.Conv2d(3,64,7,padding=3),\\ nn.ReLU()"),
        *("compare conv dw", "shape resnet50 vgg16", "cost lenet-5 40", "kernels gaussian sigma=2"),
        *("kernels sobel box", "help exit codes", "help kernels sobel", "config jobs"),
    ],
)
def test_the_advice_for_words_without_an_option_runs(call: Call, line: str) -> None:
    command, *words = (word.replace("\0", " ") for word in line.replace("\\ ", "\0").split())
    advice = one_error(call(command, *words)).partition(": ")[2].rpartition(" (see ")[0]
    found = re.search(
        r"(convcli .+)|(?:did you mean|belong to|given as) (--.+?)\??$|one word, '(.+)'$", advice
    )
    assert found is not None
    if found[1]:
        assert call(*shlex.split(found[1])[1:]).code == 0
        return
    options = shlex.split(found[2]) if found[2] else [found[3]]
    if "--layers" in options:
        given = ["--n", "8", "--in", "3"]
    elif found[2] and words[0] != "lenet-5":
        given = COMPLETED[command].split()
    else:
        given = ["lenet-5"] if found[2] else []
    assert call(command, *given, *options).code == 0


def test_the_advice_for_a_setting_can_be_read(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for words in ("set jobs 4", "padding-mode=wrap", "set gray", "diff.layout=chw", "set learn.size 5x7"):
        advice = one_error(call("config", *words.split()))
        text, command = re.search(r"write (.+) below \[(.+)\] in", advice).groups()
        Path("convcli.toml").write_text(f"[{command}]\n{text}\n")
        assert text.split()[0] in call("config", command).out


@pytest.mark.parametrize(
    "line", ["shape lenet-5 --format value", "compare lenet-5 lenet-5", "config filter", "help exit-codes"]
)
def test_words_that_a_command_takes_are_taken(call: Call, line: str) -> None:
    assert call(*line.split()).code == 0


def test_a_picture_gets_the_options_that_give_its_size(call: Call, tmp_path: Path) -> None:
    Image.new("LA", (14, 12)).save(tmp_path / "my picture.png")
    for name, network, layer in (
        ("shape", "--input 2x12x14 with a network", "--n 12x14 with a layer, such as --k 3 ("),
        ("cost", "--input 2x12x14 with a network", "--n 12x14 --in 2 with a layer, such as --out 64 --k 3 ("),
        ("params", "params takes a network", "a layer, such as --in 2 --out 64 --k 3; the size"),
    ):
        message = one_error(call(name, tmp_path / "my picture.png"))
        assert network in message and layer in message
        words = re.findall(r"--(?:n|in|out|k) \w+", message)
        assert call(name, *" ".join(words).split()).code == 0
    message = one_error(call("draw", tmp_path / "my picture.png", "-k", "0 1; 2 3"))
    assert (
        f"convcli filter '{tmp_path / 'my picture.png'}' --kernel '0 1; 2 3' --explain ROW,COLUMN explains"
        in message
    )
    assert "--input CHANNELSxHEIGHTxWIDTH with a network" in one_error(call("shape", "there is none.jpg"))
    assert call("shape", "lenet-5", "--input", "1x40x50").code == 0
