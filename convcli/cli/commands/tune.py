"""convcli tune: measure what sums cost on this machine, and show what is planned by that."""

import os

import click

from convcli import __version__
from convcli.cli.command import Command
from convcli.cli.conversation import Conversation
from convcli.cli.options.answer_options import AnswerOptions, answer_options
from convcli.cli.options.conversation_options import talking
from convcli.errors import ArgumentError
from convcli.render import Answer

COLUMNS = ("kernel", "kernel_size", "method", "numbers", "tile", "threads")


@click.command(
    cls=Command,
    short_help="Fit the plans to this machine.",
    examples=("convcli tune --show", "convcli tune --format json -o plans.json"),
)
@click.option("--show", is_flag=True, help="Measure nothing; show what was found before.")
@click.option("--forget", is_flag=True, help="Remove what was found; plans take the usual costs again.")
@answer_options
@talking
@click.pass_obj
def command(conversation: Conversation, /, show: bool, forget: bool, answer: AnswerOptions) -> None:
    """Measure what sums cost on this machine (0.3 s), keep it, and show which plan kernels get by it.

    A kernel can be run in several ways, and filter takes the one that costs least. Without this command it takes the
    usual costs of a server, which is sound; a run of over 20 seconds measures once by itself. The costs are kept in the
    user's cache folder, for this processor and the installed versions of NumPy and its BLAS. They decide how long
    filters take; samples of 8 and 16 bits stay the same.
    """
    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # as filters hold BLAS to one thread
    if show and forget:
        raise ArgumentError("--show and --forget do not go together; take one of them")

    from convcli.backend.machine import costs_file
    from convcli.jobs.keep_costs import forget_costs, store_costs

    file = costs_file()
    if file is None and not show:
        raise ArgumentError("there is no home folder to keep costs in; set XDG_CACHE_HOME to a folder")
    if forget and file is not None:
        forget_costs(file)
    elif not show and file is not None:
        from convcli.backend.measure_costs import measure_costs

        store_costs(measure_costs(), file)
    answer.give(conversation, _told())


def _told() -> Answer:
    """Answer with the plans of some kernels, and the machine that they are made for."""
    from convcli.analysis.kernel_plans import kernel_plans
    from convcli.backend import machine

    here, holds = machine.machine(), machine.held_for()
    costs = here.costs._asdict()
    rows = list(kernel_plans())
    found = "measured here" if here.measured else "the usual ones, not measured"
    remarks = (
        f"plans for 8-bit RGB pictures of 3000x4000; {holds['processor'] or 'unknown processor'}, {holds['cores']} "
        f"cores, {here.cache >> 10} KiB of second-level cache a core",
        f"NumPy {holds['numpy']}, {holds['blas'] or 'unknown BLAS'}",
        f"costs in picoseconds, {found}: {', '.join(f'{name} {value:,}' for name, value in costs.items())}",
        f"kept in {machine.costs_file()}" if here.measured else "convcli tune measures them",
    )
    totals = {"measured": here.measured, "cache": here.cache, **holds, **costs}
    return Answer("tune", __version__, rows, rows, totals, COLUMNS, ("method",), remarks)
