"""The same samples on every processor, by every method, on any number of threads: a committed table of hashes."""

import os
import subprocess
import sys
from collections.abc import Iterator

import numpy as np
import pytest
from numpy._core._multiarray_umath import __cpu_dispatch__, __cpu_features__

from convcli.errors import ArgumentError
from convcli.filters.tiles import tile_plan
from tests.conftest import ROOT
from tests.fingerprints import FEW, OPTIONS, STAGES, TABLE, fingerprint, stage_fingerprint, table

KNOWN = {what: digest for digest, what in (line.split("  ", 1) for line in TABLE.read_text().splitlines())}

# The processors that OpenBLAS has kernels for, and the features that each needs, by NumPy's names.
CORES = {
    "Prescott": "SSE3",
    "Sandybridge": "AVX",
    "Haswell": "AVX2",
    "Zen": "AVX2",
    "SkylakeX": "AVX512_SKX",
}


def environments() -> Iterator[dict[str, str]]:
    """Return variables that make NumPy and OpenBLAS use other instructions than the best of this processor."""
    for core, feature in CORES.items():
        if __cpu_features__.get(feature):
            yield {"OPENBLAS_CORETYPE": core}
    dispatched = [name for name in __cpu_dispatch__ if __cpu_features__.get(name)]
    if dispatched:
        yield {"NPY_DISABLE_CPU_FEATURES": " ".join(dispatched)}


# A crash of BLAS itself is not a failure of the project: one build crashes when set to another processor.
PRODUCTS = "import numpy as np\nfor _ in range(99): np.random.rand(209, 961) @ np.random.rand(961, 256)"


def skip_if_products_crash(environment: dict[str, str]) -> None:
    """Skip a test if plain matrix products crash the process."""
    done = subprocess.run([sys.executable, "-c", PRODUCTS], env={**os.environ, **environment}, check=False)
    if done.returncode:
        pytest.skip(f"products of NumPy {np.__version__} crash with {environment}")


def test_this_processor_gives_the_samples_of_the_table() -> None:
    assert table() == TABLE.read_text()


@pytest.mark.parametrize(
    ("first", "environment"), list(enumerate(environments())), ids=lambda each: str(each).strip("{}")
)
def test_other_instructions_give_the_same_samples(first: int, environment: dict[str, str]) -> None:
    step = 3  # each environment runs a third of the cases, so that each case runs in about two of them
    child = subprocess.run(
        [sys.executable, "-m", "tests.fingerprints", str(first % step), str(step)],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    if child.returncode < 0:
        skip_if_products_crash(environment)
    assert child.returncode == 0, child.stderr
    assert child.stdout == "".join(TABLE.read_text().splitlines(keepends=True)[first % step :: step])


@pytest.mark.parametrize("method", ["direct", "separable", "gemm", "fft"])
@pytest.mark.parametrize("spec", FEW)
def test_every_method_gives_the_same_samples(method: str, spec: str) -> None:
    for name in ("landscape.png", "logo.png", "ramp16.png"):
        for option in ("", *OPTIONS):
            what = ", ".join(part for part in (name, spec, option) if part)
            if what not in KNOWN:
                continue
            try:
                assert fingerprint(name, spec, option, method=method) == KNOWN[what], what
            except ArgumentError as error:
                assert "whose rank is above 1" in str(error)
                assert method == "separable"


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("spec", FEW)
def test_any_number_of_threads_gives_the_same_samples(threads: int, spec: str) -> None:
    for name in ("landscape.png", "logo.png", "ramp16.png"):
        assert fingerprint(name, spec, "", threads=threads) == KNOWN[f"{name}, {spec}"]


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("stages", STAGES)
def test_stages_give_the_same_samples_on_any_number_of_threads_in_tiles_of_any_size(
    threads: int, stages: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, size in (("logo.png", 100), ("ramp16.png", 1000)):
        monkeypatch.setattr(tile_plan, "WIDE", size * threads)
        monkeypatch.setattr(tile_plan, "TALL", 20 + threads)
        assert stage_fingerprint(name, stages, threads) == KNOWN[f"{name}, {stages}"]
