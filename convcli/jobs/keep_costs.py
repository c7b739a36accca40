"""Measured costs of sums in the user's cache folder: kept for later runs, or forgotten."""

from contextlib import suppress
from pathlib import Path

from convcli.backend.machine import Costs, costs_file, machine, record_of
from convcli.files import WriteError, write_whole


def store_costs(costs: Costs, file: Path) -> None:
    """Keep costs, in place of others; WriteError where the folder cannot be written."""
    write_whole(file, record_of(costs).encode(), overwrite=True)
    machine.cache_clear()


def forget_costs(file: Path) -> None:
    """Remove costs, if there are any; WriteError where they cannot be removed."""
    try:
        file.unlink(missing_ok=True)
    except OSError as error:
        raise WriteError(f"cannot remove {file}: {error.strerror}") from error
    machine.cache_clear()


def keep_costs() -> None:
    """Measure costs and keep them where none are kept yet; where they cannot be kept, nothing is done."""
    file = costs_file()
    if file is None or machine().measured:
        return
    from convcli.backend.measure_costs import measure_costs

    with suppress(WriteError):
        store_costs(measure_costs(), file)
