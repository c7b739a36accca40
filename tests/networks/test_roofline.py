"""The roofline model: published rules, computed by hand."""

from math import inf

import pytest

from convcli import networks
from convcli.errors import ArgumentError
from convcli.layers import Conv
from convcli.networks.builder import Builder
from convcli.networks.roofline import Machine, add_roofline, parse_machine, roofline_lines
from convcli.networks.rows import rows, totals


@pytest.mark.parametrize(
    ("text", "peak", "bandwidth"),
    [
        ("peak=100GFLOP/s,bandwidth=20GB/s", 1e11, 2e10),
        ("bandwidth=900GB/s, peak=15.7TFLOPS", 1.57e13, 9e11),
        ("peak=1e9,bandwidth=5", 1e9, 5),
        ("peak=2.5 k,bandwidth=3 MB/s", 2500, 3e6),
    ],
)
def test_a_machine_is_read(text, peak, bandwidth):
    assert parse_machine(text) == Machine(pytest.approx(peak), pytest.approx(bandwidth))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("peak=1G", "the roofline needs the bandwidth in B/s, for example peak=100GFLOP/s,bandwidth=20GB/s"),
        ("peek=1G,bandwidth=1G", "the roofline has no argument 'peek'; did you mean 'peak'"),
        ("peak=1G,peak=2G", "the peak of the roofline is given twice"),
        (
            "peak=1GB/s,bandwidth=1",
            "the peak must be a positive number of FLOP/s, such as 100GFLOP/s, got '1GB/s'",
        ),
        (
            "peak=1,bandwidth=1GFLOP/s",
            "the bandwidth must be a positive number of B/s, such as 20GB/s, got '1GFLOP/s'",
        ),
        ("peak=0,bandwidth=1", "the peak must be a positive number of FLOP/s, such as 100GFLOP/s, got '0'"),
        (
            "peak=1e999,bandwidth=1",
            "the peak must be a positive number of FLOP/s, such as 100GFLOP/s, got '1e999'",
        ),
        ("peak=-1,bandwidth=1", "the peak must be a positive number of FLOP/s, such as 100GFLOP/s, got '-1'"),
        ("100", "the roofline has no argument '100'; use peak, bandwidth"),
    ],
)
def test_errors_of_machines(text, message):
    with pytest.raises(ArgumentError, match=message):
        parse_machine(text)


def test_a_layer_is_bound_by_compute_or_by_memory():
    (row,) = rows([Conv(64, 64, 3, padding=1)], (64, 56, 56))
    moved = 4 * (64 * 64 * 9 + 64 + 2 * 64 * 56 * 56)
    ridge = row["flops"] / moved
    for faster, bound in ((0.9, "compute"), (1.1, "memory")):
        machine = Machine(peak=faster * ridge * 1e9, bandwidth=1e9)
        (found,) = add_roofline([row], machine)
        assert found["bound"] == bound
        assert found["least_seconds"] == pytest.approx(
            max(row["flops"] / machine.peak, moved / machine.bandwidth)
        )


def test_the_least_time_is_the_sum_over_the_layers():
    machine = Machine(1e11, 2e10)
    found = add_roofline(networks.load("resnet-18").rows(), machine)
    assert totals(found)["least_seconds"] == pytest.approx(sum(row["least_seconds"] for row in found))
    assert {row["bound"] for row in found if row["layer"].startswith("conv k3")} == {"compute"}
    assert {row["bound"] for row in found if row["layer"] in ("bn", "relu", "add")} == {"memory"}
    lines = roofline_lines(found, machine)
    assert "layers of at least 5 FLOPs per byte are limited by compute" in lines[0]
    by_memory = sum(row["bound"] == "memory" for row in found)
    assert f"{by_memory} of {len(found)} layers are limited by memory" in lines[1]


def test_shared_parameters_are_moved_by_every_layer_that_uses_them():
    g = Builder("n", (64, 8, 8))
    g("conv k3 p1, conv k3 p1", weights="own")
    g("conv k3 p1", weights="own")
    first, second, third = add_roofline(g.build().rows(), Machine(1e30, 1.0))
    assert third["shares_with"] == "conv2"
    assert first["least_seconds"] == second["least_seconds"] == pytest.approx(third["least_seconds"])


def test_layers_without_work_and_too_large_ones_have_no_time():
    nothing, huge = rows([Conv(1, 1, 1, dims=1)], (1, 10**200)), rows([Conv(1, 1, 1)], (1, 10**300, 10**300))
    assert add_roofline(nothing, Machine(1.0, 1.0))[0]["least_seconds"] == pytest.approx(8e200)
    (row,) = add_roofline(huge, Machine(1.0, 1.0))
    assert row["least_seconds"] == inf
    assert "inf" in roofline_lines([row], Machine(1.0, 1.0))[1]
    g = Builder("n", (3, 8, 8))
    g("dropout")
    (dropped,) = add_roofline(g.build().rows(), Machine(1.0, 1.0))
    assert (dropped["bound"], dropped["least_seconds"]) == (None, None)
