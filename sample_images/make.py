"""Draw convcli's sample pictures: own work, CC0, the same bytes on every run.

Usage: python make.py [FOLDER]        (default: the folder this script is in)
"""

import math
import struct
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import ExifTags, Image, ImageCms, ImageDraw

Array = NDArray[np.float64]
Point = tuple[float, float]
Colour = tuple[int, int, int]
Canvas = ImageDraw.ImageDraw
Pen = Callable[..., None]

SIZE_LIMIT = 300_000  # bytes a file; the pictures live in the repository and on the README

# ---------------------------------------------------------------- helpers

LATTICE = np.random.default_rng(2024).uniform(0, math.tau, (256, 256))
GRADIENT_X, GRADIENT_Y = np.cos(LATTICE), np.sin(LATTICE)


def noise(x: Array, y: Array) -> Array:
    """Return Perlin gradient noise, roughly within -1..1, at the given points."""
    column, row = np.floor(x).astype(int), np.floor(y).astype(int)
    dx, dy = x - column, y - row

    def corner(i: int, j: int) -> Array:
        at = (row + j) & 255, (column + i) & 255
        return np.asarray(GRADIENT_X[at] * (dx - i) + GRADIENT_Y[at] * (dy - j))

    def fade(low: Array, high: Array, t: Array) -> Array:
        return low + (high - low) * (t * t * t * (t * (t * 6 - 15) + 10))

    top, bottom = fade(corner(0, 0), corner(1, 0), dx), fade(corner(0, 1), corner(1, 1), dx)
    return 1.4 * fade(top, bottom, dy)


def fractal(x: Array, y: Array, octaves: int, ridged: bool = False) -> Array:
    """Return fractal noise: soft billows (-1..1), or sharp mountain ridges (0..1)."""
    total, weight, amplitude = np.zeros_like(x + y), np.ones_like(x + y), 0.5
    for _ in range(octaves):
        layer = noise(x, y)
        if ridged:  # detail gathers on the crests and leaves the valleys smooth
            layer = (1 - np.abs(layer)) ** 2 * weight
            weight = np.clip(1.5 * layer, 0, 1)
        total += amplitude * layer
        amplitude *= 0.46
        # turning each octave by 37 degrees hides the square lattice
        x, y = 1.6 * x - 1.2 * y + 17.3, 1.2 * x + 1.6 * y + 5.7
    return total


def smoothstep(low: float, high: float, value: Array) -> Array:
    """Return a soft step from 0 to 1 as value goes from low to high."""
    t: Array = np.clip((value - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def gradient(position: Array | float, stops: Array, colours: ArrayLike) -> Array:
    """Return the colour at each position between colours placed at the stops."""
    return np.stack([np.interp(position, stops, channel) for channel in np.transpose(colours)], axis=-1)


def blend(under: ArrayLike, over: ArrayLike, amount: Array) -> Array:
    """Return the colours `under` with `over` laid on them, by an amount 0..1 for each pixel."""
    bottom, top = np.asarray(under, float), np.asarray(over, float)
    return np.asarray(bottom + (top - bottom) * amount[..., None])


def to_image(colours: Array) -> Image.Image:
    """Return colours or greys in 0..1 as an 8-bit picture."""
    return Image.fromarray(np.rint(np.clip(colours, 0, 1) * 255).astype(np.uint8))


# ---------------------------------------------------------------- landscape

SCENE_WIDTH, SCENE_HEIGHT, WATERLINE = 1280, 854, 530
SUN = (-0.36, 0.30)  # across from the middle and up from the water, in image heights
PEAKS = np.array(  # across, distance, height and radius of the mountains, then of two near hills
    [
        (2.0, 7.0, 2.9, 2.3),
        (5.2, 7.6, 2.3, 1.9),
        (-5.6, 9.0, 2.7, 2.6),
        (-9.5, 11.0, 3.2, 2.6),
        (-1.0, 17.0, 3.2, 4.0),
        (-7.0, 17.0, 3.6, 4.0),
        (7.0, 16.0, 4.6, 4.0),
        (-0.2, 11.5, 1.5, 2.0),
        (2.6, 4.0, 0.5, 1.3),
        (-2.6, 4.6, 0.7, 1.4),
    ]
)


def sky(across: Array, up: Array) -> Array:
    """Return the evening sky: a gradient, the sun's glow and clouds lit by it."""
    zenith, blue, pale = (0.22, 0.37, 0.60), (0.42, 0.57, 0.75), (0.70, 0.74, 0.80)
    bands = [(0.99, 0.78, 0.56), (0.97, 0.77, 0.64), pale, blue, zenith]
    colours = gradient(up, np.array([0.0, 0.12, 0.3, 0.5, 0.7]), bands)
    sun_distance = np.hypot(across - SUN[0], up - SUN[1])
    colours = blend(colours, (1.0, 0.86, 0.58), 0.75 * np.exp(-sun_distance / 0.16))

    crowding = 1 / (up + 0.22)  # clouds look flatter and closer together towards the horizon
    billows = fractal(1.5 * across * crowding + 3.1, 2.6 * crowding, 7)
    cloud = blend((0.74, 0.70, 0.78), (1.08, 0.86, 0.68), np.exp(-sun_distance / 0.6))
    cloud *= (1.06 - 0.28 * smoothstep(0.2, 0.75, billows))[..., None]
    colours = blend(colours, cloud, 0.85 * smoothstep(-0.04, 0.4, billows) * smoothstep(0.12, 0.3, up))
    return blend(colours, (1.0, 0.97, 0.86), smoothstep(0.034, 0.022, sun_distance))


def terrain(x: Array, z: Array) -> Array:
    """Return the height of the ground, x across and z away from the viewer."""
    mass = np.zeros_like(x)
    for peak_x, peak_z, height, radius in PEAKS:
        mass += height * np.exp(-((x - peak_x) ** 2 + (z - peak_z) ** 2) / radius**2)
    return mass * (0.3 + fractal(0.36 * x + 80.1, 0.36 * z + 70.5, 9, ridged=True)) - 0.05


def mountains(across: Array, up: Array, behind: Array) -> tuple[Array, Array]:
    """Return the sky `behind` a lit and hazy mountain range, and the distance of each pixel."""
    distances = np.geomspace(2.6, 18, 700)[:, None]
    skyline = np.maximum.accumulate(terrain(across[0] * distances, distances + 0 * across[0]) / distances)
    # in each column, the ray of slope `up` meets the ground where the skyline first reaches it
    hits = [np.interp(up[:, 0], column, distances[:, 0]) for column in skyline.T]
    ground = up <= skyline[-1]
    z = np.stack(hits, axis=1)[ground]
    x = across[ground] * z

    step, height = 0.012, terrain(x, z)
    slope_x, slope_z = (terrain(x + step, z) - height) / step, (terrain(x, z + step) - height) / step
    steepness = np.sqrt(1 + slope_x**2 + slope_z**2)
    light = np.clip((0.74 * slope_x + 0.5 + 0.3 * slope_z) / steepness, 0, 1)
    patches = fractal(3 * x, 3 * z, 5)
    colours = blend((0.40, 0.36, 0.36), (0.27, 0.25, 0.27), smoothstep(-0.4, 0.4, patches))  # rock
    colours = blend(colours, (0.13, 0.20, 0.14), smoothstep(0.85, 0.5, height + 0.4 * patches))  # woods
    snow = smoothstep(1.0, 1.25, height + 0.4 * patches - 0.45 * (steepness - 1.4))
    colours = blend(colours, (0.93, 0.95, 1.0), snow)
    colours = colours * (light[:, None] * (1.45, 1.12, 0.85) + (0.30, 0.38, 0.52))  # sunlight, skylight

    sunward = np.exp(-np.abs(across[ground] - SUN[0]) / 0.35)
    haze = blend((0.62, 0.70, 0.82), (1.0, 0.80, 0.62), sunward)
    clarity = np.exp(-np.maximum(z - 3.2, 0) / 7.5 - 0.12 * sunward)
    scene, depth = behind.copy(), np.full(across.shape, np.inf)
    scene[ground], depth[ground] = blend(colours, haze, 0.93 * (1 - clarity)), z
    return scene, depth


def fir(draw: Canvas, foot: Point, height: float, colour: Colour, rng: np.random.Generator) -> None:
    """Draw a ragged fir, branch by branch, its left side in the sun."""
    x, base = foot
    draw.polygon([(x, base - height), (x - 0.015 * height, base), (x + 0.015 * height, base)], fill=colour)
    tiers = int(np.clip(height / 6, 5, 64))
    thick = height / tiers
    for tier in range(tiers):
        down = (tier + 0.5) / tiers
        y = base - height * (1 - 0.94 * down)
        for side, light in ((-1, 1.35), (1, 0.9)):
            reach = side * height * (0.02 + 0.17 * down**0.9) * rng.uniform(0.6, 1.1)
            tip = y + 0.3 * abs(reach) + rng.uniform(0, thick)
            light *= rng.uniform(0.8, 1.15)
            branch = [(x, y - thick), (x + reach, tip), (x + 0.5 * reach, tip), (x, y + 0.9 * thick)]
            draw.polygon(branch, fill=tuple(int(light * channel) for channel in colour))


def forest(draw: Canvas, scene: Array, depth: Array, rng: np.random.Generator) -> None:
    """Draw the firs on the hillsides, far ones first, then those along the shore."""
    near = np.argwhere(depth < 8)
    spots = near[rng.choice(len(near), 7000)]
    for row, column in sorted(spots.tolist(), key=lambda spot: -depth[spot[0], spot[1]]):
        red, green, blue = scene[row, column]
        if green > 1.06 * max(red, blue):  # firs grow where the ground is green, not on rock or snow
            shade = rng.uniform(110, 230)
            colour = int(0.8 * shade * red), int(0.85 * shade * green), int(0.95 * shade * blue)
            fir(draw, (column, row + 2), rng.uniform(45, 75) / depth[row, column], colour, rng)
    for x in np.sort(rng.uniform(-10, SCENE_WIDTH + 10, 210)):
        if not 985 < x < 1130:  # the cabin's clearing
            height = rng.uniform(26, 74) * (0.5 + 0.5 * abs(math.sin(x / 170 + 0.8)))
            shade = rng.uniform(0.7, 1.2)
            fir(draw, (x, WATERLINE), height, (int(26 * shade), int(42 * shade), int(34 * shade)), rng)


def cabin(draw: Canvas, left: float, floor: float, size: float) -> None:
    """Draw a log cabin with lit windows."""

    def at(*points: Point) -> list[Point]:
        return [(left + size * x, floor - size * y) for x, y in points]

    draw.polygon(at((0, 0), (0, 0.36), (0.26, 0.68), (0.52, 0.36), (0.52, 0)), fill=(134, 88, 58))
    draw.rectangle(at((0.52, 0.36), (1.2, 0)), fill=(84, 56, 44))
    for log in (0.06, 0.12, 0.18, 0.24, 0.30):
        draw.line(at((0, log), (0.52, log)), fill=(98, 62, 42), width=2)
        draw.line(at((0.52, log), (1.2, log)), fill=(60, 40, 34), width=2)
    draw.rectangle(at((0.84, 0.86), (0.95, 0.6)), fill=(104, 92, 90))
    draw.polygon(at((0.26, 0.74), (0.58, 0.32), (1.27, 0.32), (1.0, 0.74)), fill=(70, 60, 66))
    draw.line(at((-0.07, 0.32), (0.26, 0.73), (1.0, 0.73)), fill=(150, 120, 104), width=5)
    draw.line(at((0.26, 0.73), (0.58, 0.33)), fill=(120, 96, 86), width=5)
    draw.rectangle(at((0.2, 0.26), (0.34, 0)), fill=(58, 36, 28))
    for x in (0.64, 0.92):
        draw.rectangle(at((x, 0.25), (x + 0.16, 0.1)), fill=(255, 206, 116))
        draw.line(at((x + 0.08, 0.1), (x + 0.08, 0.25)), fill=(92, 56, 36), width=2)


def lake(shore: Array) -> Array:
    """Return the water: the shore mirrored, shaken by ripples, with the sun's glitter."""
    ys, xs = np.mgrid[: SCENE_HEIGHT - WATERLINE, :SCENE_WIDTH]
    near = (ys + 1) / (SCENE_HEIGHT - WATERLINE)
    away = 1 / (near + 0.06)
    across = (xs / SCENE_WIDTH - 0.5) * away
    swell = fractal(3 * across, 26 * away, 4)
    ripple = swell * (0.25 + smoothstep(-0.25, 0.4, fractal(0.8 * across + 4, 2.5 * away, 3)))  # breezes
    rows = np.clip(WATERLINE - 2 - 1.3 * ys + (4 + 44 * near) * ripple, 0, WATERLINE - 1).astype(int)
    columns = np.clip(xs + 8 * near * ripple, 0, SCENE_WIDTH - 1).astype(int)
    water = blend(shore[rows, columns] * (0.90, 0.93, 0.96), (0.06, 0.17, 0.26), 0.10 + 0.40 * near)
    water *= (1 + 0.35 * ripple * near)[..., None]
    from_sun = xs - SCENE_WIDTH / 2 - SUN[0] * SCENE_HEIGHT
    glitter = np.exp(-((from_sun / (30 + 110 * near)) ** 2)) * smoothstep(-0.1, 0.4, swell)
    return blend(water, (1.0, 0.86, 0.62), 0.8 * glitter)


def foreground(draw: Canvas, rng: np.random.Generator) -> None:
    """Draw the jetty, and the near bank with grass and tall firs."""
    for drop, wood in ((9, (30, 42, 52)), (0, (122, 98, 80))):  # the jetty's reflection comes first
        deck = [(1014, 530 + drop), (1038, 530 + drop), (950, 588 + drop), (890, 584 + drop)]
        draw.polygon(deck, fill=wood)
    for t in np.linspace(0, 1, 15) ** 1.5:
        plank = [(1014 - 124 * t, 530 + 54 * t), (1038 - 88 * t, 530 + 58 * t)]
        draw.line(plank, fill=(78, 60, 52), width=2)
    for x, y, height in ((890, 584, 20), (950, 588, 21), (944, 560, 14), (986, 564, 14)):
        draw.line([(x, y - height), (x, y + 0.8 * height)], fill=(54, 42, 38), width=5)

    xs = np.arange(0, 540, 4.0)
    bank = 752 + 104 * (xs / 530) ** 1.7 + 5 * fractal(xs / 22, 0 * xs, 4)
    draw.polygon([*zip(xs.tolist(), bank.tolist(), strict=True), (0, SCENE_HEIGHT)], fill=(27, 31, 27))
    for x, y, height in ((-18, 800, 500), (146, 798, 440), (62, 810, 640), (232, 806, 190), (300, 818, 96)):
        fir(draw, (x, y), height, (19, 30, 28), rng)
    for x in rng.uniform(0, 525, 700):
        y = 766 + 100 * (x / 530) ** 1.7 + rng.uniform(-8, 40)
        lean, tall, shade = rng.uniform(-13, 13), rng.uniform(12, 42), rng.uniform(0.3, 1)
        blade = [(x, y), (x + 0.3 * lean, y - 0.6 * tall), (x + lean, y - tall)]
        draw.line(blade, fill=(int(104 * shade), int(92 * shade), int(58 * shade)), width=2)


def landscape() -> Image.Image:
    """Return the scene, larger than it is published: mountains over a lake at dusk."""
    rng = np.random.default_rng(7)
    ys, xs = np.mgrid[:WATERLINE, :SCENE_WIDTH]
    across, up = (xs - SCENE_WIDTH / 2) / SCENE_HEIGHT, (WATERLINE - ys) / SCENE_HEIGHT
    scene, depth = mountains(across, up, sky(across, up))
    image = to_image(scene)
    draw = ImageDraw.Draw(image)
    forest(draw, scene, depth, rng)
    mound = 6 * np.exp(-(((xs[0] - 1060) / 90) ** 2))  # for the cabin to stand on
    bank = WATERLINE - 3 - mound - 7 * np.abs(noise(xs[0] / 41, 0.5 + 0 * xs[0]))
    edge = [*zip(xs[0].tolist(), bank.tolist(), strict=True), (SCENE_WIDTH, WATERLINE), (0, WATERLINE)]
    draw.polygon(edge, fill=(58, 60, 44))
    cabin(draw, 995, WATERLINE - 7, 122)
    for x, height in ((1140, 80), (1162, 110), (968, 90), (1186, 64)):
        fir(draw, (x, WATERLINE), height, (28, 44, 36), rng)
    mist = np.exp(-(((up - 0.012) / 0.022) ** 2)) * (0.42 + 0.5 * fractal(2.5 * across, 9 * up, 4))
    shore = blend(np.asarray(image) / 255, (0.86, 0.80, 0.78), np.clip(mist, 0, 1))
    image = to_image(np.concatenate([shore, lake(shore)]))
    foreground(ImageDraw.Draw(image), rng)
    return image


def photograph(scene: Image.Image, width: int, height: int) -> Image.Image:
    """Return the scene as a camera of that many pixels sees it: darker corners, sensor noise."""
    picture = np.asarray(scene.resize((width, height), Image.Resampling.LANCZOS)) / 255
    ys, xs = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    rng = np.random.default_rng(11)
    grain = rng.normal(0, 0.008, (height, width, 1)) + rng.normal(0, 0.005, (height, width, 3))
    return to_image(picture * (1.04 - 0.12 * (xs**2 + ys**2))[..., None] + grain)


# ---------------------------------------------------------------- house

SUPERSAMPLE = 4  # line drawings are made this much too large, and shrinking smooths their edges
INK, PAPER = 28, 250


def stroke(draw: Canvas, *points: Point, width: float = 1.4, ink: int = INK) -> None:
    """Draw a line with rounded bends and ends."""
    scaled = [(x * SUPERSAMPLE, y * SUPERSAMPLE) for x, y in points]
    draw.line(scaled, fill=ink, width=round(width * SUPERSAMPLE), joint="curve")
    for end in (scaled[0], scaled[-1]):
        draw.circle(end, width * SUPERSAMPLE / 2, fill=ink)


def outline(draw: Canvas, *points: Point, fill: int = PAPER, width: float = 1.6) -> None:
    """Draw a filled shape with a line around it."""
    draw.polygon([(x * SUPERSAMPLE, y * SUPERSAMPLE) for x, y in points], fill=fill)
    stroke(draw, *points, points[0], width=width)


def arc(
    x: float, y: float, wide: float, high: float, start: float, stop: float, end: float = 1
) -> list[Point]:
    """Return points along an ellipse, clockwise in degrees, spiralling to `end` times its size."""
    turns = np.radians(np.linspace(start, stop, 2 + int(abs(stop - start) / 8)))
    size = np.linspace(1, end, turns.size)
    xs, ys = x + wide * size * np.cos(turns), y + high * size * np.sin(turns)
    return list(zip(xs.tolist(), ys.tolist(), strict=True))


def circle(x: float, y: float, radius: float) -> list[Point]:
    """Return points around a circle."""
    return arc(x, y, radius, radius, 0, 360)


def box(left: float, top: float, right: float, bottom: float) -> list[Point]:
    """Return the corners of a rectangle."""
    return [(left, top), (right, top), (right, bottom), (left, bottom)]


def sun_and_hills(line: Pen, shape: Pen) -> None:
    """Draw the sky over the house, and the hills behind it."""
    for degrees in range(0, 360, 15):
        turn, far = math.radians(degrees), 42 if degrees % 30 else 50
        line(*((62 + r * math.cos(turn), 58 + r * math.sin(turn)) for r in (32, far)))
    shape(*circle(62, 58, 24), fill=236)
    line(*arc(62, 58, 18, 18, 20, 800, end=0.05), width=0.9)
    puffs = ((0, 0, 12, 90, 265), (15, -9, 14, 180, 312), (34, -6, 13, 232, 350), (49, 1, 10, 272, 450))
    for x, y, size in ((146, 48, 1.0), (344, 34, 0.8)):  # clouds
        rims = (arc(x + size * dx, y + size * dy, size * r, size * r, *turn) for dx, dy, r, *turn in puffs)
        shape(*(point for rim in rims for point in rim))
    for x, y, size in ((30, 150, 7), (52, 138, 5), (62, 156, 4)):  # birds
        for wing in (x - size, x + size):
            line(*arc(wing, y, size, size, 200, 340), width=1.2)
    shape(*arc(70, 300, 190, 112, 180, 360), fill=240)
    shape(*arc(345, 300, 170, 92, 180, 360), fill=240)
    shape(*box(-5, 232, 405, 325))


def building(line: Pen, shape: Pen) -> None:
    """Draw the house: smoking chimney, hatched and brick walls, tiled roof, windows and door."""
    shape(*box(238, 64, 258, 130), fill=206)
    shape(*box(234, 57, 262, 65))
    for i in range(5):
        size = 6 + 1.9 * i
        line(*arc(252 + 9 * i + i * i, 46 - 7 * i, size, size, 110, 560, end=0.25), width=1.1)

    shape(*box(196, 152, 306, 236), fill=228)
    for x in range(200, 390, 5):
        top, bottom = max(x - 306, 0), min(x - 196, 84)
        line((x - top, 152 + top), (x - bottom, 152 + bottom), width=0.6, ink=120)
    shape((106, 236), (106, 152), (151, 92), (196, 152), (196, 236))
    for row, y in enumerate(range(104, 236, 7)):
        half = min(45, (y - 92) * 0.75)
        line((151 - half, y), (151 + half, y), width=0.6, ink=130)
        for x in range(106 + 7 * (row % 2), 196, 14):
            if abs(x - 151) < half:
                line((x, y), (x, min(y + 7, 236)), width=0.6, ink=130)

    def on_roof(points: list[Point]) -> list[Point]:
        return [(146 + 124 * min(u, 1) + 52 * v, 82 + 76 * v) for u, v in points]

    shape(*on_roof(box(0, 0, 1, 1)), fill=222)
    for row, column in np.ndindex(9, 14):
        scallop = arc((column + 0.5 + 0.5 * (row % 2)) / 14, row / 9, 0.5 / 14, 0.095, 0, 180)
        line(*on_roof(scallop), width=0.9)
    for width, ink in ((4.5, INK), (2, PAPER)):  # the boards along the gable
        line((98, 158), (147, 88), (198, 158), width=width, ink=ink)

    shape(*circle(151, 130, 13), width=2.2)
    shape(*circle(151, 130, 9.5), fill=150, width=1.2)
    line((151, 120), (151, 140))
    line((141, 130), (161, 130))
    for left in (114, 214, 262):
        shape(*box(left, 172, left + 28, 204), width=2.2)
        shape(*box(left + 3, 175, left + 25, 201), fill=150, width=1)
        line((left + 14, 175), (left + 14, 201))
        line((left + 3, 187), (left + 25, 187))
        line((left + 5, 184), (left + 12, 177), width=0.8, ink=240)
        shape((left - 3, 205), (left + 31, 205), (left + 28, 213), (left, 213))
        for flower in range(6):
            shape(*circle(left + 1.5 + 5 * flower, 203 - 2 * (flower % 2), 3), width=0.9)
    shape((154, 236), *arc(171, 194, 17, 17, 180, 360), (188, 236), width=2.2)
    shape((158, 236), *arc(171, 194, 13, 13, 180, 360), (184, 236), fill=96, width=1)
    for board in (164.5, 171, 177.5):
        line((board, 184), (board, 235), width=0.8, ink=190)
    shape(*circle(180, 216, 1.6), width=0.8)


def garden(line: Pen, shape: Pen) -> None:
    """Draw a cobbled path, a picket fence, a tree and tufts of grass."""
    rng = np.random.default_rng(3)
    shape((156, 236), (186, 236), (150, 322), (52, 322), fill=242)
    for row, column in np.ndindex(9, 5):
        near = (row / 9) ** 1.5
        stone = (30 + 68 * near) / 5
        x, y = 156 - 104 * near + stone * (column + 0.5) + rng.uniform(-1, 1), 239 + 84 * near + 0.09 * stone
        cobble = arc(x, y, 0.42 * stone, 1.5 + 6 * near, 0, 360)
        shape(*cobble, fill=int(rng.uniform(196, 246)), width=0.9)

    for start, stop in ((4, 98), (206, 398)):
        for rail in (246, 260):
            shape(*box(start, rail, stop, rail + 3.5), width=1)
        for x in range(start + 3, stop - 6, 12):
            shape((x, 272), (x, 242), (x + 3.5, 236), (x + 7, 242), (x + 7, 272), width=1.2)

    around = np.linspace(0, math.tau, 240)
    bumps = 0.9 + 0.13 * np.abs(np.sin(7.5 * around))
    xs, ys = 346 + 52 * bumps * np.cos(around), 136 + 60 * bumps * np.sin(around)
    shape(*zip(xs.tolist(), ys.tolist(), strict=True), fill=244)
    for leaf in range(60):  # spaced like the seeds of a sunflower, so that they never clump
        spread, turn = 43 * math.sqrt(leaf / 60), math.radians(137.5 * leaf)
        x, y = 346 + spread * math.cos(turn), 136 + 1.15 * spread * math.sin(turn)
        line(*arc(x, y, 4.5, 4.5, 70 * leaf, 70 * leaf + 250, end=0.4), width=1)
    left, right = arc(318, 228, 20, 48, 75, 0), arc(374, 228, 20, 48, 180, 105)
    branches = [(337, 192), (316, 150), (340, 180), (345, 122), (350, 178), (375, 142), (355, 194)]
    shape(*left, *branches, *right, *arc(346, 275, 23, 5, 0, 180), fill=206)
    for x in (371, 376, 381):
        line(*arc(x, 228, 30, 44, 145, 210), width=0.8)

    for x, y in rng.uniform((4, 280), (396, 314), (75, 2)):
        if not 152 - (y - 236) * 1.3 < x < 192 - (y - 236) * 0.3:  # none on the path
            for lean in (-3, 0, 3):
                line((x, y), (x + lean, y - 6), width=0.9, ink=90)


def house() -> Image.Image:
    """Return a line drawing of a house, with edges in every direction."""
    sheet = Image.new("L", (400 * SUPERSAMPLE, 320 * SUPERSAMPLE), PAPER)
    draw = ImageDraw.Draw(sheet)
    for part in (sun_and_hills, building, garden):
        part(partial(stroke, draw), partial(outline, draw))
    return sheet.reduce(SUPERSAMPLE)


# ---------------------------------------------------------------- logo and spinner

RAINBOW = np.array([(34, 211, 238), (79, 110, 247), (168, 85, 247), (240, 72, 150), (255, 159, 64)]) / 255
NIGHT, WHITE = (0.11, 0.12, 0.26), (1.0, 1.0, 1.0)


def rainbow(position: float) -> Array:
    """Return the colour at a position 0..1 along the rainbow."""
    return gradient(position, np.linspace(0, 1, len(RAINBOW)), RAINBOW)


def tile(xs: Array, ys: Array, centre: Point, half: float, corner: float, blur: float = 1) -> Array:
    """Return how much a rounded square covers each pixel, its edge softened over `blur` pixels."""
    x, y = np.abs(xs - centre[0]) - half + corner, np.abs(ys - centre[1]) - half + corner
    distance = np.hypot(np.maximum(x, 0), np.maximum(y, 0)) + np.minimum(np.maximum(x, y), 0) - corner
    return np.asarray(np.clip(0.5 - distance / blur, 0, 1))


def paint(canvas: Array, colour: ArrayLike, cover: Array) -> None:
    """Lay a colour over an RGBA canvas that holds colours multiplied by their alpha."""
    canvas[:] = blend(canvas, np.append(colour, 1), cover)


def logo() -> Image.Image:
    """Return the mark: a vivid 3x3 kernel that slides up over a grid of see-through tiles."""
    ys, xs = np.mgrid[:256, :256] + 0.5
    canvas = np.zeros((256, 256, 4))

    def cell(column: int, row: int) -> Point:
        return 32 + 48.0 * column, 32 + 48.0 * row

    for column, row in np.ndindex(5, 5):
        paint(canvas, (0.45, 0.50, 0.66), 0.38 * tile(xs, ys, cell(column, row), 19, 7))
    for behind, strength in ((2, 0.22), (1, 0.42)):  # where the kernel has just been
        past = cell(3 - behind, 1 + behind)
        paint(canvas, rainbow(0.75 - 0.2 * behind), strength * tile(xs, ys, past, 74, 16))
    x, y = cell(3, 1)
    paint(canvas, (0, 0, 0.1), 0.45 * tile(xs, ys, (x - 3, y + 5), 75, 20, blur=12))  # its shadow
    paint(canvas, NIGHT, tile(xs, ys, (x, y), 76, 18))
    for column, row in np.ndindex(3, 3):
        centre = cell(column + 2, row)
        cover = tile(xs, ys, centre, 21, 8)
        paint(canvas, WHITE if column == row == 1 else rainbow((column + 2 - row) / 4), cover)
        canvas[..., :3] *= (1 - 0.004 * cover * (ys - centre[1] + 10))[..., None]  # lit from above
    for angle in np.radians((30, 90, 150)):  # an asterisk, the sign for convolution
        along = (xs - x) * math.cos(angle) + (ys - y) * math.sin(angle)
        aside = (ys - y) * math.cos(angle) - (xs - x) * math.sin(angle)
        paint(canvas, NIGHT, np.clip(3 - np.hypot(np.maximum(np.abs(along) - 10.5, 0), aside), 0, 1))

    alpha = np.rint(255 * canvas[..., 3:]) / 255
    # a filter that forgets to weigh colours by alpha pulls this hidden green into the edges
    colours = np.where(alpha > 0, canvas[..., :3] / np.maximum(canvas[..., 3:], 1e-9), (0, 1, 0))
    return to_image(np.concatenate([colours, alpha], axis=2))


def spinner() -> list[Image.Image]:
    """Return the frames of a 3x3 kernel circling over a 5x5 grid, on one shared palette."""
    ys, xs = np.mgrid[:112, :112] + 0.5
    circuit = [(1, 1), (2, 1), (3, 1), (3, 2), (3, 3), (2, 3), (1, 3), (1, 2)]
    frames = []
    for now in range(len(circuit)):
        canvas = np.full((112, 112, 4), (*NIGHT, 1))
        for column, row in np.ndindex(5, 5):
            glow = 0.16
            for back, strength in ((3, 0.22), (2, 0.35), (1, 0.55), (0, 1.0)):  # a trail that fades
                x, y = circuit[now - back]
                if max(abs(column - x), abs(row - y)) <= 1:
                    glow = strength
            colour = WHITE if (column, row) == circuit[now] else rainbow((column + 4 - row) / 8)
            centre = 18 + 19.0 * column, 18 + 19.0 * row
            paint(canvas, colour, glow * tile(xs, ys, centre, 8.5 if glow == 1 else 7, 3))
        frames.append(canvas[..., :3])

    palette = to_image(np.concatenate(frames)).quantize(255)  # entry 255 is kept for transparency
    pictures = [to_image(frame).quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames]
    corners = Image.fromarray(tile(xs, ys, (56, 56), 56, 22) < 0.5)
    for picture in pictures:
        picture.paste(255, mask=corners)
    return pictures


# ---------------------------------------------------------------- test charts


def zoneplate(size: int = 255) -> Image.Image:
    """Return rings that grow finer outwards, to two pixels a ring at the middle of each edge."""
    offset = np.arange(size) - size // 2
    # the phase k r^2 advances by 2 k r a pixel, which is pi (Nyquist) where r is half the size
    phase = math.pi / (size - 1) * (offset[:, None] ** 2 + offset**2)
    return to_image(0.5 + 0.5 * np.cos(phase))


def ramp16(width: int = 256, height: int = 160) -> Image.Image:
    """Return a 16-bit ramp with ripples, domes, and a panel of detail too faint for 8 bits."""
    ys, xs = np.mgrid[:height, :width]
    across, down = xs / (width - 1), ys / (height - 1)
    level = across + 0.03 * np.sin(math.pi * across) * np.sin(math.tau * (7 * down + 2 * across))
    domes = (50, 42, 26, 0.28), (58, 118, 20, -0.16), (112, 96, 30, 0.3), (122, 30, 18, -0.3)
    for x, y, radius, rise in domes:
        level += rise * np.sqrt(np.clip(1 - ((xs - x) ** 2 + (ys - y) ** 2) / radius**2, 0, 1))
    counts = np.rint(65535 * np.clip(level, 0, 1))
    panel = tile(xs, ys, (200, 80), 38, 10) > 0.5
    rings = np.rint(4 * np.cos(((xs - 200) ** 2 + (ys - 80) ** 2) / 60))
    # rings of 4 counts around 40092 = 156 * 257, the middle of one 8-bit level
    return Image.fromarray(np.where(panel, 40092 + rings, counts).astype(np.uint16))


# ---------------------------------------------------------------- files


def srgb_profile() -> bytes:
    """Return an sRGB colour profile without its time of creation."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    profile[24:36] = struct.pack(">6H", 2024, 1, 1, 0, 0, 0)
    profile[84:100] = bytes(16)  # the profile ID is a checksum; zero means not computed
    return bytes(profile)


def camera_notes() -> Image.Exif:
    """Return the EXIF tags of a camera that was held on its side."""
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6  # to be turned a quarter clockwise for viewing
    exif[ExifTags.Base.ImageDescription] = "Lake and mountains at dusk"
    exif[ExifTags.Base.Artist] = "convcli"
    exif[ExifTags.Base.Software] = "sample_images/make.py"
    exif[ExifTags.Base.Copyright] = "CC0 1.0"
    return exif


def main() -> None:
    """Draw every picture into the folder and list the files."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent
    folder.mkdir(parents=True, exist_ok=True)

    scene = landscape()
    photograph(scene, 432, 288).save(folder / "landscape.png", optimize=True)
    stored = photograph(scene, 640, 427).transpose(Image.Transpose.ROTATE_90)
    tags: dict[str, Any] = {"exif": camera_notes(), "icc_profile": srgb_profile(), "dpi": (300, 300)}
    stored.save(folder / "landscape.jpg", quality=88, **tags)

    for draw in (house, logo, zoneplate, ramp16):
        draw().save(folder / f"{draw.__name__}.png", optimize=True)

    first, *others = spinner()
    timing: dict[str, Any] = {
        "duration": [160] + 7 * [80],
        "loop": 0,
    }  # in milliseconds; a loop of 0 never ends
    corners: dict[str, Any] = {"transparency": 255, "disposal": 2, "optimize": False}
    first.save(folder / "spinner.gif", save_all=True, append_images=others, **timing, **corners)

    for path in sorted(path for path in folder.iterdir() if path.suffix in {".png", ".jpg", ".gif"}):
        size = path.stat().st_size
        print(f"{path.name:14} {size:7} bytes")
        if size > SIZE_LIMIT:
            sys.exit(f"{path} is larger than {SIZE_LIMIT} bytes")


if __name__ == "__main__":
    main()
