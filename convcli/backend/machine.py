"""The machine that plans are made for: its cache size and the costs of operations, default or measured.

Measured costs are kept in the user's cache folder, together with the processor and the versions that they hold for.
They only affect which algorithm is chosen: samples of 8 and 16 bits are the same with every algorithm.
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

FORMAT = 1  # version of the file; other versions are ignored
# Default size of a core's second-level cache in bytes, if the system does not report it.
USUAL_CACHE = 1 << 20
MIN_CACHE, MAX_CACHE = 1 << 18, 1 << 21  # range of cache sizes that tiles are adapted to
CACHES = Path("/sys/devices/system/cpu/cpu0/cache")  # on Linux
FAR_OFF = 8  # measured costs are limited to this factor above and below the defaults


class Costs(NamedTuple):
    """The costs of operations on one core, in picoseconds; only their ratios matter.

    pass16 : one addition or multiplication of an int16 sample in cache
    pass32, pass64 : the same for int32 or float32, and for float64
    flop32, flop64 : one multiplication or addition in a small matrix product
    gather : adding matrix products to each other, per sample
    transform : forward and inverse FFT in float32, per sample of a tile

    The defaults are those of an x86-64 server core.
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
    """The properties of the machine that plans depend on.

    cache : size of a core's second-level cache in bytes
    costs : costs of operations
    measured : whether the costs were measured on this machine
    avx512 : whether the processor has AVX-512, with which OpenBLAS sums small products in another order
    """

    cache: int = USUAL_CACHE
    costs: Costs = USUAL
    measured: bool = False
    avx512: bool = False

    def scaled(self, usual: int, like: str) -> int:
        """Scale a time that is `usual` picoseconds with default costs, for work proportional to the cost `like`."""
        return usual * int(getattr(self.costs, like)) // int(getattr(USUAL, like))

    @property
    def fitting(self) -> float:
        """The factor of the tile size that fits this cache, relative to the default cache."""
        return min(MAX_CACHE, max(MIN_CACHE, self.cache)) / USUAL_CACHE


@cache
def machine() -> Machine:
    """Return this machine, with measured costs if there are any."""
    measured = stored_costs(costs_file())
    return Machine(second_level_cache(), measured or USUAL, measured is not None, has_avx512())


def has_avx512() -> bool:
    """Return whether NumPy detected AVX-512 in the processor; False if NumPy does not report it."""
    with suppress(ImportError, AttributeError, KeyError):
        found = import_module("numpy._core._multiarray_umath")  # untyped
        return bool(found.__cpu_features__["AVX512_SKX"])
    return False


def second_level_cache() -> int:
    """Return the size of a core's second-level cache in bytes, or the default if the system does not report it."""
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
    """Return the file of measured costs, in the user's cache folder; None if there is no such folder."""
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
    """Return what measured costs are valid for: this processor, and the versions of NumPy and its BLAS."""
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
    """Return the costs in a file; None if it is missing, damaged or from another machine."""
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
    """Return the contents of a file for `stored_costs`: costs, and what they are valid for."""
    return json.dumps({"format": FORMAT, "held_for": held_for(), "costs": costs._asdict()}, indent=2) + "\n"


def sensible(costs: Costs) -> Costs:
    """Return measured costs, limited to a plausible range around the defaults."""
    usual = USUAL._asdict()
    return Costs(
        **{
            name: max(1, usual[name] // FAR_OFF, min(value, usual[name] * FAR_OFF))
            for name, value in costs._asdict().items()
        }
    )


def _processor() -> str:
    """Return the name of the processor."""
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
