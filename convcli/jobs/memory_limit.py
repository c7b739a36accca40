"""Work that would take more memory than the limit is refused before it begins."""

from convcli.images.picture import ImageError
from convcli.memory import size_name

MIB = 1 << 20


def check_memory(task: str, memory: int, limit: int, way: str) -> None:
    """Raise ImageError where a task takes more bytes than the limit.

    task : what messages say cannot be done, such as "filter photo.png"
    way : what would take less
    """
    if memory <= limit:
        return
    enough = size_name(-(-memory // MIB) * MIB)
    raise ImageError(
        f"cannot {task}: it would take about {enough} of memory, over the limit of {size_name(limit)}; raise it with "
        f"`max_memory={enough!r}`, or {way}"
    )
