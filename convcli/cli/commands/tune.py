"""convcli tune: measure the speed of the convolution methods on this machine, and show the resulting plans."""

import os

import click

from convcli import __version__
from convcli.cli.command import Command
from convcli.cli.options.answer_options import AnswerOptions, answer_options
from convcli.cli.options.verbosity_options import verbosity_options
from convcli.cli.user_messages import Messages
from convcli.errors import ArgumentError
from convcli.render import Answer

COLUMNS = ("kernel", "kernel_size", "method", "numbers", "tile", "threads")


@click.command(
    cls=Command,
    short_help="Fit the choice of methods to this machine.",
    examples=("convcli tune --show", "convcli tune --format json -o plans.json"),
)
@click.option("--show", is_flag=True, help="Do not measure; show the stored costs.")
@click.option("--forget", is_flag=True, help="Remove the stored costs, and use the default costs again.")
@answer_options
@verbosity_options
@click.pass_obj
def command(messages: Messages, /, show: bool, forget: bool, answer: AnswerOptions) -> None:
    """Measure the costs of the convolution methods on this machine (0.3 s), store them, and show the resulting plans.

    A kernel can be run by several methods, of which filter chooses the one with the lowest estimated cost. Without this
    command, the estimates use the default costs of a server; a run of more than 20 seconds measures the costs once. The
    costs are stored in the user's cache folder, for this processor and the installed versions of NumPy and its BLAS.
    They only affect the speed: samples of 8 and 16 bits stay the same.
    """
    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # filters use a single BLAS thread, too
    answer.check_format()
    if show and forget:
        raise ArgumentError("--show and --forget contradict each other; give one of them")

    from convcli.backend.machine import costs_file
    from convcli.jobs.keep_costs import forget_costs, store_costs

    file = costs_file()
    if file is None and not show:
        raise ArgumentError("there is no home folder to store costs in; set XDG_CACHE_HOME to a folder")
    if forget and file is not None:
        forget_costs(file)
    elif not show and file is not None:
        from convcli.backend.measure_costs import measure_costs

        store_costs(measure_costs(), file)
    answer.give(messages, _plans())


def _plans() -> Answer:
    """Return the answer: the plans for some kernels, and the machine that they are made for."""
    from convcli.analysis.kernel_plans import kernel_plans
    from convcli.backend import machine

    here, holds = machine.machine(), machine.held_for()
    costs = here.costs._asdict()
    rows = list(kernel_plans())
    found = "measured on this machine" if here.measured else "the defaults, not measured"
    remarks = (
        f"plans for 8-bit RGB pictures of 3000x4000; {holds['processor'] or 'unknown processor'}, {holds['cores']} "
        f"cores, {here.cache >> 10} KiB of second-level cache per core",
        f"NumPy {holds['numpy']}, {holds['blas'] or 'unknown BLAS'}",
        f"costs in picoseconds, {found}: {', '.join(f'{name} {value:,}' for name, value in costs.items())}",
        f"stored in {machine.costs_file()}" if here.measured else "run convcli tune to measure them",
    )
    totals = {"measured": here.measured, "cache": here.cache, **holds, **costs}
    return Answer("tune", __version__, rows, rows, totals, COLUMNS, ("method",), remarks)
