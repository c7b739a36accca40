import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convcli.errors import ArgumentError
from convcli.layers import Conv
from convcli.layers.padding import MODES, border_source, normalise_padding, resolve_padding


def test_every_form_becomes_pairs():
    assert normalise_padding(1, (3, 3), (1, 1)) == ((1, 1), (1, 1))
    assert normalise_padding((1, 2), (3, 3), (1, 1)) == ((1, 1), (2, 2))
    assert normalise_padding(((1, 2), (0, 3)), (3, 3), (1, 1)) == ((1, 2), (0, 3))
    assert normalise_padding(((1, 2), 0), (3, 3), (1, 1)) == ((1, 2), (0, 0))
    assert normalise_padding("valid", (3, 3), (1, 1)) == ((0, 0), (0, 0))
    assert normalise_padding("full", (3, 2), (2, 1)) == ((4, 4), (1, 1))
    assert normalise_padding("same", (3, 3), (1, 1)) == "same"


def test_a_single_pair_is_for_all_axes():
    assert normalise_padding(((1, 2),), (3, 3), (1, 1)) == ((1, 2), (1, 2))
    assert Conv(in_channels=1, out_channels=1, kernel_size=3, padding=((1, 2),)).padding == ((1, 2), (1, 2))


@pytest.mark.parametrize(
    ("padding", "text"),
    [
        ("some", "there is no padding 'some'; give numbers or one of valid, same, same-lower, full"),
        (-1, "padding must be at least 0, got -1"),
        (1.5, "padding must be a whole number, got 1.5"),
        ((1, 2, 3), r"padding \(1, 2, 3\) has 3 axes where 2 are needed"),
        ((1,), r"padding \(1,\) has 1 axes where 2 are needed"),
        (((1, 2, 3), 1), r"padding \(1, 2, 3\) must be a number or a \(before, after\) pair"),
        (("ab", 1), "padding 'ab' must be a number"),
    ],
)
def test_a_bad_padding_is_named(padding, text):
    with pytest.raises(ArgumentError, match=text):
        normalise_padding(padding, (3, 3), (1, 1))


@given(n=st.integers(1, 40), k=st.integers(1, 9), s=st.integers(1, 9), d=st.integers(1, 4))
def test_same_is_that_of_tensorflow(n, k, s, d):
    outputs = -(-n // s)
    ((before, after),) = resolve_padding("same", (n,), (k,), (s,), (d,))
    assert before + after == max(0, (outputs - 1) * s + d * (k - 1) + 1 - n)
    assert after - before in (0, 1)
    assert resolve_padding("same-lower", (n,), (k,), (s,), (d,)) == ((after, before),)
    layer = Conv(in_channels=1, out_channels=1, kernel_size=(k,), stride=s, dilation=d, padding="same")
    assert layer.output_shape((1, n)) == (1, outputs)


@given(n=st.integers(1, 40), k=st.integers(1, 9), d=st.integers(1, 4))
def test_same_at_stride_1_is_that_of_pytorch(n, k, d):
    """nn.Conv2d: total = d*(k-1), the left part is the smaller one."""
    total = d * (k - 1)
    assert resolve_padding("same", (n,), (k,), (1,), (d,)) == ((total // 2, total - total // 2),)


NUMPYS = {"zeros": "constant", "replicate": "edge", "circular": "wrap"}


@given(
    mode=st.sampled_from(list(MODES)),
    n=st.integers(1, 7),
    before=st.integers(0, 20),
    after=st.integers(0, 20),
)
def test_a_border_holds_what_numpy_pads_with(mode, n, before, after):
    outside = {"constant_values": -1} if mode in ("zeros", "constant") else {}
    padded = np.pad(np.arange(n), (before, after), NUMPYS.get(mode, mode), **outside).tolist()
    found = [border_source(mode, n, place) for place in range(-before, n + after)]
    assert [-1 if source is None else source for source in found] == padded
