"""The lowest versions of the run-time dependencies that pyproject.toml allows, as constraints of pip.

`python -m tests.oldest` prints them; `make oldest` installs them and runs the tests.
"""

import re
import tomllib
from collections.abc import Iterable, Iterator

from tests.paths import ROOT

EXTRAS = ("codecs", "heif", "cluster", "remote")  # all other extras are for development


def constraints(requirements: Iterable[str]) -> Iterator[str]:
    """Yield the constraint of each requirement.

    >>> list(constraints(["numpy>=2.0", "rich>=13"]))
    ['numpy==2.0', 'rich==13']
    """
    for requirement in requirements:
        if not re.fullmatch(r"[\w.-]+>=[\w.]+", requirement):
            raise ValueError(f"{requirement!r} does not say its lowest version; write name>=version")
        yield requirement.replace(">=", "==")


def main() -> None:
    """Print the constraints."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = (project["optional-dependencies"][extra] for extra in EXTRAS)
    print(*constraints([*project["dependencies"], *(each for extra in extras for each in extra)]), sep="\n")


if __name__ == "__main__":
    main()
