"""Working memory that is reused by the next call."""

from threading import Thread

import numpy as np

from convcli.backend.working_memory import KEPT, LINE, Borrowed

FLOAT = np.dtype(np.float32)


def test_the_next_call_gets_the_same_memory():
    with Borrowed(FLOAT, (1000, 300)) as (first, second):
        first[:], second[:] = 1, 2
        assert (first == 1).all()
        assert {first.ctypes.data % LINE, second.ctypes.data % LINE} == {0}
        place = first.ctypes.data
    with Borrowed(np.dtype(np.float64), (100,)) as (again,):
        assert (again.ctypes.data, again.shape, again.dtype) == (place, (100,), np.float64)


def test_a_concurrent_user_gets_other_memory():
    with Borrowed(FLOAT, (1000,)) as (outer,):
        outer[:] = 1
        with Borrowed(FLOAT, (1000,)) as (inner,):
            inner[:] = 2
        found = []
        thread = Thread(target=lambda: found.append(Borrowed(FLOAT, (1000,)).__enter__()[0]))
        thread.start()
        thread.join()
        found[0][:] = 3
        assert (outer == 1).all()


def test_large_memory_is_not_kept():
    with Borrowed(FLOAT, (9,)) as (before,):
        pass
    with Borrowed(FLOAT, (KEPT,)) as (large,):
        assert not np.may_share_memory(before, large)
    with Borrowed(FLOAT, (9,)) as (after,):
        assert not np.may_share_memory(large, after)


def test_objects_have_separate_memory():
    with Borrowed(np.dtype(object), (3, 2)) as (first, second):
        first[:] = 2**70
        assert (first[0], len(first), len(second)) == (2**70, 3, 2)
