"""Paths with spaces and kernels of several numbers that were typed without quotation marks."""

import os
import re
import shlex
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import pairwise, takewhile

LONGEST = 8  # words of a path that are joined
_ENDED = re.compile(
    r".*(/|\.[A-Za-z][A-Za-z0-9]*)", re.DOTALL
)  # words that end a path: with a slash or an ending
_NEVER_PARTS = re.compile(
    r"[-@].*|.*[*?\[{].*|\w+://.*", re.DOTALL
)  # words of other kinds than parts of a new path
_NUMBERS = re.compile(r"[-+]?[\d.][\d.,;/e+-]*;?|;")


def quoted_path(words: Sequence[str]) -> str:
    """Return how to type a path with spaces that a command line has in several words; empty if there is none.

    words : the words of the command line, with its options
    """
    words = _separated(words)
    for start, word in enumerate(words):
        is_value = start > 0 and words[start - 1].startswith(
            "-"
        )  # or the first input, if that option is a flag
        for end in range(min(len(words), start + LONGEST), start + 1, -1):
            parts, path = words[start:end], " ".join(words[start:end])
            if any(part.startswith("-") for part in parts) or not os.path.lexists(path):
                continue
            missing = [part for part in parts if not os.path.lexists(part)]
            if missing and (not is_value or set(parts[1:]) <= set(missing)):
                return f"there is no {word!r}, but {path!r} exists; quote a path with spaces: {shlex.quote(path)}"
    return ""


def quoted_output(words: Sequence[str], names: Collection[str]) -> str:
    """Return how to type the path of a new file or folder that has several words; empty if there is none.

    names : the names of the options for paths that are written

    >>> quoted_output(["a.png", "-o", "my", "new.png", "-k", "box"], ["-o"])
    "there is no 'new.png'; did you mean -o 'my new.png'? quote a path with spaces"
    >>> quoted_output(["-o", "maps", "a.png"], ["--output"]), quoted_output(["-o", "x.png", "new.png"], ["-o"])
    ('', '')
    """
    for name, first, following in _bare_outputs(words, names):
        parts = [*takewhile(_is_new, following)]
        last = next((place for place, part in enumerate(parts) if _ENDED.fullmatch(part)), None)
        if last is not None:
            path = shlex.quote(" ".join([first, *parts[: last + 1]]))
            return f"there is no {parts[last]!r}; did you mean {name} {path}? quote a path with spaces"
    return ""


def doubtful_input(words: Sequence[str], names: Collection[str], inputs: Collection[str]) -> str:
    """Return a note on an input after -o WORD that may be a part of the path of the output; empty if there is none.

    It is a folder whose name ends in a slash, and other inputs come before the option. A name of a new folder and then
    an input is a usual command line, so this is no error.

    names : the names of the options for paths that are written
    inputs : the inputs of the command line
    """
    for name, first, following in _bare_outputs(words, names):
        folder = following[0] if following else ""
        earlier = words[: words.index(first)]
        if folder.endswith("/") and folder in inputs and any(each in inputs for each in earlier):
            path = f"{first} {folder}"
            way = f"{name} {shlex.quote(path)}"
            return f"{folder} is an input, and the output is {first}; if it is {path}, quote it: {way}"
    return ""


def joined_numbers(words: Sequence[str], counts: Mapping[str, int]) -> str:
    """Return how to type a value of several whole numbers that has several words; empty if there is none.

    counts : the number of numbers of each option that takes several, by its name

    >>> joined_numbers(["--only", "190", "70", "120", "140", "a.png"], {"--only": 4})
    'did you mean --only 190,70,120,140?'
    """
    words = _separated(words)
    for place, name in enumerate(words):
        numbers = [word.removesuffix(",") for word in words[place + 1 : place + 1 + counts.get(name, 0)]]
        if len(numbers) > 1 and len(numbers) == counts[name] and all(map(str.isdigit, numbers)):
            return f"did you mean {name} {','.join(numbers)}?"
    return ""


def quoted_kernel(words: Sequence[str], names: Collection[str]) -> str:
    """Return how to type a kernel that a command line has in several words; empty if there is none.

    names : the names of the option for a kernel

    >>> quoted_kernel(["a.png", "--kernel", "1", "4", "-6", "-o", "b.png"], ["--kernel"])
    "the numbers of a kernel are one word; quote them: --kernel '1 4 -6'"
    >>> quoted_kernel(["-k", "gaussian", "sigma=2", "none.png"], ["-k"]), quoted_kernel(["-k", "box", "a.png"], ["-k"])
    ('a kernel is one word; did you mean -k gaussian:sigma=2?', '')
    """
    for name, kernel, following in _kernels(words, names):
        if not following:
            continue
        if _NUMBERS.fullmatch(kernel):
            numbers = [*takewhile(_NUMBERS.fullmatch, following)]
            if numbers:
                kernel = shlex.quote(" ".join([kernel, *numbers]))
                return f"the numbers of a kernel are one word; quote them: {name} {kernel}"
            continue
        parts = [*takewhile(_is_part, following)]
        if parts:
            from convcli.kernels.kernel_grammar import suggested_kernel

            if suggested := suggested_kernel(" ".join([kernel, *parts])):
                return f"a kernel is one word; did you mean {name} {shlex.quote(suggested.spec)}?"
    return ""


def _separated(words: Sequence[str]) -> list[str]:
    """Return the words with --option=value in two words."""
    return [
        part
        for word in words
        for part in (word.split("=", 1) if word.startswith("--") and "=" in word else [word])
    ]


def _bare_outputs(words: Sequence[str], names: Collection[str]) -> Iterator[tuple[str, str, list[str]]]:
    """Yield each option for a path to be written, its value, and the words up to the next option.

    Only values that may be the first word of a path are yielded: without an ending or a slash at the end, and of
    nothing that exists.
    """
    words = _separated(words)
    for place, (name, value) in enumerate(pairwise(words)):
        if name in names and _is_new(value) and not _ENDED.fullmatch(value) and not value.endswith(":-"):
            yield name, value, [*takewhile(lambda each: not each.startswith("-"), words[place + 2 :])]


def _is_new(word: str) -> bool:
    """Return whether a word may be a part of the path of a new file: nothing has this name."""
    return not _NEVER_PARTS.fullmatch(word) and not os.path.lexists(word)


def _kernels(words: Sequence[str], names: Collection[str]) -> Iterator[tuple[str, str, list[str]]]:
    """Yield each option for a kernel, its value, and the words after it that are no files."""
    for place, word in enumerate(words):
        name, equals, value = word.partition("=")
        start = place + 2 - len(equals)
        if name in names and start <= len(words):
            kernel = value if equals else words[place + 1]
            yield name, kernel, [*takewhile(lambda each: not os.path.lexists(each), words[start:])]


def _is_part(word: str) -> bool:
    """Return whether a word is an argument of a kernel, or a kernel."""
    from convcli.kernels.named import KERNELS

    return bool(_NUMBERS.fullmatch(word)) or "=" in word or word.partition(":")[0] in KERNELS
