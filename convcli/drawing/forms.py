"""The forms that a drawing can be written in, by the endings of files."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from convcli.drawing.steps import Stage
from convcli.errors import ArgumentError

TEXT_WIDTH = 80


class Settings(NamedTuple):
    """How steps are shown.

    step : only this one, counted from 1 through all layers
    delay : seconds for which each step of an animation is shown
    """

    step: int | None = None
    delay: float = 0.8


def check_step(stages: Sequence[Stage], step: int | None) -> None:
    """Raise ArgumentError where there is no such step."""
    count = sum(len(stage.steps) for stage in stages)
    if step is not None and step > count:
        raise ArgumentError(f"there is no step {step}; there are {count}, counted from 1")


def _text(stages: Sequence[Stage], settings: Settings) -> bytes:
    from convcli.drawing.text_frames import plain_frames

    return "\n".join(plain_frames(stages, TEXT_WIDTH, settings.step)).encode()


def _json(stages: Sequence[Stage], settings: Settings) -> bytes:
    import json

    from convcli.drawing.records import record

    return (json.dumps([record(stage) for stage in stages]) + "\n").encode()


FORMS: dict[str, Callable[[Sequence[Stage], Settings], bytes]] = {
    "txt": _text,
    "json": _json,
}
