"""The drawing of layers at work: their steps in each form."""

from collections.abc import Sequence

from convcli.drawing.forms import Drawing
from convcli.drawing.records import record
from convcli.drawing.scene import Scene
from convcli.drawing.steps import Stage
from convcli.drawing.text_frames import plain_frames


def layer_drawing(stages: Sequence[Stage]) -> Drawing:
    """Return what is drawn of the steps of layers."""

    def scenes() -> list[Scene]:
        from convcli.drawing.step_scene import step_scene

        return [step_scene(stage) for stage in stages]

    return Drawing(
        steps=sum(len(stage.steps) for stage in stages),
        text=lambda width, step: "\n".join(plain_frames(stages, width, step)),
        record=lambda: [record(stage) for stage in stages],
        scenes=scenes,
    )
