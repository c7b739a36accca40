"""The picture that compare A B draws of the differences."""

from pathlib import Path

from convcli.cli.distances import RAW, Found, seen
from convcli.cli.options import AnswerOptions
from convcli.errors import ArgumentError
from convcli.files import write_whole
from convcli.images.formats import FORMATS, format_of
from convcli.images.modes import mode_of
from convcli.images.picture import Frame, Picture


def picture_of(answer: AnswerOptions) -> tuple[Path, str] | None:
    """Return where -o asks for a picture, and its format; None where its ending is of text."""
    if answer.output is None:
        return None
    path = Path(answer.output)
    try:
        return path, format_of(path)
    except ArgumentError:
        return None


def draw(path: Path, form: str, a: Picture, b: Picture, found: Found, force: bool) -> str:
    """Write the differences, of all frames or of the worst; return what the picture shows.

    A format of pictures gets |A - B|, the largest of all frames as white; NPY gets A - B itself.
    """
    from convcli.images.write import encode

    colours = "RGB" if a.frames[0].channels in ("RGB", "RGBA") else "L"
    numbers, which = range(len(a.frames)), ""
    if form != RAW and not FORMATS[form].holds(colours, len(numbers)):
        worst = found.whole["frame"]
        numbers, which = range(worst, worst + 1), f"frame {worst}, where it is largest, "
    frames = tuple(_frame(a, b, number, form, colours, found.largest) for number in numbers)
    drawn = Picture(frames, form, loop=a.loop)
    data, losses = encode(drawn, form, str(path))
    write_whole(path, data, overwrite=force)
    shown = "A - B" if form == RAW else f"|A - B|{_scale(found.largest)}"
    return "; ".join([f"wrote {path}: {which}{shown}", *losses])


def _frame(a: Picture, b: Picture, number: int, form: str, colours: str, largest: float) -> Frame:
    from convcli.backend.apart import drawn
    from convcli.backend.measures import difference

    one, other, _ = seen(a, b, number)
    frame = a.frames[number]
    if form == RAW:
        return Frame(difference(one, other), mode_of(one.shape[2], "float64"))
    lit = drawn(one, other, largest, has_alpha=frame.has_alpha, in_colours=colours == "RGB")
    return Frame(lit, colours, frame.duration)


def _scale(largest: float) -> str:
    if not largest:
        return ", black: nothing differs"
    if largest == float("inf"):
        return ", white where only one is a number, or they are infinitely far apart, else black"
    return f" times {255 / largest:.4g}: white is {largest:g}"
