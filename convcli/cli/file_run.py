"""The run of a command on pictures: its checks, its jobs, and the exit code."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import click

from convcli.batch.outcome import Outcome
from convcli.batch.run_jobs import Batch
from convcli.batch.stop import SIGNALS, Stop, Stopped
from convcli.cli.advised_values import WORDS
from convcli.cli.mistaken_inputs import check_inputs
from convcli.cli.option_names import typed_options
from convcli.cli.options.output_options import OutputOptions
from convcli.cli.options.path_types import written_paths
from convcli.cli.options.run_options import RunOptions
from convcli.cli.run_messages import RunMessages
from convcli.cli.unquoted_words import doubtful_input
from convcli.cli.user_messages import Messages
from convcli.cores import cores
from convcli.errors import ArgumentError, ConvcliError
from convcli.files import WriteError, remove_unfinished
from convcli.images.codec_memory import reuse_images
from convcli.images.codecs.text_files import TypedMatrix
from convcli.images.coding import Coding
from convcli.jobs.collisions import Reads, check_reads, check_report
from convcli.jobs.find import Inputs
from convcli.jobs.job import DASH, Job, Source
from convcli.jobs.read_ahead import OpenedAhead
from convcli.jobs.read_source import Reading
from convcli.jobs.targets import format_in_words, jobs_for, with_masks
from convcli.memory import keep_freed
from convcli.remote_files import file_path, target_path

if TYPE_CHECKING:
    from convcli.jobs.picture_to_answer import Question
    from convcli.jobs.work import Work

LONG = 20.0  # seconds; after a longer run, the costs of this machine are measured for later runs
# Options that apply to written pictures.
OF_WRITTEN = (
    *("in_place", "skip_existing", "dry_run", "preserve", "follow_links"),
    *("png_level", "quality", "subsampling", "tiff_compression"),
)
SHOWN = "TIFF"  # the format for planning pictures that are only shown, because it can hold all of them
AHEAD_SHARE = 16  # this fraction of --max-memory may be used for decoding before the work is planned


@dataclass(frozen=True)
class FileRun:
    """The options of a command that runs on pictures: inputs, outputs, limits, and how the jobs run.

    threads : the number of threads for each picture, if it was given
    values : a matrix from the command line, which is then the only input
    show : whether results are shown on the terminal; without an output nothing is written
    """

    messages: Messages
    inputs: Inputs
    output: OutputOptions
    coding: Coding
    reading: Reading
    options: RunOptions
    threads: int | None
    max_memory: int
    dry_run: bool
    values: str | None = None
    show: bool = False

    @property
    def only_shows(self) -> bool:
        """Whether results are shown and not written."""
        return self.show and self.output.output is None and not self.output.in_place

    def begin(self) -> None:
        """Check the combination of options, and let signals end the process while modules are imported."""
        # Jobs run in threads, each with a single BLAS thread.
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
        reuse_images(1 if self.inputs.file is not None else self.options.workers.jobs or cores())
        _end_by_signals()
        context = click.get_current_context()
        options = [name for each in context.command.params for name in each.opts]
        check_inputs(self.inputs.names, self.output, options)
        outputs = written_paths(context.command.params)
        if note := doubtful_input(context.meta[WORDS], outputs, self.inputs.names):
            self.messages.note(note)
        self.output.check()
        self.options.check(dry_run=self.dry_run)
        if self.show:
            self._check_show()
        if self.output.in_place and self.options.cluster is not None:
            raise ArgumentError(
                "--in-place cannot be used with --cluster: a cluster repeats a job whose worker died, and might filter "
                "a picture twice; name a folder with -o"
            )

    def _check_show(self) -> None:
        """Refuse --show without a terminal, and with options that contradict it."""
        from convcli.cli.terminal import check_show

        check_show(self.output.output)
        if self.dry_run:
            raise ArgumentError("--dry-run filters nothing that --show could show; leave out one of them")
        if not self.only_shows:
            return
        typed = typed_options(click.get_current_context())
        for option in filter(None, map(typed.get, (*OF_WRITTEN, "force", "report"))):
            raise ArgumentError(
                f"{option} applies to pictures that are written, and --show alone writes none; name a file with -o"
            )

    def open_ahead(self) -> OpenedAhead | None:
        """Start to read the picture of a run with a single one, while the modules that filter it are imported."""
        if (
            self.inputs.file is None
            or self.dry_run
            or self.output.skip_existing
            or self.options.workers.elsewhere
        ):
            return None
        return OpenedAhead(partial(self.reading.open, self.inputs.file), self.max_memory // AHEAD_SHARE)

    def jobs(self, name: str, reads: Reads, mask: str | None = None) -> list[Job]:
        """Return a job for each input.

        name : the name of the work in the names of outputs, such as that of the kernel
        reads : the files that the work reads, each with its name in messages
        mask : a template of paths for the mask of each input
        """
        if self.only_shows:
            sources = self._sources(name)
            return with_masks([source.to(DASH, SHOWN) for source in sources], sources, mask, name)
        jobs = jobs_for(
            self._sources(name),
            self.output.output,
            name,
            in_place=self.output.in_place,
            reads=[*reads, *self.inputs.lists],
            report=self.options.report,
            mask=mask,
        )
        self.output.save.check_jobs(jobs)
        form = format_in_words(self.output.output)
        if form is not None and self.output.output is not None:
            self.coding.check(form, self.output.output)
        return jobs

    def explained(self, reads: Reads) -> list[Job]:
        """Return a job for each input of a run that writes text about pictures, to -o or standard output."""
        output = self.output.output
        if output is not None and output != "-":
            check_reads("`output`", [target_path(output)], [*reads, *self._files()])
        return [source.to(DASH) for source in self._sources("kernel")]

    def _files(self) -> Reads:
        return [("an input", file_path(name)) for name in self.inputs.names if name != "-"]

    def _sources(self, name: str) -> list[Source]:
        """Return the inputs: the matrix of --values, or the pictures that are found."""
        if self.values is None:
            return self.output.sources(self.messages, self.inputs, name)
        if self.inputs.names or self.inputs.files_from is not None:
            given = self.inputs.names[0] if self.inputs.names else "--files-from"
            raise ArgumentError(f"--values is the input, but {given} is given too; leave one of them out")
        return [Source(DASH, typed=TypedMatrix.of(self.values).getvalue())]

    def share(self, jobs: Sequence[Job]) -> int | None:
        """Return the number of threads for each job, None for one per core."""
        return self.options.workers.share(len(jobs), self.threads)

    def run(
        self, jobs: Sequence[Job], work: Work, *, as_json: bool = False, ahead: OpenedAhead | None = None
    ) -> int:
        """Run the work on each picture; return the exit code.

        as_json : whether to report a dry run as JSON
        """
        from convcli.jobs.file_to_file import FileToFile

        screen = None
        if self.show:
            from convcli.cli.terminal import screen_of_terminal

            screen = screen_of_terminal()
        if len(jobs) > 1:
            keep_freed()
        job = FileToFile(
            work,
            self.reading,
            self.coding,
            self.output.save._replace(flush_names=len(jobs) == 1),
            self.max_memory,
            threads=self.share(jobs),
            skip_existing=self.output.skip_existing,
            dry_run=self.dry_run,
            as_json=as_json,
            reported=self.options.report is not None,
            ahead=ahead,
            alone=len(jobs) == 1,
            screen=screen,
            writes=not self.only_shows,
        )
        return self._run(jobs, job)

    def answer(self, question: Question, reads: Reads) -> int:
        """Print the answer to a question about each picture; return the exit code."""
        from convcli.jobs.picture_to_answer import PictureToAnswer

        typed = typed_options(click.get_current_context())
        for option in filter(None, map(typed.get, (*OF_WRITTEN, "show"))):
            raise ArgumentError(
                f"{option} applies to written pictures, and the answer is printed; leave it out"
            )
        if self.output.force and self.options.report is None:
            raise ArgumentError("--force replaces files, and the answer is printed; leave it out")
        jobs = self.explained(reads)
        if self.options.report is not None:
            check_report(self.options.report, jobs, [*reads, *self.inputs.lists])
        return self._run(jobs, PictureToAnswer(question, self.reading, self.max_memory), pictures=False)

    def _run(self, jobs: Sequence[Job], work: Callable[[Job], Outcome], *, pictures: bool = True) -> int:
        """Run the jobs and report them; return the exit code.

        pictures : whether the jobs write pictures
        """
        workers = self.options.workers
        jobs = workers.reached(jobs)
        if (
            pictures
            and not self.dry_run
            and not self.only_shows
            and any(job.prints and not job.prints_text for job in jobs)
            and sys.stdout.isatty()
        ):
            raise WriteError(
                "a picture cannot be shown as text on the terminal; redirect the output, or name a file with -o"
            )
        with Stop() as stop, ExitStack() as stack:
            run_messages = RunMessages(self.messages, len(jobs), stop, dry_run=self.dry_run)
            stop.last.append(remove_unfinished)
            if self.options.report is not None:
                from convcli.jobs.report import Report

                report = Report(
                    self.options.report, force=self.output.force, resume=self.output.skip_existing
                )
                run_messages.report = stack.enter_context(report)
            stack.callback(run_messages.hide)
            batch = Batch(jobs, run_messages, stop, fail_fast=self.options.fail_fast)
            started, ended = time.monotonic(), True
            try:
                ended = workers.run(batch, work, len(jobs), self.threads, self.max_memory)
            except Stopped:
                pass
            except ConvcliError:  # the run cannot continue
                if run_messages.over:
                    run_messages.end()
                raise
            run_messages.end()
            if pictures and not self.dry_run and len(jobs) > 1:
                self.output.save.flush(jobs)
            if not ended:  # a normal exit would wait for threads that cannot be stopped
                remove_unfinished()
                stack.close()
                sys.stdout.flush()
                os._exit(stop.code)
            if workers.isolated and (stop.code or run_messages.exit_code):  # a process may have been killed
                for job in jobs:
                    self.output.save.tidy(job)
            if not stop.code and time.monotonic() - started > LONG:
                from convcli.jobs.keep_costs import keep_costs

                keep_costs()
        return stop.code or run_messages.exit_code


def _end_by_signals() -> None:
    """Let signals end the process at once until the run installs its handlers, before anything is written.

    An exception from a handler may be lost during an import, if it is raised in a callback of the import system.
    """
    before = {number: signal.signal(number, _end) for number in SIGNALS}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    click.get_current_context().call_on_close(restore)


def _end(signum: int, frame: object) -> None:
    os._exit(128 + signum)
