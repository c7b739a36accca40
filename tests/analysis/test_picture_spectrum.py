"""The spectrum of a picture before and after kernels, against its definition and the convolution theorem."""

import numpy as np
import pytest

from convcli.analysis.picture_spectrum import BINS, binned, decibels, radial_rows, spectra
from convcli.analysis.response import frequency_response
from convcli.errors import ArgumentError
from convcli.kernels import parse_kernel, parse_kernels

RNG = np.random.default_rng(0)


def waves(rows, columns, *parts):
    """Return a sum of waves (amplitude, cycles down, cycles across)."""
    y, x = np.mgrid[:rows, :columns]
    return sum(a * np.cos(2 * np.pi * (down * y / rows + across * x / columns)) for a, down, across in parts)


@pytest.mark.parametrize(("rows", "columns"), [(16, 24), (15, 21)])
def test_a_wave_appears_at_its_frequency(rows, columns):
    found = spectra(50 + waves(rows, columns, (8, 3, 0), (2, 1, 5)), [parse_kernel("identity")])
    power = found.spectra[0]
    middle = rows // 2, columns // 2
    # A cosine of amplitude a is two exponentials of a / 2, each with the power (a / 2)^2; the mean is left out.
    expected = np.zeros((rows, columns))
    for a, down, across in ((8, 3, 0), (2, 1, 5)):
        for sign in (1, -1):
            expected[middle[0] + sign * down, middle[1] + sign * across] = (a / 2) ** 2
    np.testing.assert_allclose(power, expected, atol=1e-12)
    np.testing.assert_allclose(found.spectra[1], power, atol=1e-12)


def test_the_sum_of_the_power_is_the_variance():
    values = RNG.random((20, 30))
    assert spectra(values, [parse_kernel("box")]).spectra[0].sum() == pytest.approx(values.var())


@pytest.mark.parametrize("spec", ["gaussian:sigma=1.5", "sobel-x", "box:3; laplacian", "2x3: 1 2 3 4 5 6"])
def test_a_linear_kernel_multiplies_the_spectrum_by_its_response(spec):
    values, kernels = RNG.random((32, 32)) * 255, parse_kernels(spec)
    found = spectra(values, kernels)
    response = frequency_response(kernels, 32)
    expected = found.spectra[0] * response**2
    expected[16, 16] = 0  # the mean is left out
    np.testing.assert_allclose(found.spectra[1], expected, atol=1e-9 * expected.max())
    assert found.response.shape == (256, 256)


def test_rings_are_means_in_decibels_of_the_strongest():
    # A wave in the ring of 0.25, and one of twice the amplitude in that of 0.125: 4 times the power over fewer positions.
    found = spectra(waves(32, 32, (1, 8, 0), (2, 0, 4)), [parse_kernel("2")])
    rows = radial_rows(found)
    assert [row["frequency"] for row in rows] == [(number + 0.5) / (2 * BINS) for number in range(BINS)]
    y, x = np.mgrid[-16:16, -16:16] / 32
    radius = np.hypot(y, x)
    counts = [
        np.count_nonzero((radius > 0) & (radius >= n / 32) & (radius < (n + 1) / 32) & (radius <= 0.5))
        for n in range(16)
    ]
    assert (rows[4]["before"], rows[4]["after"]) == (0, pytest.approx(20 * np.log10(2)))
    assert rows[8]["before"] == pytest.approx(10 * np.log10(counts[4] / counts[8] / 4))
    assert rows[8]["gain"] == pytest.approx(20 * np.log10(2))
    empty = [row for number, row in enumerate(rows) if number not in (4, 8)]
    assert all(row["before"] is None or row["before"] < -250 for row in empty)


def test_the_first_ring_is_without_the_mean():
    values = RNG.random((64, 64)) + 9
    found = spectra(values, [parse_kernel("identity")])
    radius = np.hypot(np.fft.fftfreq(64)[:, np.newaxis], np.fft.fftfreq(64))
    power = np.abs(np.fft.fft2(values)) ** 2
    rings = [power[(radius > 0) & (radius >= n / 32) & (radius < (n + 1) / 32)].mean() for n in range(15)]
    right = [10 * np.log10(ring / max(rings)) for ring in rings]
    levels = np.array([row["before"] for row in radial_rows(found)[:15]])
    np.testing.assert_allclose(levels - levels.max(), right, atol=1e-9)


def test_zero_power_has_no_decibels():
    assert decibels(0.0, 1.0) is None
    assert decibels(1.0, 0.0) is None
    assert decibels(0.01, 1.0) == pytest.approx(-20)
    flat = radial_rows(spectra(np.full((8, 8), 3.0), [parse_kernel("box")]))
    assert all(row["before"] is row["after"] is row["gain"] is None for row in flat)


@pytest.mark.parametrize("shape", [(8, 8), (5, 7), (64, 100), (640, 30)])
def test_binning_keeps_the_middle_and_the_mean(shape):
    power = np.zeros(shape)
    power[shape[0] // 2, shape[1] // 2] = 1
    small = binned(power, 32)
    assert small.shape == (32, 32)
    rows, columns = np.nonzero(small)
    assert abs(rows.mean() - 16) <= max(1, 32 / shape[0]) and abs(columns.mean() - 16) <= max(
        1, 32 / shape[1]
    )
    assert binned(np.full(shape, 2.0), 32) == pytest.approx(2)
    large = RNG.random((64, 96))
    np.testing.assert_allclose(binned(large, 32), large.reshape(32, 2, 32, 3).mean(axis=(1, 3)))


def test_errors():
    with pytest.raises(ArgumentError, match="the picture holds NaN or infinity, which have no spectrum"):
        spectra(np.array([[1.0, np.nan]]), [parse_kernel("box")])
