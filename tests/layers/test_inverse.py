from itertools import product

import pytest

from convcli.errors import ArgumentError
from convcli.layers import Conv, ConvTranspose
from convcli.layers.inverse import MAX_DILATION, MAX_STRIDE, Solution, solve


def forward(n, kernel, solution, transposed):
    padding, stride, dilation, output_padding = solution
    options = {
        "in_channels": 1, "out_channels": 1, "dims": 1, "kernel_size": kernel, "stride": stride, "dilation": dilation,
        "padding": padding if isinstance(padding, int) else (padding,),
    }  # fmt: skip
    layer = ConvTranspose(**options, output_padding=output_padding) if transposed else Conv(**options)
    return layer.output_shape((1, n))[1]


def small(kernel, transposed):
    """List all options that the solver may return, in its order."""
    for d in range(1, MAX_DILATION + 1 if kernel > 1 else 2):
        size = d * (kernel - 1) + 1
        for paddings in (range(size), [(p, p + 1) for p in range(size - 1)]):
            for extra in range(MAX_STRIDE if transposed else 1):
                for s in range(1, MAX_STRIDE + 1):
                    if not transposed or extra < max(s, d):
                        for p in paddings:
                            yield Solution(p, s, d, extra)


@pytest.mark.parametrize(("kernel", "transposed"), list(product([1, 2, 3, 5], [False, True])))
def test_the_answers_are_all_that_are_right(kernel, transposed):
    for n in (1, 2, 7, 10):
        by_target = {}
        for solution in small(kernel, transposed):
            try:
                target = forward(n, kernel, solution, transposed)
            except ArgumentError:
                continue
            by_target.setdefault(target, []).append(solution)
        for target in range(1, 3 * n + 3):
            assert solve(n, target, kernel, transposed) == by_target.get(target, []), (n, target)


@pytest.mark.parametrize("transposed", [False, True])
def test_given_options_are_kept_and_tried_however_large(transposed):
    paddings = [3, (0, 4), (4, 0), "same", "full", "valid"]
    given = {"paddings": paddings, "strides": [2, 20], "dilations": [1, 9]}
    tried = 0
    for target in range(1, 90):
        for solution in solve(9, target, 4, transposed, **given, output_paddings=[1] if transposed else None):
            assert forward(9, 4, solution, transposed) == target
            assert (solution.stride, solution.dilation) in product([2, 20], [1, 9])
            assert solution.output_padding == (1 if transposed else 0)
            tried += 1
    assert tried > 10
    assert solve(9, 5, 4, paddings=[(0, 3)], strides=[2]) == [Solution((0, 3), 2, 1)]
    assert solve(9, 5, 4, paddings=["same"], strides=[2], dilations=[1]) == [Solution((1, 2), 2, 1)]


def test_the_simplest_comes_first():
    assert solve(224, 112, 3)[0] == Solution(padding=1, stride=2, dilation=1)
    assert solve(7, 4, 3)[0] == Solution(padding=1, stride=2, dilation=1)
    assert solve(32, 32, 5)[0] == Solution(padding=2, stride=1, dilation=1)
    assert solve(7, 14, 4, transposed=True)[0] == Solution(padding=1, stride=2, dilation=1)
    assert solve(7, 14, 3, transposed=True)[0] == Solution(padding=1, stride=2, dilation=1, output_padding=1)
    assert solve(8, 8, 4)[0] == Solution(padding=(1, 2), stride=1, dilation=1)


def test_patches_side_by_side_are_found():
    """ViT's 16 x 16 patches."""
    assert Solution(0, 16, 1) in solve(224, 14, 16)
    assert Solution(0, 16, 1) in solve(14, 224, 16, transposed=True)


def test_no_answer_is_an_empty_list():
    assert solve(7, 900, 3) == []
    assert solve(7, 900, 3, transposed=True) == []


def test_large_numbers_are_solved_at_once():
    assert solve(10**30, 10**30, 3)[0] == Solution(padding=1, stride=1, dilation=1)
    assert solve(10**30, 1, 10**30)[0] == Solution(padding=0, stride=1, dilation=1)
    assert solve(7, 7, 3, strides=[10**30]) == []


@pytest.mark.parametrize("arguments", [(0, 4, 3), (7, 0, 3), (7, 4, 0)])
def test_bad_numbers_are_named(arguments):
    with pytest.raises(ArgumentError, match="must be at least 1, got 0"):
        solve(*arguments)
