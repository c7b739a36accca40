"""Warnings of concurrent threads are collected separately, and the state is restored afterwards."""

import threading
import warnings

import pytest

from convcli.thread_warnings import warnings_caught


def test_each_thread_has_its_own() -> None:
    both, heard = threading.Barrier(2), {}

    def read(name: str) -> None:
        with warnings_caught() as caught:
            both.wait()
            warnings.warn(name, stacklevel=1)
            warnings.warn(name, stacklevel=1)  # "always": no registry suppresses the second
            both.wait()
        heard[name] = list(caught)

    threads = [threading.Thread(target=read, args=(name,)) for name in ("one", "two")]
    before = warnings.showwarning, list(warnings.filters)
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert heard == {"one": ["one"] * 2, "two": ["two"] * 2}
    assert (warnings.showwarning, list(warnings.filters)) == before


def test_a_thread_that_does_not_collect_warns_as_usual() -> None:
    inside, done = threading.Event(), threading.Event()

    def read() -> None:
        with warnings_caught() as caught:
            inside.set()
            done.wait()
        assert caught == []

    thread = threading.Thread(target=read)
    with pytest.warns(UserWarning, match="mine"):
        thread.start()
        inside.wait()
        warnings.warn("mine", stacklevel=1)
        done.set()
        thread.join()


def test_nested_and_after_an_error() -> None:
    before = warnings.showwarning
    with pytest.raises(ValueError, match="inside"), warnings_caught():
        raise ValueError("inside")
    assert warnings.showwarning is before


def test_nested_collections() -> None:
    with warnings_caught() as outer:
        with warnings_caught() as inner:
            warnings.warn("a", stacklevel=1)
        warnings.warn("b", stacklevel=1)
    assert (outer, inner) == (["b"], ["a"])
