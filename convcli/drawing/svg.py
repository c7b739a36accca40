"""Encode scenes as SVG, animated by CSS; respects the viewer's preference for reduced motion and light or dark."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape

from convcli.drawing.scene import DARK, LIGHT, Bitmap, Label, Mark, Scene, Shape

FONTS = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
HOLD = 2  # duration of the last step, relative to the others


def svg(scenes: Sequence[Scene], theme: str, delay: float, step: int | None = None) -> str:
    """Return scenes as an animation, or only one step of them, counted from 1, without motion.

    theme : light, dark, or auto for the viewer's preference
    """
    width, height = max(scene.width for scene in scenes), max(scene.height for scene in scenes)
    count = sum(max(1, len(scene.now)) for scene in scenes)
    styles: dict[tuple[int, int], None] = {}
    parts = []
    begun = 0
    for scene in scenes:
        steps = max(1, len(scene.now))
        if step is not None and begun < step <= begun + steps:
            parts = [*_moved(scene, width, _marks(scene.frame(step - begun - 1)))]
            break
        if step is None:
            parts += _moved(scene, width, _animated(scene, begun, count, styles))
        begun += steps
    title = escape("; ".join(scene.title for scene in scenes))
    description = escape("\n".join(text for scene in scenes for text in scene.descriptions))
    sheet = "".join([_colours(theme), *_motion(styles, count, delay)])
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_n(width)} {_n(height)}" width="{_n(width)}" '
        f'height="{_n(height)}" role="img" aria-labelledby="title desc">\n'
        f'<title id="title">{title}</title>\n<desc id="desc">{description}</desc>\n<style>{sheet}</style>\n'
        f'<rect width="100%" height="100%" class="f-paper"/>\n' + "\n".join(parts) + "\n</svg>\n"
    )


def _moved(scene: Scene, width: float, marks: Iterable[str]) -> Iterator[str]:
    """Yield a scene centred in the width."""
    left = (width - scene.width) / 2
    yield f'<g transform="translate({_n(left)})">' if left else "<g>"
    yield from marks
    yield "</g>"


def _animated(scene: Scene, begun: int, count: int, styles: dict[tuple[int, int], None]) -> Iterator[str]:
    """Yield a scene whose steps are shown in turn; with reduced motion it shows the last step."""
    end = begun + max(1, len(scene.now))
    alone = len(scene.now) == count or not scene.now
    last = end == count

    def group(marks: Iterable[Mark], first: int, after: int, hidden: bool) -> Iterator[str]:
        styles[first, after] = None
        yield f'<g class="s{first}-{after}"' + (' visibility="hidden">' if hidden else ">")
        yield from _marks(marks)
        yield "</g>"

    yield from _marks(scene.base) if alone else group(scene.base, begun, end, not last)
    for place, marks in enumerate(scene.kept[:-1], start=begun + 1):
        yield from group(marks, place, end, not last)
    for place, marks in enumerate(scene.now, start=begun):
        yield from group(marks, place, place + 1, place + 1 < count)


def _motion(styles: Iterable[tuple[int, int]], count: int, delay: float) -> Iterator[str]:
    """Yield the CSS rules that show groups from one step to another."""
    slots = count - 1 + HOLD

    def share(step: int) -> str:
        return f"{100 * (slots if step == count else step) / slots:.4f}".rstrip("0").rstrip(".") + "%"

    rules = list(styles)
    if not rules:
        return
    yield "@media (prefers-reduced-motion:no-preference){"
    for first, after in rules:
        name = f"s{first}-{after}"
        frames = {
            "0%": "visible" if first == 0 else "hidden",
            share(first): "visible",
            share(after): "hidden",
        }
        shown = "".join(f"{at}{{visibility:{how}}}" for at, how in frames.items())
        yield f".{name}{{animation:{name} {slots * delay:g}s step-end infinite}}@keyframes {name}{{{shown}}}"
    yield "}"


def _colours(theme: str) -> str:
    base = f"text{{font-family:{FONTS};font-variant-numeric:tabular-nums}}"
    if theme != "auto":
        return base + _rules(DARK if theme == "dark" else LIGHT)
    return base + _rules(LIGHT) + f"@media (prefers-color-scheme:dark){{{_rules(DARK)}}}"


def _rules(palette: Mapping[str, str]) -> str:
    return (
        "".join(
            f".e-{name}{{stroke:{colour}}}" if name.endswith("-edge") else f".f-{name}{{fill:{colour}}}"
            for name, colour in palette.items()
        )
        + f".e-ray{{stroke:{palette['ray']}}}"
    )


def _marks(marks: Iterable[Mark]) -> Iterator[str]:
    for mark in marks:
        yield (
            _label(mark)
            if isinstance(mark, Label)
            else _bitmap(mark)
            if isinstance(mark, Bitmap)
            else _shape(mark)
        )


def _label(label: Label) -> str:
    anchor = "" if label.anchor == "start" else f' text-anchor="{label.anchor}"'
    return (
        f'<text x="{_n(label.x)}" y="{_n(label.y)}" dy=".35em" font-size="{_n(label.size)}"{anchor} '
        f'class="f-{label.colour}">{escape(label.text, quote=False)}</text>'
    )


def _shape(shape: Shape) -> str:
    points = " ".join(f"{_n(x)},{_n(y)}" for x, y in shape.points)
    classes = [f"f-{shape.fill}" if shape.fill else "", f"e-{shape.edge}" if shape.edge else ""]
    settings = {
        "class": " ".join(filter(None, classes)),
        "fill": "" if shape.fill else "none",
        "stroke-dasharray": "4 4" if shape.dashed else "",
        "stroke-width": "" if shape.width == 1 else _n(shape.width),
        "opacity": "" if shape.opacity == 1 else f"{shape.opacity:g}",
    }
    attributes = "".join(f' {name}="{value}"' for name, value in settings.items() if value)
    return f'<{"polygon" if shape.closed else "polyline"} points="{points}"{attributes}/>'


def _bitmap(bitmap: Bitmap) -> str:
    from base64 import b64encode

    from PIL import Image

    from convcli.drawing.raster import png

    data = b64encode(png(Image.fromarray(bitmap.pixels))).decode()
    return (
        f'<image x="{_n(bitmap.x)}" y="{_n(bitmap.y)}" width="{_n(bitmap.width)}" height="{_n(bitmap.height)}" '
        f'preserveAspectRatio="none" style="image-rendering:pixelated" href="data:image/png;base64,{data}"/>'
    )


def _n(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")
