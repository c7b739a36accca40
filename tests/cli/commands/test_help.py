"""convcli help: topics and commands, listed and explained."""

from collections.abc import Callable

import pytest

from convcli.cli import COMMANDS
from convcli.cli.topics import TOPICS, page
from tests.conftest import Call, one_error


def test_without_a_word_topics_and_commands_are_listed_in_a_line_each(call: Call) -> None:
    code, out, err = call("help")
    assert (code, err) == (0, "")
    lines = [line.split()[0] for line in out.splitlines() if line.startswith("  ")]
    assert lines == [*TOPICS, *COMMANDS]
    for about in TOPICS.values():
        assert about in out


@pytest.mark.parametrize("topic", TOPICS)
def test_a_topic_is_its_page_as_plain_text_in_a_pipe(call: Call, topic: str) -> None:
    code, out, err = call("help", topic)
    assert (code, out, err) == (0, page(topic), "")
    assert out.startswith("# ")
    assert "<!--" not in out and "\x1b" not in out


@pytest.mark.parametrize("name", sorted(set(COMMANDS) - set(TOPICS)))
def test_help_of_a_command_equals_its_own_help(call: Call, name: str) -> None:
    assert call("help", name) == call(name, "--help")


def test_a_page_is_laid_out_for_the_terminal(on_terminal: Callable[..., str]) -> None:
    out = on_terminal(60, "help", "padding")
    assert max(map(len, out.splitlines())) <= 60
    assert "dcb|abcd|cba" in out
    assert "```" not in out and "## " not in out and "| ---" not in out


def test_a_terminal_shows_commands_for_pictures_and_links(on_terminal: Callable[..., str]) -> None:
    out = on_terminal(100, "help", "gallery")
    assert ".md" not in out and "gallery/" not in out and "\N{CITYSCAPE AT DUSK}" not in out
    assert "swirl:strength=4" in out
    assert "convcli help variants" in " ".join(out.split())


@pytest.mark.parametrize("words", [("help", "padding"), ("filter", "--help-all")])
def test_lines_are_no_longer_than_can_be_read_on_a_wide_terminal(
    on_terminal: Callable[..., str], words: tuple[str, ...]
) -> None:
    assert 90 < max(map(len, on_terminal(160, *words).splitlines())) <= 100


@pytest.mark.parametrize(
    ("word", "hint"),
    [
        ("paddings", "did you mean 'padding'?"),
        ("Filter", "did you mean 'filter'?"),
        ("q", "convcli help lists all topics"),
        ("blur", "convcli kernels gaussian shows it, and convcli filter PICTURE --kernel gaussian runs it"),
        ("sobel_x", "convcli kernels sobel-x shows it, and convcli filter PICTURE --kernel sobel-x runs it"),
        (
            "median",
            "it is not a convolution: it sorts the pixels of a window; use 'gaussian' or 'box' to smooth, or --pool "
            "avg:3,stride=1,padding=1 of convcli filter",
        ),
        ("bilateral", "it is not a convolution: its weights depend on the pixels; use 'gaussian' to smooth"),
        ("depthwise", "see convcli help variants"),
        ("reflect", "see convcli help padding"),
        ("maxpool", "use convcli filter PICTURE --pool max:2"),
        ("resnet", "convcli networks resnet lists networks of that name"),
        ("relu", "see convcli help layers"),
        ("png", "see convcli help formats"),
        ("opacity", "convcli help lists all topics"),
        ("border", "see --padding-mode replicate in convcli filter --help-all"),
        (
            "png-level",
            "--png-level is an option of convcli filter, match, whose --help-all or --help explains it",
        ),
    ],
)
def test_an_unknown_word(call: Call, word: str, hint: str) -> None:
    result = call("help", word)
    assert result.code == 2
    assert one_error(result) == f"there is no topic or command {word!r}; {hint}"


def test_the_version_has_a_short_option(call: Call) -> None:
    assert call("-V") == call("--version")
