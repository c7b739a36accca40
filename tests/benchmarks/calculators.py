"""The calculators as whole processes, compared with a Python process that only imports Click."""

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.benchmarks.peers import Peer
from tests.benchmarks.tools import run

CALCULATORS = {
    "shape": "shape --n 7 --k 3 --s 2 --p 1",
    "params": "params --in 64 --out 128 --k 3",
    "cost": "cost --n 112 --in 64 --out 128 --k 3 --p 1",
    "compare": "compare --n 112 --in 64 --out 128 --k 3 --p 1",
}
LIMIT = 1.25
RUNS = 5  # of one sample: a process takes a twentieth of a second


def ours(arguments: str, seconds: float) -> Callable[[Any], int]:
    """Return some runs of a calculator."""
    return lambda _: _several([sys.executable, "-m", "convcli", *arguments.split()], seconds)


def peer(seconds: float) -> Peer:
    """Return as many runs of Python that import Click."""
    return Peer("import click", lambda _: _several([sys.executable, "-c", "import click"], seconds), LIMIT)


def _several(command: list[str], seconds: float) -> int:
    """Run a command several times, away from this project's settings; return 0, the exit code of each."""
    for _ in range(RUNS):
        run(command, seconds, Path(tempfile.gettempdir()))
    return 0
