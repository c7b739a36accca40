"""The limit on the memory of a task, checked before the task begins."""

from convcli.images.picture import ImageError
from convcli.memory import size_name

MIB = 1 << 20


def check_memory(task: str, memory: int, limit: int, hint: str) -> None:
    """Raise ImageError if a task needs more bytes than the limit.

    task : a description for the message, such as "filter photo.png"
    hint : advice on how to use less
    """
    if memory <= limit:
        return
    enough = size_name(-(-memory // MIB) * MIB)
    raise ImageError(
        f"cannot {task}: it would take about {enough} of memory, over the limit of {size_name(limit)}; raise it with "
        f"`max_memory={enough!r}`, or {hint}"
    )
