import subprocess
import sys
from pathlib import Path

import pytest

import convcli.layers

MODULES = sorted(path.stem for path in Path(convcli.layers.__file__).parent.glob("*.py"))
HEAVY = ("numpy", "scipy", "PIL", "click", "rich")
SLOW = ("json", "fractions", "decimal", "textwrap", "difflib")


def loaded(code):
    """Run code in a fresh interpreter; return the modules that it loaded."""
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys; print(*sys.modules)"],
        capture_output=True, text=True, check=True, cwd=Path(convcli.layers.__file__).parents[2],
    )  # fmt: skip
    return set(done.stdout.split())


def test_no_module_imports_more_than_the_standard_library():
    names = loaded("import convcli.layers\n" + "\n".join(f"import convcli.layers.{name}" for name in MODULES))
    assert not names.intersection(HEAVY)
    assert {f"convcli.layers.{name}" for name in MODULES if name != "__init__"} <= names


def test_a_convolution_waits_for_no_other_layer():
    names = loaded(
        "from convcli.layers import VARIANTS, Conv\n"
        "from convcli.layers.chain import rows\n"
        "from convcli.layers.explain import size_lines\n"
        "layer = Conv(in_channels=3, out_channels=8, kernel_size=3, padding=1)\n"
        "rows(VARIANTS['depthwise-separable'](layer, None), (3, 9, 9)); size_lines(layer, (3, 9, 9))"
    )
    assert not names.intersection(HEAVY + SLOW)
    ours = {name.removeprefix("convcli.layers.") for name in names if name.startswith("convcli.layers.")}
    assert not ours.intersection(
        {"pool", "other", "activation", "transposed", "unshared", "deform", "grammar"}
    )


def test_every_public_name_is_there():
    for name in convcli.layers.__all__:
        assert getattr(convcli.layers, name) is not None
    assert dir(convcli.layers) == sorted(convcli.layers.__all__)
    with pytest.raises(AttributeError, match=r"module 'convcli\.layers' has no attribute 'Convolute'"):
        _ = convcli.layers.Convolute
