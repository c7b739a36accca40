"""The workers of a Dask cluster as an executor, through the extra convcli[cluster]."""

import logging
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from typing import Any

from convcli.errors import ConvcliError, install_extra

PATIENCE = 5  # seconds for a scheduler to answer, and for a first worker


class ClusterError(ConvcliError):
    """The cluster cannot be used."""


@contextmanager
def connected(address: str) -> Iterator[tuple[Executor, int, tuple[type[Exception], ...]]]:
    """Connect to a cluster; yield an executor, its number of parallel jobs, and the errors with which a job fails.

    Raises ClusterError if the extra is not installed, if no scheduler answers, or if it has no workers.
    """
    try:
        import distributed
        from distributed.comm.core import CommClosedError
    except ImportError:
        raise ClusterError(
            f"`cluster` needs Dask, which is not installed; install the extra: {install_extra('cluster')}"
        ) from None
    for (
        name
    ) in logging.root.manager.loggerDict:  # lost connections and workers are reported once, as errors of jobs
        if name.partition(".")[0] == "distributed":
            logging.getLogger(name).setLevel(logging.CRITICAL)
    client = _client(distributed, address)
    try:
        try:
            client.wait_for_workers(1, timeout=PATIENCE)
        except TimeoutError:
            raise ClusterError(
                f"`cluster={address!r}`: the scheduler has no workers; start some: dask worker {address}"
            ) from None
        executor: Executor = client.get_executor(pure=False, retries=0)
        yield executor, sum(client.nthreads().values()), (distributed.KilledWorker, CommClosedError)
    finally:
        client.close(timeout=1)


def _client(distributed: Any, address: str) -> Any:
    try:
        return distributed.Client(address, timeout=PATIENCE, set_as_default=False)
    except (OSError, TimeoutError):
        raise ClusterError(
            f"`cluster={address!r}`: no scheduler answers within {PATIENCE} s; start one: dask scheduler"
        ) from None
