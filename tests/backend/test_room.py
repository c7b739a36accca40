"""Sizes beyond any memory are rejected at once or computed exactly: no operator overflows or starts to work."""

import os

import numpy as np
import pytest

from convcli import backend
from convcli.backend import checks
from convcli.errors import ArgumentError

resource = pytest.importorskip("resource", reason="only Unix limits a process by itself")

X = np.arange(60, dtype=np.float32).reshape(1, 2, 6, 5)
WIDE, ONE = np.ones((2, 2, 3, 3), np.float32), np.ones((2, 2, 1, 1), np.float32)
MOVES = np.zeros((1, 2, 6, 5))
HUGE = [2**40, 2**62, 2**63 - 1, 2**63, 2**64, 10**30, np.int64(2**62), np.uint64(2**63)]

OPERATORS = {
    **{
        f"conv {method}": lambda weight, method=method, **window: backend.conv(X, weight, method=method, **window)
        for method in ("auto", "direct", "gemm", "fft")
    },
    **{
        f"conv {mode}": lambda weight, mode=mode, **window: backend.conv(X, weight, padding_mode=mode, **window)
        for mode in ("reflect", "replicate", "circular", "constant")
    },
    "integers": lambda weight, **window: backend.conv(X.astype(int), weight.astype(int), **window),
    "conv_transpose": lambda weight, **window: backend.conv_transpose(X, weight, **window),
    "conv_matrix": lambda weight, **window: backend.conv_matrix(weight, X.shape[1:], **window),
    "tiled": lambda weight, **window: backend.tiled_conv(X, np.stack([weight] * 4).reshape(2, 2, *weight.shape), **window),
    **{
        f"{name} {ceil}": lambda weight, run=run, ceil=ceil, **window: run(X, weight.shape[2:], ceil_mode=ceil, **window)
        for name, run in {
            "max": backend.max_pool,
            "places": lambda *arguments, **options: backend.max_pool(*arguments, **options, return_indices=True)[1],
            "avg": backend.avg_pool,
            "lp": lambda x, size, **options: backend.lp_pool(x, 3, size, **options),
        }.items()
        for ceil in (False, True)
    },
    "unfold": lambda weight, **window: backend.unfold(X, weight.shape[2:], **window),
}  # fmt: skip


@pytest.mark.parametrize("name", OPERATORS)
@pytest.mark.parametrize("huge", HUGE)
def test_a_huge_stride_leaves_one_output(name, huge):
    if name == "conv_transpose":
        with pytest.raises(ArgumentError, match=r"more than the .* GiB of memory can hold; make it smaller"):
            OPERATORS[name](WIDE, stride=huge)
        return
    run = OPERATORS[name]
    wanted, found = run(WIDE, stride=8), run(WIDE, stride=huge)
    assert found.shape == wanted.shape
    assert (found != wanted).sum() == 0


@pytest.mark.parametrize("name", OPERATORS)
@pytest.mark.parametrize("huge", HUGE)
def test_a_huge_dilation_has_no_effect_on_one_tap_and_is_too_wide_for_more(name, huge):
    run = OPERATORS[name]
    assert (run(ONE, dilation=huge) != run(ONE)).sum() == 0
    for padding in (0, "same", "full"):
        with pytest.raises(
            ArgumentError,
            match=r"the output would be empty|GiB of memory can hold|allows a padding of at most",
        ):
            run(WIDE, dilation=huge, padding=padding)


@pytest.mark.parametrize("name", OPERATORS)
@pytest.mark.parametrize("stride", [1, "as huge"])
def test_a_huge_padding_is_refused(name, stride):
    for huge in HUGE:
        for padding in (huge, (huge, 0), ((0, huge), (0, 0)), ((huge, huge),)):
            with pytest.raises(
                ArgumentError,
                match=r"GiB of memory can hold|allows a padding of at most|whole windows|would be empty",
            ):
                OPERATORS[name](WIDE, padding=padding, stride=1 if stride == 1 else huge)


@pytest.mark.parametrize("huge", HUGE)
def test_a_huge_size_is_refused(huge):
    for call in (
        lambda: backend.adaptive_avg_pool(X, huge),
        lambda: backend.adaptive_max_pool(X, (1, huge)),
        lambda: backend.adaptive_avg_pool(X[0, 0], (huge,)),
        lambda: backend.resize(X, size=huge),
        lambda: backend.resize(X, scale=(1, huge), mode="bilinear"),
        lambda: backend.fold(np.ones((1, 4, 1)), huge, 2, stride=huge),
        lambda: backend.fold(np.ones((1, 4, 4)), 3, 2, padding=huge, stride=huge),
        lambda: backend.conv_transpose(X, WIDE, stride=huge, output_padding=int(huge) - 1),
        lambda: backend.conv_transpose(X, WIDE, stride=2, output_size=huge),
        lambda: backend.conv_matrix(WIDE, (2, huge, huge)),
        lambda: backend.conv_matrix(WIDE, (huge, 5, 5)),
        lambda: backend.max_pool(X, huge, padding=int(huge) // 2),
        lambda: backend.avg_pool(X, huge, padding="same", ceil_mode=True),
        lambda: backend.lp_pool(X, 2, huge),
        lambda: backend.unfold(X, huge, padding="full"),
        lambda: backend.local_conv(X, np.ones((2, 1, 1, 2, 1, 1)), padding=huge),
        lambda: backend.deform_conv(X, MOVES, ONE, padding=huge),
        lambda: backend.channel_shuffle(X, huge),
        lambda: backend.conv(X, WIDE, groups=huge),
    ):
        with pytest.raises(ArgumentError) as error:
            call()
        assert len(str(error.value)) < 1300


def test_what_is_larger_than_the_memory_is_named_with_its_size(monkeypatch):
    monkeypatch.setattr(checks, "SMALL", 0)
    monkeypatch.setattr(checks, "memory", lambda: 10_000)
    assert backend.resize(X, size=(40, 31)).shape == (1, 2, 40, 31)  # 9,920 bytes
    with pytest.raises(ArgumentError) as error:
        backend.resize(X, size=(40, 32))
    assert str(error.value) == (
        "the output would have shape (1, 2, 40, 32), 2,560 elements of float32, more than the 0.0 GiB of memory can hold; "
        "make it smaller"
    )
    with pytest.raises(
        ArgumentError, match=r"the padded x would have shape \(1, 2, 106, 105\), 22,260 elements"
    ):
        backend.conv(X, WIDE, padding=50, stride=50)
    with pytest.raises(ArgumentError, match=r"the output would have shape \(1, 20, 18, 17\)"):
        backend.conv(X, np.ones((20, 2, 3, 3), np.float32), padding=7)
    with pytest.raises(
        ArgumentError, match=r"the output before its padding is cropped would have shape \(1, 1, 201\)"
    ):
        monkeypatch.setattr(checks, "memory", lambda: 1000)
        backend.conv_transpose(np.ones((1, 1, 2)), np.ones((1, 1, 1)), stride=200, padding=50)


def test_the_memory_is_that_of_the_machine_or_the_limit_of_the_process(monkeypatch):
    whole = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    monkeypatch.setattr(resource, "getrlimit", lambda _: (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    assert checks.memory() == whole
    monkeypatch.setattr(resource, "getrlimit", lambda _: (1 << 20, resource.RLIM_INFINITY))
    assert checks.memory() == 1 << 20
    monkeypatch.setattr(os, "sysconf", lambda _: -1)
    monkeypatch.setattr(resource, "getrlimit", lambda _: (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    assert checks.memory() > 1 << 40  # if the system does not report it
