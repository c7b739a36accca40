"""Paths with spaces and kernels of several numbers that were typed without quotation marks."""

import os
import re
import shlex
from collections.abc import Collection, Sequence

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
    """Return how to type a kernel of several numbers that a command line has in several words; empty if there is none.

    names : the names of the option for a kernel

    >>> quoted_kernel(["a.png", "--kernel", "1", "4", "-6", "-o", "b.png"], ["--kernel"])
    "the numbers of a kernel are one word; quote them: --kernel '1 4 -6'"
    """
    for place, word in enumerate(words):
        name, equals, value = word.partition("=")
        if name not in names:
            continue
        start = place + 2 - len(equals)
        numbers = [value] if equals else list(words[place + 1 : start])
        for following in words[start:]:
            if not (_NUMBERS.fullmatch(following) and _NUMBERS.fullmatch(numbers[0])):
                break
            if os.path.lexists(following):
                break
            numbers.append(following)
        if len(numbers) > 1:
            kernel = shlex.quote(" ".join(numbers))
            return f"the numbers of a kernel are one word; quote them: {name} {kernel}"
    return ""
