"""The page: a single file that needs no network, tested in a real browser; it computes the same as convcli."""

import json
import random
import re
from dataclasses import replace
from fractions import Fraction
from html import escape
from itertools import product

import pytest

from convcli import Conv
from convcli.drawing.draw import draw
from convcli.drawing.example_numbers import read_values, shown
from convcli.drawing.forms import Settings, encode
from convcli.drawing.layer_drawing import layer_drawing
from convcli.drawing.page import layer_record
from convcli.drawing.records import record
from convcli.drawing.scene import DARK, LIGHT
from convcli.drawing.steps import Border
from convcli.drawing.walk_layers import Numbers, walk_layers
from convcli.errors import ArgumentError
from convcli.layers import Activation, AvgPool, ConvTranspose, DeformConv, LocalConv, MaxPool, TiledConv
from tests.drawing.chromium import PROGRAM, Page, browser

needs_browser = pytest.mark.skipif(
    PROGRAM is None, reason="there is no Chromium to drive the page (Debian: apt-get install chromium)"
)
TIMES = "\u00d7"
STILL = [("prefers-reduced-motion", "reduce")]
GIVEN = (Conv(1, 1, 3, stride=2, padding=1),), (1, 5, 5), Numbers()
CHAIN = (Conv(1, 1, 3), Activation("relu"), MaxPool(2)), (1, 4, 4), Numbers()


def page_of(given=GIVEN, **settings):
    return encode(layer_drawing(*given), "html", Settings(**settings))[0].decode()


# As text


def test_it_is_one_file_that_requests_nothing():
    text = page_of()
    assert not re.search(r"(src|href)=|url\(|@import|fetch\(|XMLHttpRequest|WebSocket|import\(", text)
    assert set(re.findall(r"https?://[^\"'\s<]+", text)) == {"http://www.w3.org/2000/svg"}
    assert "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'" in text
    assert not re.search(r"[^$]{(version|title|style|fields|text|data|script)}", text)


def test_its_contents():
    def data(given, **settings):
        return json.loads(re.search(r'id="data">(.*?)</script>', page_of(given, **settings))[1])

    one = data(GIVEN, step=4, delay=0.5)
    assert (one["stages"], one["step"], one["delay"]) == (None, 4, 0.5)
    assert one["layer"]["padding"] == [[1, 1], [1, 1]]
    chain = data(CHAIN)
    assert chain["layer"] is None
    assert chain["stages"] == [record(stage) for stage in walk_layers(*CHAIN)]
    moved = data(((DeformConv(1, 1, 3, padding=1),), (1, 4, 4), Numbers()))
    assert moved["layer"] is None, "its taps are not computed on the page"


def test_without_scripts_the_steps_are_text():
    assert "1*1 + 0*2 + 1*2 + 1*3 + 3*2 + 2*1 + 2*2 + 3*2 + 3*3 = 33" in page_of()


@pytest.mark.parametrize("theme", ["auto", "light", "dark"])
def test_a_drawing_in_which_nothing_moves_is_a_page_without_scripts(theme):
    drawing = draw(Conv(1, 1, 2), 3, matrix=True)
    text = drawing.encode("html", theme=theme).decode()
    assert "<script" not in text
    assert set(re.findall(r"https?://[^\"'\s<]+", text)) == {"http://www.w3.org/2000/svg"}
    assert "default-src 'none'; style-src 'unsafe-inline'; img-src data:" in text
    assert f"<pre>{escape(str(drawing))}\n</pre>" in text
    assert text.count("<h1>conv k2x2 o1 as a matrix</h1>") == text.count("<svg ") == 1
    palette = DARK if theme == "dark" else LIGHT
    assert text.index(palette["paper"]) < text.index("</style>")
    assert ("prefers-color-scheme" in text) == (theme == "auto")


# In a browser


@pytest.fixture(scope="module")
def chromium(tmp_path_factory):
    with browser(tmp_path_factory.mktemp("browser")) as found:
        yield found


@pytest.fixture
def opened(chromium, tmp_path):
    """Open the page of layers; finally check that nothing has failed and that only the page was requested."""
    pages = []

    def open_page(given=GIVEN, *, media=STILL, size=(1000, 900), mobile=False, **settings):
        path = tmp_path / f"page {len(pages)}.html"
        path.write_text(page_of(given, **settings), encoding="utf-8")
        pages.append((Page(chromium, path, media, size, mobile), path))
        return pages[-1][0]

    yield open_page
    for page, path in pages:
        assert page.events("Runtime.exceptionThrown") == []
        assert page.events("Runtime.consoleAPICalled") == []
        assert page.events("Log.entryAdded") == []
        assert [event["request"]["url"] for event in page.events("Network.requestWillBeSent")] == [
            path.as_uri()
        ]
        page.close()


@needs_browser
def test_keys(opened):
    page = opened()
    assert page.text("#where") == "step 1 of 9: output row 0, column 0"
    for key, step in (("ArrowRight", 2), ("ArrowRight", 3), ("ArrowLeft", 2), ("End", 9), ("ArrowRight", 9), ("Home", 1), ("ArrowLeft", 1)):  # fmt: skip
        page.press(key)
        assert page.text("#where").startswith(
            f"step {step} of 9: output row {(step - 1) // 3}, column {(step - 1) % 3}"
        )
    page.press("End")
    assert (
        page.text("#sums").replace(TIMES, "*") == "3*1 + 3*2 + 0*2 + 2*3 + 0*2 + 0*1 + 0*2 + 0*2 + 0*3 = 15"
    )
    assert (
        page.evaluate("[...document.querySelectorAll('.output text')].map((t) => t.textContent)").count("33")
        == 1
    )


@needs_browser
def test_slider_buttons_and_a_click_on_an_output(opened):
    page = opened()
    page.evaluate("document.querySelector('#slider').focus()")
    page.press("ArrowRight")
    page.press("ArrowRight")
    assert page.text("#where").startswith("step 3 of 9")
    page.evaluate(
        "(() => { const s = document.querySelector('#slider'); s.value = 7; s.dispatchEvent(new Event('input')); })()"
    )
    assert page.text("#where").startswith("step 8 of 9")
    page.click("#back")
    assert page.text("#where").startswith("step 7 of 9")
    page.click("#next")
    assert page.text("#where").startswith("step 8 of 9")
    page.press("ArrowLeft")  # with the button in focus
    assert page.text("#where").startswith("step 7 of 9")
    page.press(" ")  # which presses it
    assert page.text("#where").startswith("step 8 of 9")
    assert page.text("#play") == "Play"
    page.click("#output-0 polygon")
    assert page.text("#where").startswith("step 1 of 9")
    assert page.evaluate(
        "[document.querySelector('#back').disabled, document.querySelector('#next').disabled]"
    ) == [True, False]


@needs_browser
def test_it_plays_and_pauses(opened):
    page = opened(delay=0.02)
    assert page.text("#play") == "Play", "who does not want motion starts it"
    page.press(" ")
    assert page.text("#play") == "Pause"
    page.wait("document.querySelector('#where').textContent.startsWith('step 9 of 9')")
    page.wait(
        "document.querySelector('#where').textContent.startsWith('step 2 of 9')"
    )  # it starts again from the first step
    assert page.evaluate("document.querySelector('#aloud').getAttribute('aria-live')") == "off"
    page.press(" ")
    assert page.text("#play") == "Play"
    where = page.text("#where")
    page.evaluate("new Promise((done) => setTimeout(done, 100))")
    assert page.text("#where") == where
    page.press(" ")
    page.type("#stride", "1")
    assert page.text("#play") == "Play", "another layer begins at rest"
    assert page.text("#where").startswith("step 1 of 25")
    moving = opened(media=[("prefers-reduced-motion", "no-preference")], delay=0.02)
    assert moving.text("#play") == "Pause"
    moving.click("#play")
    assert moving.text("#play") == "Play"


@needs_browser
def test_another_stride_kernel_padding_and_dilation(opened):
    page = opened()
    for field, text, layer, steps in (
        ("stride", "1", "conv k3x3 p1 o1", 25),
        ("kernel", "2x3", "conv k2x3 p1 o1", 30),
        ("padding", "0:1x2", "conv k2x3 p0:1x2 o1", 35),
        ("padding", "same", "conv k2x3 same o1", 25),
        ("dilation", "2", "conv k2x3 same d2 o1", 25),
        ("size", "4x7", "conv k2x3 same d2 o1", 28),
    ):
        page.type(f"#{field}", text)
        assert (page.text("#layer"), page.text("#problem")) == (layer, "")
        assert page.text("#where") == f"step 1 of {steps}: output row 0, column 0"
        assert page.evaluate("document.querySelectorAll('.output').length") == steps
    page.click("#stride-more")
    assert page.text("#layer") == "conv k2x3 s2 same d2 o1"
    page.click("#padding-more")
    assert page.text("#layer") == "conv k2x3 s2 p1 d2 o1"
    for _ in range(3):
        page.click("#dilation-less")
    assert page.text("#layer") == "conv k2x3 s2 p1 o1"


@needs_browser
@pytest.mark.parametrize(
    ("field", "text", "problem"),
    [
        ("kernel", "9", "the output would be empty; pad more, or use a smaller kernel."),
        ("kernel", "0", '"0" is not a whole number of at least 1.'),
        ("kernel", "3x3x3", '"3x3x3" has 3 axes where 2 are needed.'),
        ("stride", "two", '"two" is not a whole number of at least 1.'),
        ("padding", "1:2:3", '"1:2:3" is not a padding; write 1, or before:after such as 1:2.'),
        ("size", "99", "the input would be 99x99 cells, but at most 32 on a side are drawn."),
        (
            "padding",
            "20",
            "the input with its padding would be 45 cells, but at most 32 on a side are drawn.",
        ),
    ],
)
def test_layers_that_cannot_be_computed_are_reported_and_change_nothing(opened, field, text, problem):
    page = opened()
    page.press("End")
    page.type(f"#{field}", text)
    assert page.text("#problem") == problem
    assert page.text("#where").startswith("step 9 of 9")
    page.type(f"#{field}", "1")
    assert page.text("#problem") == ""


@needs_browser
def test_light_dark_and_on_a_phone(opened):
    def paper(page):
        return page.evaluate("getComputedStyle(document.body).backgroundColor")

    def rgb(colour):
        return f"rgb({', '.join(str(int(colour[n : n + 2], 16)) for n in (1, 3, 5))})"

    for scheme, palette in (("light", LIGHT), ("dark", DARK)):
        page = opened(media=[*STILL, ("prefers-color-scheme", scheme)])
        assert paper(page) == rgb(palette["paper"])
        assert page.evaluate("getComputedStyle(document.querySelector('.f-input')).fill") == rgb(
            palette["input"]
        )
    assert paper(opened(theme="dark")) == rgb(DARK["paper"])
    wide = (Conv(3, 2, 3, padding=1),), (3, 8, 8), Numbers()
    for given in (GIVEN, wide, CHAIN):
        page = opened(given, size=(320, 640), mobile=True)
        assert page.evaluate("document.documentElement.scrollWidth") <= 320
        sides = page.evaluate(
            "[...document.querySelectorAll('button')].filter((b) => b.offsetParent).map((b) => Math.min(b.offsetWidth, b.offsetHeight))"
        )
        assert min(sides) >= 44, "wide enough for a finger"


@needs_browser
def test_it_works_with_screen_readers(opened):
    page = opened()
    nodes = page.call("Accessibility.getFullAXTree")["nodes"]
    named = {
        (node["role"]["value"], node.get("name", {}).get("value")) for node in nodes if not node["ignored"]
    }
    assert {
        ("heading", "conv k3x3 s2 p1 o1"),
        ("image", "conv k3x3 s2 p1 o1: the window of output row 0, column 0"),
        ("button", "Back"),
        ("button", "Play"),
        ("button", "Next"),
        ("slider", "Step"),
        ("textbox", "Kernel size"),
        ("textbox", "Stride"),
        ("textbox", "Padding"),
        ("textbox", "Dilation"),
        ("button", "Stride: more"),
    } <= named
    assert not {name for role, name in named if role in ("button", "slider", "textbox") and not name}
    assert page.evaluate("document.querySelector('#aloud').getAttribute('aria-live')") == "polite"
    page.press("ArrowRight")
    assert page.text("#aloud") == (
        "step 2 of 9, output row 0, column 1: 0 times 1 plus 0 times 2 plus 0 times 2 plus 3 times 3 plus 2 times 2 "
        "plus 2 times 1 plus 1 times 2 plus 0 times 2 plus 1 times 3 equals 20"
    )
    reported = page.evaluate("document.querySelector('#slider').getAttribute('aria-valuetext')")
    assert reported == "step 2 of 9: output row 0, column 1 is 20"


@needs_browser
def test_a_chain_continues_from_layer_to_layer(opened):
    page = opened(CHAIN)
    assert page.evaluate("document.querySelector('#fields').hidden")
    page.press("End")
    assert (page.text("#layer"), page.text("#where")) == (
        "maxpool k2x2",
        "step 9 of 9: output row 0, column 0",
    )
    page.press("ArrowLeft")
    assert page.text("#layer") == "relu"


@needs_browser
def test_it_begins_with_a_step_and_with_given_numbers(opened):
    numbers = Numbers(read_values("0 1 2; 3 4 5; 6 7 1/3"), read_values("0 1; 2 3"))
    page = opened(((Conv(1, 1, 2),), (1, 3, 3), numbers), step=4)
    assert page.text("#sums").replace(TIMES, "*") == "4*0 + 5*1 + 7*2 + (1/3)*3 = 20"
    moved = opened(((DeformConv(1, 1, 3, padding=1),), (1, 4, 4), Numbers()), step=3)
    assert moved.evaluate("document.querySelectorAll('ellipse').length") == 9


# What the page computes

ROW_OF_ONE = {"kernel": 1, "stride": 1, "dilation": 1}
KINDS = {
    "conv": (Conv(2, 2, 3), (2, 4, 5), Numbers()),
    "flip": (Conv(1, 2, 3), (1, 5, 6), Numbers(flip=True, seed=3)),
    "given": (Conv(1, 1, 3), (1, 3, 3), Numbers(read_values("1/3 2 -1; 0.5 -4 7; 1e3 1/7 9"))),
    "depthwise": (Conv(2, 4, 3, groups=2), (2, 3, 5), Numbers()),
    "grouped": (Conv(4, 2, 3, groups=2, bias=False), (4, 3, 5), Numbers()),
    "transposed": (ConvTranspose(2, 4, 3, groups=2), (2, 2, 3), Numbers()),
    "local": (LocalConv(2, 1, 3, input_size=(4, 5)), (2, 4, 5), Numbers()),
    "tiled": (TiledConv(1, 2, 3, tile=(2, 3)), (1, 5, 6), Numbers()),
    "max": (MaxPool(3), (2, 5, 6), Numbers()),
    "ceil": (MaxPool(3, ceil_mode=True), (1, 5, 6), Numbers()),
    "avg": (AvgPool(3, count_include_pad=False), (1, 5, 6), Numbers()),
    "padded": (AvgPool(3, ceil_mode=True), (1, 5, 6), Numbers()),
    "row": (Conv(1, 2, 3, dims=1), (1, 7), Numbers()),
}
KERNELS, STRIDES, DILATIONS = ((1, 1), (2, 3), (3, 3)), ((1, 1), (2, 1), (2, 3)), ((1, 1), (2, 1))
PADDINGS = ("same", "same-lower", "full", "valid", ((0, 0), (0, 0)), ((1, 1), (1, 1)), ((2, 0), (0, 1)))


BORDERS = {
    "reflect": (Conv(1, 1, 3), (1, 3, 5), Numbers(border=Border("reflect"))),
    "symmetric": (LocalConv(1, 1, 3, input_size=(3, 5)), (1, 3, 5), Numbers(border=Border("symmetric"))),
    "replicate": (Conv(1, 1, 3, dims=1), (1, 4), Numbers(border=Border("replicate"))),
    "circular": (TiledConv(1, 1, 3, tile=(1, 2)), (1, 3, 4), Numbers(border=Border("circular"))),
    "constant": (Conv(1, 1, 3), (1, 3, 4), Numbers(border=Border("constant", Fraction(1, 3)))),
}


def variations(layer, shape, numbers, kernels=KERNELS, strides=STRIDES, dilations=DILATIONS):
    """Return layers of one kind with other options: as page.js takes each, and the record of its steps, or None."""
    dims = len(shape) - 1
    (stage,) = walk_layers((layer,), shape, numbers)
    first = layer_record((layer,), stage, numbers)
    for kernel, stride, dilation, padding in product(kernels, strides, dilations, PADDINGS):
        own = {"kernel_size": kernel[-dims:], "stride": stride[-dims:], "dilation": dilation[-dims:]}
        own["padding"] = padding if isinstance(padding, str) else padding[-dims:]
        given = first | {"kernel": kernel, "stride": stride, "dilation": dilation, "padding": padding}
        if dims == 1:
            given |= {field: (1, given[field][1]) for field in ROW_OF_ONE}
            given |= {} if isinstance(padding, str) else {"padding": ((0, 0), padding[1])}
        try:
            (made,) = walk_layers((replace(layer, **own),), shape, numbers)
            yield given, [json.loads(json.dumps(record(made)))]
        except ArgumentError:
            yield given, None


@needs_browser
@pytest.mark.parametrize("name", KINDS)
def test_the_page_computes_what_convcli_computes(opened, name):
    cases = list(variations(*KINDS[name]))
    assert_computed(opened(), cases)
    assert len(cases) == 126
    assert sum(expected is not None for _, expected in cases) > 50


def assert_computed(page, cases):
    """Check that the page computes the record of each layer, and rejects those that have none."""
    arguments = json.dumps([given for given, _ in cases])
    answers = page.evaluate(f"""{arguments}.map((layer) => {{
        try {{ return convcli.compute(layer); }} catch (error) {{ if (error instanceof RangeError) return null; throw error; }}
    }})""")
    assert len(answers) == len(cases)
    for (given, expected), answer in zip(cases, answers):
        assert answer == expected, given


@needs_browser
def test_the_page_pads_as_convcli_pads(opened):
    few = ((3, 3),), ((1, 1),), ((1, 1), (2, 2))
    cases = [case for given in BORDERS.values() for case in variations(*given, *few)]
    assert_computed(opened(), cases)
    padded = [answer for _, answer in cases if answer and answer[0]["padding_mode"] != "zeros"]
    assert len(padded) > 30


@needs_browser
def test_padded_cells_show_the_numbers_of_their_mode(opened):
    page = opened(
        ((Conv(1, 1, 3, padding=1),), (1, 2, 2), Numbers(read_values("1 2; 3 4"), border=Border("circular")))
    )
    cells = page.evaluate("[...document.querySelectorAll('.f-padding-ink')].map((t) => t.textContent)")
    assert cells == list("434321432121")
    assert (
        opened(((Conv(1, 1, 3, padding=1),), (1, 2, 2), Numbers())).evaluate(
            "document.querySelectorAll('.f-padding-ink').length"
        )
        == 0
    )


@needs_browser
def test_numbers_are_chosen_and_formatted_equally(opened):
    from convcli.drawing.example_numbers import chosen

    page = opened()
    draw = random.Random(0)
    places = [[draw.randrange(10**9), *(draw.randrange(40) for _ in range(5))] for _ in range(300)]
    expected = [chosen(5, *place) for place in places]
    assert page.evaluate(f"{places}.map((place) => convcli.chosen(5, ...place))") == expected
    numbers = [
        Fraction(draw.randrange(-(10**6), 10**6), draw.choice([1, 2, 3, 7, 8, 9, 100, 1000, 12345]))
        for _ in range(500)
    ]
    numbers += [Fraction(1, 3 * 10**k) for k in range(9)] + [Fraction(10**k * 2) for k in range(18)]
    texts = json.dumps([str(number) for number in numbers])
    assert page.evaluate(f"{texts}.map((text) => convcli.rounded(convcli.number(text), 2))") == [
        f"{float(number):.2g}" for number in numbers
    ]
    assert page.evaluate(f"{texts}.map((text) => convcli.shown(convcli.number(text)))") == list(
        map(shown, numbers)
    )
