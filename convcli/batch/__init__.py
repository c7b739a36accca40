"""Run many jobs, sequentially or on any concurrent.futures.Executor; a job that fails does not affect the others."""

from convcli.batch.budget import MEMORY
from convcli.batch.gate import WRITES
from convcli.batch.outcome import Outcome, attempt
from convcli.batch.run_jobs import Batch, Reporter
from convcli.batch.stop import Stop, Stopped

__all__ = ["MEMORY", "WRITES", "Batch", "Outcome", "Stop", "Stopped", "Reporter", "attempt"]
