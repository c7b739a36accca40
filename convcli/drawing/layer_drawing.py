"""The step-by-step drawing of layers, in all forms."""

from collections.abc import Sequence
from typing import IO

from convcli.drawing.forms import Drawing, Settings
from convcli.drawing.records import record
from convcli.drawing.scene import Scene
from convcli.drawing.text_frames import check_printable, plain_frames
from convcli.drawing.walk_layers import Numbers, walk_layers
from convcli.layers.base import Layer


def layer_drawing(layers: Sequence[Layer], input_shape: Sequence[int], numbers: Numbers) -> Drawing:
    """Return the step-by-step drawing of layers on an input (channels, *spatial)."""
    stages = walk_layers(layers, input_shape, numbers)

    def scenes() -> list[Scene]:
        from convcli.drawing.step_scene import step_scene

        return [step_scene(stage) for stage in stages]

    def page(settings: Settings) -> str:
        from convcli.drawing.page import page

        return page(
            layers, stages, numbers, step=settings.step or 1, delay=settings.delay, theme=settings.theme
        )

    def play(stream: IO[str], delay: float) -> bool:
        from convcli.drawing.play import play

        return play(stages, stream, delay)

    def text(width: int, step: int | None) -> str:
        if step is None:
            check_printable(stages)
        return "\n".join(plain_frames(stages, width, step))

    return Drawing(
        steps=sum(len(stage.steps) for stage in stages),
        text=text,
        record=lambda: [record(stage) for stage in stages],
        scenes=scenes,
        page=page,
        play=play,
    )
