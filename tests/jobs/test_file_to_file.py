"""The job that commands share, with minimal work."""

import hashlib
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
import pytest
from PIL import Image

from convcli.batch.budget import MEMORY
from convcli.batch.outcome import Outcome
from convcli.errors import ArgumentError
from convcli.images.coding import Coding
from convcli.images.header import Header
from convcli.images.picture import Frame, Picture
from convcli.images.read import open_picture
from convcli.jobs.file_to_file import FileToFile
from convcli.jobs.job import DASH, Job
from convcli.jobs.save import Save

PIXELS = np.arange(6 * 7, dtype=np.uint8).reshape(6, 7)


class Reading:
    """Reads pictures without conversion."""

    @property
    def colours(self) -> "Reading":
        return self

    def open(self, source: Path | BinaryIO) -> Any:
        return open_picture(source)

    def ahead(self, header: Header, name: str) -> tuple[Picture, int]:
        return header.black(), header.memory

    def converted(self, picture: Picture, name: str) -> Picture:
        return picture


class Inverted(NamedTuple):
    """The result of a picture."""

    picture: Picture
    how: str
    notes: tuple[str, ...]
    facts: dict[str, Any]
    record: dict[str, Any] | None


@dataclass(frozen=True)
class InversionPlan:
    """The plan to invert a picture, or to reject it if it is too small."""

    picture: Picture
    work: "Inversion"

    description = "invert it"
    notes = ("black becomes white",)
    has_rows = False

    @property
    def made(self) -> tuple[Frame, ...]:
        return self.picture.black().frames

    @property
    def memory(self) -> int:
        return self.work.needs

    @property
    def facts(self) -> dict[str, Any]:
        return {"turns": 1}

    def filled(self, picture: Picture) -> "InversionPlan":
        return replace(self, picture=picture)

    def run(self) -> Inverted:
        frames = tuple(replace(each, pixels=255 - each.pixels) for each in self.picture.frames)
        return Inverted(
            replace(self.picture, frames=frames), "by hand", ("turned",), {"turns": 1}, self.work.record
        )


@dataclass(frozen=True)
class Inversion:
    """The work: every sample is subtracted from 255."""

    needs: int = 1
    record: dict[str, Any] | None = None
    planned: Callable[[Picture], None] = lambda picture: None

    verb = "turn"
    lighter = "less of it"

    def plan(self, name: str, target: str, picture: Picture, form: str) -> InversionPlan:
        if picture.frames[0].pixels.shape[0] < 3:
            raise ArgumentError(f"{name} is too small for {target} in {form}")
        self.planned(picture)
        return InversionPlan(picture, self)


def inverted(work: Inversion | None = None, **options: Any) -> FileToFile:
    return FileToFile(
        work or Inversion(), Reading(), Coding(), options.pop("save", Save()), 1 << 30, **options
    )


@pytest.fixture
def job(tmp_path: Path) -> Job:
    Image.fromarray(PIXELS).save(tmp_path / "in.png")
    return Job(tmp_path / "in.png", tmp_path / "new" / "out.png")


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.array(image)


def test_a_picture_is_read_worked_on_and_written(job: Job) -> None:
    outcome = inverted()(job)
    assert (pixels(job.target) == 255 - PIXELS).all()
    assert (outcome.answer, outcome.written) == (b"", f"{job.target}\n".encode())
    assert outcome.notes == ("turned",)
    (detail,) = outcome.details
    assert detail.startswith("PNG, L, 1 frame(s), 7 wide and 6 high to 7 wide and 6 high, by hand, ")
    assert (outcome.pixels, outcome.status) == (42, "done")
    assert set(outcome.facts) == {"seconds"}


def test_a_record_is_a_line_of_json_and_a_report_has_the_facts(job: Job) -> None:
    outcome = inverted(Inversion(record={"turns": 1}), reported=True)(job)
    named = {"input": str(job.source), "output": str(job.target), "mode": "L", "size": [6, 7], "frames": 1}
    assert json.loads(outcome.answer) == {**named, "turns": 1}
    data = job.target.read_bytes()
    assert outcome.facts["output_sha256"] == hashlib.sha256(data).hexdigest()
    assert outcome.facts["input_bytes"] == job.source.stat().st_size
    assert (outcome.facts["input_size"], outcome.facts["turns"]) == ([6, 7], 1)


def test_standard_output_is_the_picture(job: Job, tmp_path: Path) -> None:
    outcome = inverted(Inversion(record={"turns": 1}))(replace(job, target=DASH, form="BMP"))
    (tmp_path / "printed").write_bytes(outcome.answer)
    assert outcome.answer.startswith(b"BM")
    assert (pixels(tmp_path / "printed") == 255 - PIXELS).all()


def test_a_dry_run_writes_nothing_and_reports_the_plan(job: Job) -> None:
    outcome = inverted(dry_run=True)(job)
    assert outcome.answer.decode().startswith(
        f"{job.source}: would read PNG, L, 7 wide and 6 high, decoded whole; invert it, about 1 MiB; write {job.target}: PNG, L"
    )
    assert outcome.notes == ("black becomes white",)
    facts = json.loads(inverted(dry_run=True, as_json=True)(job).answer)
    assert facts["dry_run"]
    assert (facts["turns"], facts["size"], facts["format"]) == (1, [6, 7], "PNG")
    assert not job.target.parent.exists()


def test_a_picture_over_the_memory_limit_is_rejected_before_decoding(job: Job) -> None:
    job.source.write_bytes(job.source.read_bytes()[:-20])
    outcome = inverted(Inversion(needs=(1 << 30) + 1))(job)
    assert str(outcome.error) == (
        f"cannot turn {job.source}: it would take about 1025M of memory, over the limit of 1G; raise it with "
        "`max_memory='1025M'`, or use a smaller picture, or less of it"
    )
    assert not job.target.parent.exists()


def test_its_memory_is_reserved_while_it_runs(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    requests: list[int] = []
    monkeypatch.setattr(MEMORY, "take", lambda wanted, limit: requests.append(wanted))
    monkeypatch.setattr(MEMORY, "give", lambda held: requests.append(-held))
    inverted(Inversion(needs=1 << 20))(job)
    kept = PIXELS.size  # the decoded image, in Pillow's pool
    assert requests == [(1 << 20) + kept, -(1 << 20) - kept]


def test_a_failure_is_an_outcome_with_the_facts_so_far(job: Job) -> None:
    Image.fromarray(PIXELS[:2]).save(job.source)
    outcome = inverted(reported=True)(job)
    assert str(outcome.error) == f"{job.source} is too small for {job.target} in PNG"
    assert outcome.facts["input_sha256"] == hashlib.sha256(job.source.read_bytes()).hexdigest()
    assert "output_sha256" not in outcome.facts


def test_existing_outputs_are_rejected_skipped_or_replaced(job: Job) -> None:
    job.target.parent.mkdir()
    job.target.write_bytes(b"precious")
    assert "exists; give `force=True`" in str(inverted()(job).error)
    skipped = inverted(skip_existing=True)(job)
    assert (skipped.status, skipped.details) == ("skipped", (f"skipped, {job.target} exists",))
    assert job.target.read_bytes() == b"precious"
    assert inverted(save=Save(overwrite=True))(job).error is None
    assert (pixels(job.target) == 255 - PIXELS).all()


def test_a_picture_that_differs_from_its_header_is_planned_again(
    job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned: list[tuple[int, ...]] = []
    work = Inversion(planned=lambda picture: planned.append(picture.frames[0].pixels.shape))
    assert inverted(work)(job).error is None
    assert planned == [(6, 7)]
    wide = Picture((Frame(np.dstack([PIXELS] * 3), "RGB"),), "PNG")
    monkeypatch.setattr(Reading, "converted", lambda self, picture, name: wide)
    assert inverted(work, save=Save(overwrite=True))(job).error is None
    assert planned == [(6, 7), (6, 7), (6, 7, 3)]
    assert pixels(job.target).shape == (6, 7, 3)


def test_the_job_of_a_search_that_failed_fails(job: Job) -> None:
    outcome = inverted()(replace(job, problem=ArgumentError("nothing there")))
    assert (outcome.status, str(outcome.error)) == ("failed", "nothing there")
    assert not job.target.parent.exists()


def test_jobs_do_not_wait_for_each_other_where_both_fit(tmp_path: Path) -> None:
    together = threading.Barrier(2, timeout=30)
    work = Inversion(needs=1 << 20, planned=lambda picture: together.wait() and None)
    jobs = []
    for name in ("a", "b"):
        Image.fromarray(PIXELS).save(tmp_path / f"{name}.png")
        jobs.append(Job(tmp_path / f"{name}.png", tmp_path / f"{name}.out.png"))
    outcomes: list[Outcome] = []
    threads = [threading.Thread(target=lambda job=job: outcomes.append(inverted(work)(job))) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [outcome.error for outcome in outcomes] == [None, None]
