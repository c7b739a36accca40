from itertools import product

import pytest

from convcli.layers.checkerboard import is_uneven, overlap, remedy


@pytest.mark.parametrize(("kernel", "stride"), list(product(range(1, 8), range(1, 7))))
@pytest.mark.parametrize(("dilation", "padding"), list(product(range(1, 5), range(3))))
def test_overlap_counts_the_taps_on_each_output(kernel, stride, dilation, padding):
    """Count the writes of every tap of many inputs, in the middle."""
    inputs = 80
    taps = [0] * (stride * inputs + dilation * kernel)
    for x in range(inputs):
        for t in range(kernel):
            taps[stride * x + dilation * t] += 1
    middle = stride * (inputs // 2) + padding
    assert overlap(kernel, stride, dilation, padding) == tuple(taps[middle : middle + stride])
    assert is_uneven(kernel, stride, dilation) == (len(set(taps[middle : middle + stride])) > 1)


def test_odena_et_al():
    """Kernel 3 with stride 2 overlaps unevenly, kernel 4 does not."""
    assert overlap(3, 2) == (2, 1)
    assert remedy(3, 2) == (
        "take a kernel of 4, a multiple of the stride 2, or resize first and then convolve (resize-conv)"
    )
    assert overlap(4, 2) == (2, 2)
    assert (
        remedy(4, 2)
        == "the kernel 4 is a multiple of the stride 2: every output gets the same number of taps"
    )
    assert "a kernel of 4 without dilation" in remedy(3, 2, 2)


def test_a_large_kernel_is_counted_at_once():
    assert overlap(10**30 + 1, 2) == (10**30 // 2 + 1, 10**30 // 2)
