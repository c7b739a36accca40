"""The group of commands: help, version, suggestions, and common options."""

import json
import os
import subprocess
from collections.abc import Callable
from inspect import cleandoc
from pathlib import Path

import click
import pytest

from convcli import __version__
from convcli.cli import COMMANDS, group
from convcli.cli.command import WIDEST
from tests.conftest import Call, one_error

CALCULATORS = ["shape", "params", "cost", "compare"]


def command(name: str) -> click.Command:
    found = group.get_command(click.Context(group), name)
    assert found is not None
    return found


def test_version(call: Call) -> None:
    assert call("--version") == (0, f"convcli {__version__}\n", "")


def test_the_group_shows_its_commands_and_examples(call: Call) -> None:
    for words in (["-h"], ["--help"]):
        code, out, err = call(*words)
        assert (code, err) == (0, "")
        assert [out.index(f"\n  {name} ") for name in COMMANDS] == sorted(
            out.index(f"\n  {name} ") for name in COMMANDS
        )
        assert "convcli filter photo.png --kernel sobel" in out


def test_no_command_is_wrong_usage_and_shows_the_help(call: Call) -> None:
    code, out, err = call()
    assert (code, out) == (2, "")
    assert "Usage: convcli [OPTIONS] COMMAND" in err


@pytest.mark.parametrize("name", COMMANDS)
def test_help_leads_with_two_examples_that_work_and_explains_every_option(call: Call, name: str) -> None:
    code, out, err = call(name, "-h")
    assert (code, err) == (0, "")
    usage, examples, rest = out.split("\n\n", 2)
    assert usage.startswith(f"Usage: convcli {name}")
    lines = examples.splitlines()
    assert (lines[0], len(lines)) == ("Examples:", 3)
    assert all(line.startswith(f"  convcli {name} ") for line in lines[1:])
    assert rest
    for parameter in command(name).params:
        if isinstance(parameter, click.Option):
            assert parameter.help, parameter.name


SCREENS = 2 * 24  # lines of 80 columns on two screens


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_fits_two_screens_and_names_every_option(call: Call, name: str) -> None:
    code, out, err = call(name, "--help")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert len(lines) <= SCREENS
    assert max(map(len, lines)) <= 80
    words = set(out.replace(",", " ").replace("/", " ").split())
    for parameter in command(name).params:
        if isinstance(parameter, click.Option):
            assert max(parameter.opts, key=len) in words, parameter.name


@pytest.mark.parametrize("name", COMMANDS)
def test_help_all_explains_every_option_and_all_that_help_says_of_the_command(call: Call, name: str) -> None:
    whole = command(name)
    if not whole.leading:
        assert call(name, "--help-all").code == 2, "--help explains every option"
        return
    assert 8 <= len(whole.leading) <= 11
    short, (code, out, err) = call(name, "--help").out, call(name, "--help-all")
    assert (code, err) == (0, "")
    whole_text, short_text = " ".join(out.split()), " ".join(short.split())
    assert whole_text.startswith(short_text.partition(" Most used options:")[0])
    for parameter in whole.params:
        if isinstance(parameter, click.Option):
            assert " ".join(parameter.help.split())[:30] in whole_text.replace("- ", "-"), parameter.name
    assert f"{name} --help-all" in short
    assert f"See convcli help {', '.join(whole.topics)}." in short_text
    _, _, details = cleandoc(whole.help or "").partition("\f")
    for line in filter(None, details.splitlines()):
        assert " ".join(line.split()) in whole_text and " ".join(line.split()) not in short_text
    below = whole.more() if whole.more is not None else whole.epilog or ""
    assert whole_text.replace("- ", "-").endswith(" ".join(below.split()).replace("- ", "-"))
    context = click.Context(whole, info_name=name, max_content_width=80)
    for parameter in whole.params if whole.groups else ():
        names, text = parameter.get_help_record(context) or ("", "")
        if isinstance(parameter, click.Option) and len(names) <= WIDEST:
            assert len(text) > 80 - WIDEST - 5 or f" {text}\n" in f"{out}\n", "in one line"
    for topic in whole.topics:
        assert call("help", topic).code == 0


def test_help_is_shown_whatever_else_is_wrong(call: Call) -> None:
    for words in (["--help-all", "--k", "x"], ["--k", "x", "--help-all"], ["--k", "x", "--help"]):
        code, out, err = call("shape", *words)
        assert (code, err) == (0, "")
        assert out.startswith("Usage: convcli shape ")


@pytest.mark.parametrize("name", CALCULATORS)
def test_the_examples_in_the_help_run(call: Call, name: str) -> None:
    import shlex

    for example in command(name).examples:
        code, out, err = call(*shlex.split(example)[1:])
        assert (code, err) == (0, "")
        assert out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["shpae"], "No such command 'shpae'; did you mean 'shape'? (see convcli --help)"),
        (["frobnicate"], "No such command 'frobnicate'; use filter, match, diff, learn, kernels, draw, shape, params, cost, compare, networks, tune, config, completion, help (see convcli --help)"),
        (["shape", "--paddding", "1"], "No such option '--paddding'; did you mean '--padding'? (see convcli shape --help)"),
        (["--frob"], "No such option '--frob' (see convcli --help)"),
        (["filter", "x.png", "--match", "t.png"], "No such option '--match'; use convcli match PICTURE --template T (see convcli filter --help)"),
        (["shape", "--format", "xml"], "Invalid value for '--format': 'xml' is not one of 'table', 'json'"),
    ],
)  # fmt: skip
def test_unknown_words_get_a_suggestion(call: Call, words: list[str], message: str) -> None:
    result = call(*words)
    assert result.code == 2
    assert message in one_error(result)


LAYER = ["--n", "9", "--k", "3", "--in", "2", "--out", "4"]


@pytest.mark.parametrize("name", CALCULATORS)
def test_json_has_one_form(call: Call, name: str) -> None:
    code, out, err = call(name, *LAYER, "--format", "json")
    assert (code, err) == (0, "")
    answer = json.loads(out)
    assert list(answer) == ["command", "version", "rows", "totals"]
    assert (answer["command"], answer["version"]) == (name, __version__)
    row = answer["rows"][0]
    for key in ("name", "layer", "variant", "input_shape", "output_shape", "padding", "params", "weights", "biases",
                "multiplications", "additions", "macs", "flops", "parameter_bytes", "activation_bytes",
                "receptive_field", "effective_stride"):  # fmt: skip
        assert key in row
    assert row["input_shape"] == [2, 9, 9]
    assert row["output_shape"] == [4, 7, 7]


@pytest.mark.parametrize("name", CALCULATORS)
@pytest.mark.parametrize(
    ("ending", "form"), [(".json", "json"), (".csv", "csv"), (".md", "markdown"), (".txt", "table")]
)
def test_the_extension_of_o_chooses_the_format(
    call: Call, tmp_path: object, name: str, ending: str, form: str
) -> None:
    path = tmp_path / f"answer{ending}"
    code, out, err = call(name, *LAYER, "-o", path)
    assert (code, out, err) == (0, "", f"convcli: wrote {path}\n")
    assert path.read_text() == call(name, *LAYER, "--format", form).out


def test_an_answer_is_not_overwritten_without_force(call: Call, tmp_path: object) -> None:
    path = tmp_path / "answer.json"
    path.write_text("precious")
    result = call("shape", *LAYER, "-o", path)
    assert result.code == 1
    assert one_error(result) == f"{path} exists; give --force to replace it, or another -o"
    assert path.read_text() == "precious"
    assert call("shape", *LAYER, "-o", path, "--force", "-q") == (0, "", "")
    assert json.loads(path.read_text())


@pytest.mark.parametrize("name", ["shape", "diff", "kernels"])
def test_a_dash_as_output_is_standard_output(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    words = {"shape": "--n 7 --k 3", "diff": "--values 1 --values 1", "kernels": "sobel"}[name].split()
    for form in ("csv", "table"):
        expected = call(name, *words, "--format", form)
        assert expected.code == 0 and expected.out
        assert call(name, *words, "--format", form, "-o", "-") == expected
    assert list(tmp_path.iterdir()) == []


def test_an_option_with_one_value_that_is_given_twice_gets_a_note(call: Call) -> None:
    words = ("shape", "--n", "9", "-k", "3", "--kernel-size", "5", "--format", "value")
    note = "convcli: --kernel-size is given 2 times, and takes one value: the last, '5', is used\n"
    assert call(*words) == (0, "5\n", note)
    assert call(*words, "-q") == (0, "5\n", "")
    twice = ("filter", "--values", "1 2", "--kernel", "1", "--kernel", "1", "--linear", "--linear")
    assert "times" not in call(*twice).err  # each is used, and a flag is the same twice


def test_an_unknown_extension(call: Call, tmp_path: object) -> None:
    result = call("shape", *LAYER, "-o", tmp_path / "answer")
    assert result.code == 2
    assert "has no known ending; end it in .txt .json .csv .md .png .svg, or give --format" in one_error(
        result
    )
    assert call("shape", *LAYER, "-o", tmp_path / "answer", "--format", "csv").code == 0


ANSWERS = [
    "shape --n 9 --layers conv\xa0k3\xa0o4,bn,relu",
    "shape --n 7 --k 3 --target 4",
    "params lenet-5",
    "cost resnet-18 --training --roofline peak=1T,bandwidth=1G",
    "compare --n 9 --k 3 --all",
    "compare lenet-5 alexnet",
    "compare --values 1\xa02\xa03;4\xa05\xa06;7\xa08\xa09 --kernel sobel",
    "diff --values 1\xa02 --values 1\xa03",
    "kernels",
    "kernels kirsch",
    "kernels random --dims 3",
    "networks resnet",
    "learn --random --in 2 --count 2 --size 2",
    "learn --values 1\xa02\xa03;4\xa05\xa07 --values 2\xa04\xa06;8\xa010\xa014 --size 1 --method sgd --steps 3",
    "tune --show",
]


@pytest.mark.parametrize("line", ANSWERS)
def test_every_answer_has_every_format_and_every_field(call: Call, line: str) -> None:
    words = [word.replace("\xa0", " ") for word in line.split(" ")]
    whole = json.loads(call(*words, "--format", "json", "-q").out)
    fields = list(whole["rows"][0])
    for form in ("table", "csv", "markdown"):
        result = call(*words, "--format", form, "-v")
        assert result.code in ((0, 1) if words[0] == "diff" else (0,)), result.err
        assert all(name.split("_")[0].lower() in result.out.lower() for name in fields if "ratio" not in name)
    for name in fields:
        out = call(*words, "--field", name, "-q").out
        assert len(out.splitlines()) == len(whole["rows"]), name


@pytest.mark.parametrize("name", CALCULATORS)
def test_fields(call: Call, name: str) -> None:
    assert call(name, *LAYER, "--field", "macs").out.splitlines()[0] == str(4 * 49 * 2 * 9)
    assert call(name, *LAYER, "--field", "macs,layer", "--format", "csv").out.splitlines()[0] == "macs,layer"
    answer = json.loads(call(name, *LAYER, "--field", "macs,flops", "--format", "json").out)
    assert all(list(row) == ["macs", "flops"] for row in answer["rows"])
    assert set(answer["totals"]) == (set() if name == "compare" else {"macs", "flops"})
    table = call(name, *LAYER, "--field", "flops,layer", "--format", "table").out.splitlines()
    assert table[0].split() == ["FLOPs", "layer"]
    result = call(name, *LAYER, "--field", "mac")
    assert result.code == 2
    assert one_error(result).startswith("there is no field 'mac'; did you mean 'macs'")


@pytest.mark.parametrize("name", [name for name in COMMANDS if name not in ("help", "completion")])
def test_quiet_and_verbose_contradict_each_other(call: Call, name: str) -> None:
    for words in (["-q", "-v"], ["--verbose", "--quiet"], ["--format", "no", "-q", "-v"]):
        if name in ("filter", "match", "draw", "completion"):  # which have no --format
            words = [word for word in words if word not in ("--format", "no")]
        result = call(name, *words)
        assert result.code == 2
        assert one_error(result).startswith("-q and -v contradict each other; give one of them")


def test_fields_of_a_chain_and_of_a_network_are_a_row_a_layer_and_a_value_is_of_the_whole(call: Call) -> None:
    chain = ["--in", "3", "--layers", "conv k3 o8, relu, conv k3 o16"]
    layers = [9 * 3 * 8 + 8, 0, 9 * 8 * 16 + 16]
    assert call("params", *chain, "--field", "name,params").out == "".join(
        f"{name}\t{count}\n" for name, count in zip(["conv1", "relu1", "conv2"], layers)
    )
    assert call("params", *chain, "--field", "params", "--format", "value").out == f"{sum(layers)}\n"
    counts = call("params", "lenet-5", "--field", "params").out.splitlines()
    assert len(counts) > 5
    assert call("params", "lenet-5", "--format", "value").out == f"{sum(map(int, counts))}\n"


@pytest.mark.parametrize("name", CALCULATORS)
def test_verbosity(call: Call, name: str) -> None:
    usual, quiet, loud = (call(name, *LAYER, *words).out.splitlines() for words in ([], ["-q"], ["-v"]))
    assert len(quiet) < len(usual)
    assert usual[: len(quiet)] == quiet
    assert "arithmetic intensity" in loud[0]
    assert "arithmetic intensity" not in usual[0]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--n", "7"], "the kernel size is missing; give --k, such as --k 3, or a chain with --layers"),
        (["--n", "0", "--k", "3"], "the input's height must be at least 1, got 0"),
        (["--n", "7", "--k", "0"], "kernel_size must be at least 1, got 0"),
        (["--n", "7", "--k", "3", "--s", "0"], "stride must be at least 1, got 0"),
        (["--n", "7", "--k", "3", "--d", "0"], "dilation must be at least 1, got 0"),
        (["--n", "7", "--k", "3", "--in", "0"], "in_channels must be at least 1, got 0"),
        (["--n", "7", "--k", "3", "--s", "-1"], "'-1' is below 0, and must be at least 0"),
        (["--n", "7", "--k", "3", "--p", "-1"], "'-1' is below 0, and must be at least 0"),
        (["--n", "7", "--k", "3.5"], "'3.5' is not a size"),
        (["--n", "7", "--k", "3", "--in", "6", "--out", "4", "--groups", "3"], "out_channels 4 cannot be divided into 3"),
        (["--n", "7", "--k", "3", "--in", "4", "--out", "6", "--groups", "3"], "in_channels 4 cannot be divided into 3"),
        (["--n", "2", "--k", "5"], "the output would be empty: along the height the kernel spans 5"),
        (["--n", "7x7", "--k", "3x3x3"], "--n with 2 axes and --k with 3 axes contradict each other"),
        (["--n", "7x7", "--k", "3", "--dims", "1"], "--dims 1 and --n with 2 axes contradict each other"),
        (["--n", "7", "--k", "3", "--output-padding", "1"], "--output-padding applies only to --variant transposed; leave it out"),
        (["--n", "7", "--k", "3", "--transposed", "--output-padding", "2"], "output_padding 2 must be below the stride 2"),
        (["--n", "7", "--k", "3", "--transposed", "--variant", "tiled"], "--transposed and --variant tiled contradict"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ["shape", "params", "cost"])
def test_wrong_layers_are_one_line_and_code_2(call: Call, name: str, words: list[str], message: str) -> None:
    result = call(name, *words)
    assert result.code == 2
    assert message in one_error(result)


def test_without_colour_and_terminal_the_table_is_plain(
    program: Callable[..., subprocess.CompletedProcess[bytes]],
) -> None:
    assert b"\x1b" not in program("shape", *LAYER).stdout


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_an_answer_on_a_full_disk(unbuffered: str) -> None:
    import sys
    from pathlib import Path

    from tests.conftest import ROOT

    with Path("/dev/full").open("wb") as full:
        run = subprocess.run(
            [sys.executable, "-m", "convcli", "shape", *LAYER],
            cwd=ROOT,
            env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert run.returncode == 1
    assert run.stderr == "convcli: error: cannot write to standard output: No space left on device\n"
