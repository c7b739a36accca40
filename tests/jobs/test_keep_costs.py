"""Costs in the cache folder: stored, used by the next plan, removed."""

import re
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import pytest

from convcli.backend.machine import USUAL, Costs, costs_file, machine
from convcli.files import WriteError
from convcli.jobs.keep_costs import forget_costs, keep_costs, store_costs

OTHERS = Costs(*range(101, 108))


@pytest.fixture(autouse=True)
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "cache"))
    machine.cache_clear()
    yield tmp_path / "cache" / "convcli" / "costs.json"
    machine.cache_clear()


def test_stored_costs_are_used_until_they_are_removed(file: Path) -> None:
    assert costs_file() == file
    assert (machine().costs, machine().measured) == (USUAL, False)
    store_costs(OTHERS, file)
    assert (machine().costs, machine().measured) == (OTHERS, True)
    forget_costs(file)
    forget_costs(file)
    assert (machine().costs, machine().measured) == (USUAL, False)


def test_costs_are_measured_once_and_a_folder_that_cannot_be_written_does_no_harm(file: Path) -> None:
    with mock.patch("convcli.backend.measure_costs.measure_costs", return_value=OTHERS) as measured:
        keep_costs()
        keep_costs()
        assert measured.call_count == 1
        assert machine().costs == OTHERS
        forget_costs(file)
        with mock.patch("convcli.jobs.keep_costs.store_costs", side_effect=WriteError("no room")):
            keep_costs()
        assert measured.call_count == 2


def test_new_costs_take_the_place_of_old_ones(file: Path) -> None:
    store_costs(OTHERS, file)
    store_costs(USUAL, file)
    assert (machine().costs, machine().measured) == (USUAL, True)


def test_costs_that_cannot_be_removed(file: Path) -> None:
    file.mkdir(parents=True)
    with pytest.raises(WriteError, match=f"cannot remove {re.escape(str(file))}: "):
        forget_costs(file)


def test_without_a_home_folder_nothing_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.delenv("LOCALAPPDATA")
    monkeypatch.setattr(Path, "home", mock.Mock(side_effect=RuntimeError))
    assert costs_file() is None
    assert machine().costs == USUAL
    keep_costs()
