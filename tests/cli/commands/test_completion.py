"""convcli completion: completions by Click and in a real bash."""

import shutil
import subprocess
import sys

import click
import pytest
from click.shell_completion import ShellComplete

from convcli.cli import COMMANDS, VARIABLE, group
from convcli.cli.completed_words import prepare_completion
from convcli.filters.stages.mixing import MIXINGS
from convcli.kernels import parse_kernel
from convcli.kernels.named import KERNELS
from convcli.layers.padding import MODES, NAMES
from convcli.layers.text.pool_grammar import FIXED, WINDOWS, parse_pool
from convcli.networks.zoo.index import ZOO
from tests.conftest import Call, one_error
from tests.paths import ROOT


def completed(*words: str) -> list[str]:
    """Return what Click offers for the last word; ~ for files."""
    found = ShellComplete(group, {}, "convcli", VARIABLE).get_completions(list(words[:-1]), words[-1])
    return ["~" if item.type == "file" else item.value for item in found]


def test_commands_and_options() -> None:
    assert completed("") == list(COMMANDS)
    assert completed("filter", "--padding-") == ["--padding-mode", "--padding-value"]
    assert completed("completion", "") == ["bash", "zsh", "fish"]


@pytest.mark.parametrize("words", [("filter", "--kernel"), ("draw", "--kernel"), ("kernels",)], ids=" ".join)
def test_kernels_with_their_arguments(words: tuple[str, ...]) -> None:
    assert completed(*words, "") == list(KERNELS)
    assert completed(*words, "gau") == ["gaussian"]
    assert completed(*words, "gaussian") == ["gaussian", "gaussian:"]
    assert completed(*words, "gaussian:") == ["gaussian:sigma=", "gaussian:size="]
    assert completed(*words, "gaussian:sigma=2,") == ["gaussian:sigma=2,size="]
    assert completed(*words, "gaussian:sigma=2,size=5") == []
    assert completed(*words, "identity:") == []
    assert completed(*words, "sharp.npy") == ["~"]


@pytest.mark.parametrize("name", KERNELS)
def test_every_argument_that_is_offered_is_taken(name: str) -> None:
    for spec in completed("filter", "-k", f"{name}:"):
        parse_kernel(f"{spec}3")


def test_names() -> None:
    assert completed("filter", "--padding-mode", "") == list(MODES)
    assert completed("learn", "--padding-mode", "re") == ["reflect", "replicate"]
    assert completed("filter", "--padding", "") == list(NAMES)
    assert completed("filter", "--pointwise", "") == list(MIXINGS)
    assert completed("filter", "--pointwise", "m.npy") == ["~"]
    assert completed("filter", "--offsets", "swirl:") == ["swirl:strength=", "swirl:radius="]
    assert "tilt-shift" in completed("filter", "--local", "")
    assert completed("cost", "resnet-3") == ["resnet-34"]
    assert completed("filter", "--network", "") == list(ZOO)
    assert completed("compare", "--variants", "standard,sep") == ["standard,separable"]


def test_pools() -> None:
    for name in completed("filter", "--pool", ""):
        assert name in {*WINDOWS, *FIXED}
        for spec in completed("filter", "--pool", f"{name}:"):
            parse_pool(
                spec + ("yes" if spec.endswith("ceil=") else "2") + ("" if "size" in spec else ",size=2")
            )


def test_layers_of_a_chain() -> None:
    assert completed("shape", "--layers", "conv k3, maxp") == ["conv k3, maxpool"]
    assert completed("shape", "--layers", "conv k3,maxp") == ["conv k3, maxpool"]
    assert "conv" in completed("shape", "--layers", "")


@pytest.mark.parametrize(
    "words", [("filter",), ("diff",), ("learn",), ("filter", "-o"), ("match", "--template")]
)
def test_files(words: tuple[str, ...]) -> None:
    assert completed(*words, "pho") == ["~"]


def test_every_shell_has_a_script(call: Call) -> None:
    for shell, start in (("bash", "complete -o"), ("zsh", "compdef"), ("fish", "complete --no-files")):
        found = call("completion", shell)
        assert (found.code, found.err) == (0, "")
        assert start in found.out
        assert f"{VARIABLE}={shell}_complete" in found.out


def test_another_shell_is_refused(call: Call) -> None:
    assert "'tcsh' is not one of" in one_error(call("completion", "tcsh"))


ASK = """\
[[ -n $2 ]] && COMP_WORDBREAKS=${COMP_WORDBREAKS//[$2]}
eval "$(convcli completion bash)"
COMP_LINE=$1 COMP_POINT=${#1}
_convcli_completion convcli
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
@pytest.mark.parametrize(
    ("line", "found", "removed"),
    [
        ("convcli filter --kernel gau", ["gaussian"], ""),
        (
            "convcli filter --kernel gaussian:si",
            ["sigma=", "size="],
            "",
        ),  # bash completes only the part after the colon
        ("convcli filter --kernel=gaussian:si", ["sigma=", "size="], ""),
        ("convcli filter -k gaussian:sigma=2,s", ["2,size="], ""),
        ("convcli filter -k 'gaussian:sigma=2,s", ["gaussian:sigma=2,size="], ""),
        ("convcli filter 'a picture.png' --padding-mode sy", ["symmetric"], ""),
        # Where COMP_WORDBREAKS lacks a character, the part before it is completed, too.
        ("convcli filter --kernel gaussian:si", ["gaussian:sigma=", "gaussian:size="], ":"),
        ("convcli filter -k gaussian:sigma=2,s", ["gaussian:sigma=2,size="], ":="),
        ("convcli filter --kernel=gaussian:sig", ["--kernel=gaussian:sigma="], ":="),
        ("convcli filter pho", [""], ""),  # is left to bash
    ],
)
def test_bash(tmp_path, line: str, found: list[str], removed: str) -> None:
    program = tmp_path / "convcli"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m convcli "$@"\n')
    program.chmod(0o755)
    done = subprocess.run(
        ["bash", "--norc", "-c", ASK, "ask", line, removed],
        env={"PATH": f"{tmp_path}:/usr/bin:/bin", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.splitlines() == found
    assert done.stderr == ""


def test_completion_ends_in_a_context_of_the_program() -> None:
    prepare_completion()
    from click.shell_completion import get_completion_class

    found = get_completion_class("bash")
    assert found is not None
    assert isinstance(found(group, {}, "convcli", VARIABLE), click.shell_completion.BashComplete)
