"""Settings of a benchmark run."""

from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.pictures import Size


@dataclass(frozen=True)
class Setting:
    """The settings of a run.

    size     : of the picture, rows and columns
    sweep    : megapixels of the picture sweep
    batch    : pictures of the batch, and the size of each
    repeats  : timed runs of each, after one that warms up
    patience : seconds; what takes longer is run once
    limit    : seconds after which a command is stopped
    folder   : where the files go
    """

    size: Size
    sweep: tuple[float, ...]
    batch: tuple[int, Size]
    repeats: int
    patience: float
    limit: float
    folder: Path
