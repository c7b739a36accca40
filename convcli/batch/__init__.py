"""Run many jobs, sequentially or on any concurrent.futures.Executor; a job that fails does not affect the others."""
