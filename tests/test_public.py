"""The public names, loaded on first use."""

import ast
from types import ModuleType

import pytest

import convcli
from convcli import backend
from tests.conftest import ROOT


@pytest.mark.parametrize(
    "package", [convcli, convcli.layers, convcli.networks], ids=lambda package: package.__name__
)
def test_every_public_name_exists(package: ModuleType) -> None:
    for name in package.__all__:
        assert getattr(package, name) is getattr(package, name)
    assert dir(package) == sorted(package.__all__)
    assert set(package.__all__) - {"__version__"} == set(package._HOME)


@pytest.mark.parametrize(
    "package", [convcli, convcli.layers, convcli.networks], ids=lambda package: package.__name__
)
def test_an_unknown_name_is_an_attribute_error(package: ModuleType) -> None:
    with pytest.raises(AttributeError, match=f"module '{package.__name__}' has no attribute 'convolve'"):
        _ = package.convolve


def test_the_example_program_uses_every_public_name() -> None:
    tree = ast.parse((ROOT / "tests" / "public_api.py").read_text(encoding="utf-8"))
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    used |= {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    assert set(convcli.__all__) <= used


@pytest.mark.parametrize("name", backend.__all__)
def test_every_operator_is_documented_with_an_example(name: str) -> None:
    text = getattr(backend, name).__doc__
    assert ">>> from convcli import" in text
    assert text.splitlines()[0].endswith(".")


@pytest.mark.parametrize("name", ["match", "diff"])
def test_every_calculator_is_documented_with_an_example(name: str) -> None:
    text = getattr(convcli, name).__doc__
    assert f"convcli.{name}(" in text
    assert "Parameters" in text and "Raises" in text
