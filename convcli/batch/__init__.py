"""Many jobs, one after the other or on any concurrent.futures.Executor: a failure costs one, the rest go on."""

from convcli.batch.budget import MEMORY
from convcli.batch.gate import WRITES
from convcli.batch.outcome import Outcome, attempt
from convcli.batch.run_jobs import Batch, Teller
from convcli.batch.stop import Stop, Stopped

__all__ = ["MEMORY", "WRITES", "Batch", "Outcome", "Stop", "Stopped", "Teller", "attempt"]
