"""Storage of measured costs of the convolution methods in the user's cache folder."""

from contextlib import suppress
from pathlib import Path

from convcli.backend.machine import Costs, costs_file, machine, record_of
from convcli.files import WriteError, write_whole


def store_costs(costs: Costs, file: Path) -> None:
    """Store costs, replacing earlier ones; raise WriteError if the folder cannot be written."""
    write_whole(file, record_of(costs).encode(), overwrite=True)
    machine.cache_clear()


def forget_costs(file: Path) -> None:
    """Remove stored costs, if there are any; raise WriteError if they cannot be removed."""
    try:
        file.unlink(missing_ok=True)
    except OSError as error:
        raise WriteError(f"cannot remove {file}: {error.strerror}") from error
    machine.cache_clear()


def keep_costs() -> None:
    """Measure costs and store them unless some are stored; do nothing if they cannot be stored."""
    file = costs_file()
    if file is None or machine().measured:
        return
    from convcli.backend.measure_costs import measure_costs

    with suppress(WriteError):
        store_costs(measure_costs(), file)
