"""The quantization tables of each quality, as libjpeg scales them (Independent JPEG Group, jcparam.c)."""

from collections.abc import Sequence

BASELINE = 255  # largest quantization step that every decoder reads

# The tables of quality 50, row by row: ITU-T T.81, tables K.1 and K.2.
LUMINANCE = (
    *(16, 11, 10, 16, 24, 40, 51, 61),
    *(12, 12, 14, 19, 26, 58, 60, 55),
    *(14, 13, 16, 24, 40, 57, 69, 56),
    *(14, 17, 22, 29, 51, 87, 80, 62),
    *(18, 22, 37, 56, 68, 109, 103, 77),
    *(24, 35, 55, 64, 81, 104, 113, 92),
    *(49, 64, 78, 87, 103, 121, 120, 101),
    *(72, 92, 95, 98, 112, 100, 103, 99),
)
CHROMINANCE = (
    *(17, 18, 24, 47, 99, 99, 99, 99),
    *(18, 21, 26, 66, 99, 99, 99, 99),
    *(24, 26, 56, 99, 99, 99, 99, 99),
    *(47, 66, 99, 99, 99, 99, 99, 99),
    *(99,) * 32,
)


def table_of(standard: Sequence[int], quality: int) -> tuple[int, ...]:
    """Return the table of a quality from 1 to 100, given that of quality 50.

    >>> table_of(LUMINANCE, 90)[:4]
    (3, 2, 2, 3)
    """
    scale = 5000 // quality if quality < 50 else 200 - 2 * quality
    return tuple(min(BASELINE, max(1, (step * scale + 50) // 100)) for step in standard)


def nearest_quality(table: Sequence[int]) -> int:
    """Return the quality whose luminance table is closest to `table`."""
    scale = 100 * sum(table[:8]) / sum(LUMINANCE[:8])
    quality = 100 - scale / 2 if scale <= 100 else 5000 / scale
    return min(100, max(1, round(quality)))


def quality_of(tables: Sequence[Sequence[int]], channels: int) -> int | None:
    """Return the quality that has exactly these tables; None if there is none.

    tables : one for each of the 1 or 3 channels; repeated last tables may be left out
    """
    near = nearest_quality(tables[0])
    whole = [tuple(tables[min(channel, len(tables) - 1)]) for channel in range(channels)]
    for quality in range(max(1, near - 2), min(100, near + 2) + 1):
        chroma = table_of(CHROMINANCE, quality)
        if whole == [table_of(LUMINANCE, quality), chroma, chroma][:channels]:
            return quality
    return None
