"""The machine that plans are made for: its caches, and what sums cost on it, usual values or measured ones.

What was measured is kept in the user's cache folder, beside the processor and the versions that it holds for. It
decides which way is taken, and no more: samples of 8 and 16 bits come out the same by every way.
"""

import json
import os
import platform
import sys
from contextlib import suppress
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

FORMAT = 1  # of the file; others are not read
USUAL_CACHE = 1 << 20  # bytes of the second-level cache of a core, where the system does not tell
LEAST_CACHE, MOST_CACHE = 1 << 18, 1 << 21  # between which tiles are fitted to it
CACHES = Path("/sys/devices/system/cpu/cpu0/cache")  # of Linux
FAR_OFF = 8  # times the usual cost, or a share of it: a measurement beyond is none


class Costs(NamedTuple):
    """What work costs on one core, in picoseconds; only how they compare to each other matters.

    pass16 : one addition or multiplication of a sample of int16 in cache
    pass32, pass64 : the same of int32 or float32, and of float64
    flop32, flop64 : one multiplication or addition of a small matrix product
    gather : adding one product of matrices to the others, a sample
    transform : there and back by FFT in float32, a sample of a tile

    The usual values are those of an x86-64 server core.
    """

    pass16: int = 60
    pass32: int = 130
    pass64: int = 280
    flop32: int = 12
    flop64: int = 24
    gather: int = 160
    transform: int = 14_000


USUAL = Costs()


class Machine(NamedTuple):
    """What plans ask of the machine.

    cache : bytes of the second-level cache of a core
    costs : what sums cost
    measured : whether the costs were measured here
    avx512 : whether the processor has AVX-512, for which OpenBLAS sums small products differently
    """

    cache: int = USUAL_CACHE
    costs: Costs = USUAL
    measured: bool = False
    avx512: bool = False

    def scaled(self, usual: int, like: str) -> int:
        """Return what takes `usual` picoseconds where costs are usual, for work that grows with one of the costs."""
        return usual * int(getattr(self.costs, like)) // int(getattr(USUAL, like))

    @property
    def fitting(self) -> float:
        """How many times as large as for the usual cache the tiles are that stay in this one."""
        return min(MOST_CACHE, max(LEAST_CACHE, self.cache)) / USUAL_CACHE


@cache
def machine() -> Machine:
    """Return this machine, with the costs that were measured on it if there are any."""
    measured = stored_costs(costs_file())
    return Machine(second_level_cache(), measured or USUAL, measured is not None, has_avx512())


def has_avx512() -> bool:
    """Tell whether NumPy found AVX-512 in the processor; False if it does not say."""
    with suppress(ImportError, AttributeError, KeyError):
        found = import_module("numpy._core._multiarray_umath")  # which has no types
        return bool(found.__cpu_features__["AVX512_SKX"])
    return False


def second_level_cache() -> int:
    """Return the bytes of a core's second-level cache, or the usual ones where the system does not tell."""
    with suppress(OSError, ValueError):
        for index in CACHES.glob("index*"):
            if (index / "level").read_text().strip() == "2":
                text = (index / "size").read_text().strip()
                return int(text.removesuffix("K")) << 10 if text.endswith("K") else int(text)
    with suppress(AttributeError, OSError, ValueError):
        size = os.sysconf("SC_LEVEL2_CACHE_SIZE")
        if size > 0:
            return size
    return USUAL_CACHE


def costs_file() -> Path | None:
    """Return where measured costs are kept, in the user's cache folder; None if there is no such folder."""
    given = os.environ.get("XDG_CACHE_HOME" if sys.platform != "win32" else "LOCALAPPDATA")
    if given and Path(given).is_absolute():
        return Path(given, "convcli", "costs.json")
    try:
        home = Path.home()
    except RuntimeError:
        return None
    folder = {"darwin": "Library/Caches", "win32": "AppData/Local"}.get(sys.platform, ".cache")
    return home / folder / "convcli" / "costs.json"


def held_for() -> dict[str, str]:
    """Return what measured costs hold for: this processor, and the versions of NumPy and its BLAS."""
    import numpy as np

    blas: Any = {}
    with suppress(AttributeError, KeyError, TypeError):
        config: Any = np.show_config(mode="dicts")
        blas = config["Build Dependencies"]["blas"]
    return {
        "processor": _processor(),
        "cores": str(os.cpu_count()),
        "numpy": np.__version__,
        "blas": f"{blas.get('name', '')} {blas.get('version', '')}".strip(),
    }


def stored_costs(file: Path | None) -> Costs | None:
    """Return the costs that a file holds for this machine; None if it is missing, damaged or another machine's."""
    try:
        found = json.loads(file.read_text()) if file is not None else None
    except (OSError, ValueError):
        return None
    if not isinstance(found, dict) or found.get("format") != FORMAT or found.get("held_for") != held_for():
        return None
    costs = found.get("costs")
    if not isinstance(costs, dict) or set(costs) != set(Costs._fields):
        return None
    if not all(type(value) is int and value > 0 for value in costs.values()):
        return None
    return Costs(**costs)


def record_of(costs: Costs) -> str:
    """Return what `stored_costs` reads: costs, and what they hold for."""
    return json.dumps({"format": FORMAT, "held_for": held_for(), "costs": costs._asdict()}, indent=2) + "\n"


def sensible(costs: Costs) -> Costs:
    """Return measured costs, none of them farther from the usual than machines are."""
    usual = USUAL._asdict()
    return Costs(
        **{
            name: max(1, usual[name] // FAR_OFF, min(value, usual[name] * FAR_OFF))
            for name, value in costs._asdict().items()
        }
    )


def _processor() -> str:
    """Name the processor as the system does."""
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
