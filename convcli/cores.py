"""The number of cores that this process may use."""

import os
from functools import cache
from pathlib import Path

# The CPU limit of the control group: "quota period" in one file (version 2), or each in a separate file (version 1).
_QUOTA = Path("/sys/fs/cgroup/cpu.max")
_QUOTAS = (Path("/sys/fs/cgroup/cpu/cpu.cfs_quota_us"), Path("/sys/fs/cgroup/cpu/cpu.cfs_period_us"))


@cache
def cores() -> int:
    """Return the number of cores: those that the process may run on, and no more than a container's quota."""
    try:
        count = len(os.sched_getaffinity(0))
    except (AttributeError, OSError):  # macOS has no affinity
        count = os.cpu_count() or 1
    quota = _quota()
    return count if quota is None else min(count, quota)


def _quota() -> int | None:
    """Return the number of cores that the control group may use, rounded up, at least 1; None if there is no limit."""
    for files in ((_QUOTA,), _QUOTAS):
        try:
            quota, period = " ".join(file.read_text() for file in files).split()
            return -(-int(quota) // int(period)) if int(quota) > 0 else None
        except (OSError, ValueError, ZeroDivisionError):  # no such file, or no limit ("max")
            continue
    return None
