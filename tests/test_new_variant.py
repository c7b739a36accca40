"""A variant of known layers is one entry in the table, and every command has it; nothing else lists variants."""

import ast
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from convcli.filters.request import Request
from convcli.layers import VARIANTS
from tests.conftest import ROOT, SAMPLES
from tests.reference import conv

# A program that adds a variant, and then runs the command line.
NEW = """
import sys
from dataclasses import replace
from convcli.layers import VARIANTS, Resize, VariantSpec

def conv_resize(conv):
    return replace(conv, stride=(1,) * conv.dims), Resize(scale=conv.stride)

VARIANTS["conv-resize"] = VariantSpec(
    "conv-resize", "Convolve, then enlarge by the stride.", conv_resize, enlarges=True
)
from convcli.cli import main
main(sys.argv[1:])
"""
Run = Callable[..., str]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run a command line of a program that has the variant; return what it prints."""

    def run(*words: object, **environment: str) -> str:
        command = [sys.executable, "-c", NEW, *map(str, words)]
        env = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
        done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


LAYER = "--n 9 --in 4 --out 8 --k 3 --p 1".split()


def test_the_calculators_have_a_new_variant(run: Run) -> None:
    """A convolution of stride 1 on 9 x 9, then a picture twice as large."""
    assert run("shape", *LAYER, "--variant", "conv-resize", "--format", "value") == "18\n"
    assert run("shape", *LAYER, "--s", "3", "--variant", "conv-resize", "--format", "value") == "27\n"
    assert run("params", *LAYER, "--variant", "conv-resize", "--format", "value") == f"{8 * 4 * 9 + 8}\n"
    assert run("cost", *LAYER, "--variant", "conv-resize", "--field", "macs") == f"{81 * 8 * 4 * 9}\n0\n"


def test_compare_has_it_on_paper_and_on_a_picture(run: Run, tmp_path: Path) -> None:
    text = run("compare", *LAYER, "--variants", "conv-resize")
    assert "conv-resize: Convolve, then enlarge by the stride." in text
    rows = json.loads(run("compare", *LAYER, "--all", "--format", "json"))["rows"]
    (row,) = (row for row in rows if row["variant"] == "conv-resize")
    assert (row["ratio"], row["output_shape"]) == (1, [8, 18, 18])
    with Image.open(SAMPLES / "landscape.png") as image:
        image.crop((0, 0, 30, 20)).save(tmp_path / "in.png")
    words = ("compare", "in.png", "--kernel", "sobel", "--variants", "conv-resize")
    (row,) = json.loads(run(*words, "--format", "json"))["rows"]
    assert (row["variant"], row["output_shape"]) == ("conv-resize", [3, 40, 60])
    assert row["macs"] == 2 * 20 * 30 * 3 * 9
    assert "Convolve, then enlarge by the stride. Here: stride 2." in run(*words)


@pytest.mark.parametrize("anchor", [(), ("--anchor", "0,2")])
def test_filter_has_it(run: Run, tmp_path: Path, anchor: tuple[str, ...]) -> None:
    x = np.random.default_rng(0).standard_normal((6, 7, 3))
    np.save(tmp_path / "in.npy", x)
    words = ("-k", "1 2 3; 0 1 0; -1 0 4", "--variant", "conv-resize", "--padding-mode", "zeros", *anchor)
    run("filter", "in.npy", *words, "-o", "out.npy", "-q")
    weight = np.broadcast_to(np.array([[1, 2, 3], [0, 1, 0], [-1, 0, 4]], float), (3, 1, 3, 3))
    pads = ((0, 2), (2, 0)) if anchor else ((1, 1), (1, 1))
    options = {"stride": (1, 1), "pads": pads, "dilation": (1, 1), "groups": 3}
    small = np.moveaxis(conv(np.moveaxis(x, 2, 0)[np.newaxis], weight, **options)[0], 0, 2)
    np.testing.assert_allclose(np.load(tmp_path / "out.npy"), small.repeat(2, 0).repeat(2, 1), atol=1e-5)


def test_filter_refuses_what_it_does_not_take(run: Run) -> None:
    with pytest.raises(
        AssertionError, match="--rank has no use with --variant conv-resize; it belongs to separable"
    ):
        run("filter", SAMPLES / "house.png", "-k", "box", "--variant", "conv-resize", "--rank", 1)


@pytest.mark.parametrize("command", ["filter", "shape", "params", "cost", "compare"])
def test_help_and_the_shell_have_it(run: Run, command: str) -> None:
    assert "conv-resize" in " ".join(run(command, "--help-all").split())
    option = "--variants" if command == "compare" else "--variant"
    words = {"_CONVCLI_COMPLETE": "bash_complete"}
    found = run(**words, COMP_LINE=f"convcli {command} {option} conv-").split()
    assert found == ["plain,conv-resize"]
    if command == "compare":
        found = run(**words, COMP_LINE=f"convcli {command} {option} dense,de").split()
        assert found == [f"plain,dense,{name}" for name in VARIANTS if name.startswith("de")]


# Modules whose names stand for something else: operators of a chain, modules and operators of a package.
OF_THEIR_OWN = (
    "layers/text/operators.py",
    "layers/text/foreign_layers.py",
    "layers/text/format_layer.py",
    "backend/__init__.py",
    "layers/__init__.py",
)
OPTIONS = set(Request._fields)  # --pointwise and --local are options too


def listed(tree: ast.AST) -> Iterator[tuple[int, set[str]]]:
    """Yield the variants that one literal names, or one comparison of something called a variant."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Tuple | ast.List | ast.Set):
            found = {each.value for each in node.elts if isinstance(each, ast.Constant)}
            yield node.lineno, found & VARIANTS.keys() - OPTIONS
        elif isinstance(node, ast.Dict):
            keys = {each.value for each in node.keys if isinstance(each, ast.Constant)}
            values = {each.value for each in node.values if isinstance(each, ast.Constant)}
            yield node.lineno, keys & VARIANTS.keys() - OPTIONS
            yield node.lineno, values & VARIANTS.keys() - OPTIONS


def compared(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield the names that something called a variant is compared with."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare) and "variant" in ast.unparse(node):
            for each in ast.walk(node):
                if isinstance(each, ast.Constant) and each.value in VARIANTS:
                    yield node.lineno, each.value


def test_no_other_module_lists_variants() -> None:
    package = ROOT / "convcli"
    left = {package / name for name in ("layers/variants.py", *OF_THEIR_OWN)}
    for module in sorted(set(package.rglob("*.py")) - left):
        tree = ast.parse(module.read_text())
        found = [(line, sorted(names)) for line, names in listed(tree) if len(names) > 1]
        assert not [*found, *compared(tree)], module


def test_lists_of_variants_are_detected() -> None:
    tree = ast.parse('A = ("tiled", "x", "dense")\nB = {"tiled": 1, "dense": 2}\nif variant == "tiled": ...')
    assert [(line, sorted(names)) for line, names in listed(tree)] == [
        (1, ["dense", "tiled"]),
        (2, ["dense", "tiled"]),
        (2, []),
    ]
    assert list(compared(tree)) == [(3, "tiled")]
