"""Freed memory is reused by the next arrays, in any thread, until it is returned to the system."""

import os
import platform
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(
    platform.libc_ver()[0] != "glibc", reason="only glibc can be told to keep memory"
)

FAULTS = """
import resource, sys
from concurrent.futures import ThreadPoolExecutor
import numpy as np
from convcli.memory import keep_freed, return_freed

def fill(number):
    np.empty(40 << 20, np.uint8).fill(number)

if sys.argv[1] == "kept":
    keep_freed()
with ThreadPoolExecutor(1) as pool:
    list(pool.map(fill, range(2)))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    list(pool.map(fill, range(8)))
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
return_freed()
print(int(open("/proc/self/statm").read().split()[1]) * resource.getpagesize() >> 20)
"""


def test_freed_memory_is_kept_and_can_be_returned() -> None:
    faults, resident = {}, {}
    for how in ("kept", "usual"):
        found = subprocess.run(
            [sys.executable, "-c", FAULTS, how],
            env={
                **os.environ,
                "NUMPY_MADVISE_HUGEPAGE": "0",
            },  # huge pages would be few faults, or not to be had
            capture_output=True,
            text=True,
            check=True,
        )
        faults[how], resident[how] = map(int, found.stdout.split())
    assert faults["kept"] * 3 < faults["usual"]  # pages that the system had to fill
    assert resident["kept"] <= resident["usual"] + 4
