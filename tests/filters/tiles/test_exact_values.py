"""Exact sums and floats follow the same rule of alpha: samples do not depend on which of them computes a value."""

from typing import Any
from unittest.mock import patch

import hypothesis.extra.numpy as hnp
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from convcli.filters.filter_image import filter_image
from convcli.filters.tiles import exact_values
from convcli.kernels import parse_kernel
from convcli.kernels.change import shifted
from convcli.layers.padding import MODES

SMOOTH = ("gaussian:sigma=0.8", "0.1 0.2 0.4 0.2 0.1", "0.3 0.7; 0.9 0.1")
OTHERS = ("freichen", "0.5 -1.25; 0.75 1.5", "log:sigma=0.7")


@st.composite
def cases(draw: st.DrawFn) -> dict[str, Any]:
    alpha = draw(st.sampled_from(["keep", "premultiply"]))
    dtype = draw(st.sampled_from(["uint8", "uint16"]))
    opaque = np.iinfo(dtype).max
    shape = draw(st.tuples(st.integers(1, 5), st.integers(1, 6), st.sampled_from([2, 4])))
    pixels = draw(hnp.arrays(dtype, shape, elements=st.integers(0, opaque)))
    pixels[..., -1] = draw(hnp.arrays(dtype, shape[:2], elements=st.sampled_from([0, 0, 1, 3, opaque])))
    mode = draw(st.sampled_from(list(MODES)))
    return {
        "pixels": pixels,
        "kernel": shifted(
            parse_kernel(draw(st.sampled_from(SMOOTH if alpha == "premultiply" else (*SMOOTH, *OTHERS)))),
            draw(st.sampled_from([0, 3, -0.5])),
        ),
        "alpha": alpha,
        "padding_mode": mode,
        "padding_value": draw(st.sampled_from([0.0, 7.5])) if mode == "constant" else 0.0,
        "padding": draw(st.sampled_from(["same", "full", 0])),
        "stride": draw(st.integers(1, 2)),
        "value_range": draw(st.sampled_from(["clip", "offset"])),
        "threads": 1,
    }


@given(cases())
def test_exact_sums_equal_floats_where_floats_are_certain(case: dict[str, Any]) -> None:
    try:
        made = filter_image(**case)
    except ValueError as error:
        assert "would be empty" in str(error)
        return
    # Makes all values count as too close to a half.
    with patch.object(exact_values, "LEVEL_PARTS", 1.0):
        exact = filter_image(**case)
    assert np.array_equal(exact.pixels, made.pixels)
    assert exact.clipped == made.clipped
