"""Paths with spaces and kernels of several numbers that were typed without quotation marks."""

import os
import re
import shlex
from collections.abc import Collection, Iterator, Sequence
from itertools import takewhile

LONGEST = 8  # words of a path that are joined
_NUMBERS = re.compile(r"[-+]?[\d.][\d.,;/e+-]*;?|;")


def quoted_path(words: Sequence[str]) -> str:
    """Return how to type a path with spaces that a command line has in several words; empty if there is none.

    words : the words of the command line, with its options
    """
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
