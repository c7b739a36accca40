"""The environment in which tests run the program: that of this machine, without variables that change messages."""

import re
from collections.abc import Mapping

CHANGING = re.compile(
    r"""_?CONVCLI_(?!CORPORA).*                               # options, and shell completion
    |   NO_COLOR | FORCE_COLOR | CLICOLOR(_FORCE)? | PY_COLORS
    |   TERM | COLORTERM | COLUMNS | LINES | TTY_.* | JUPYTER_.*
    |   DASK_.*
    |   PYTHON(?!PATH$|HOME$|HASHSEED$|DONTWRITEBYTECODE$|PYCACHEPREFIX$|UTF8$|COERCECLOCALE$).*""",
    re.VERBOSE,
)


def plain(environment: Mapping[str, str]) -> dict[str, str]:
    """Return an environment without the variables that change the program's behaviour or messages.

    >>> plain({"PATH": "/bin", "CONVCLI_JOBS": "3", "COLUMNS": "40", "PYTHONPATH": "."})
    {'PATH': '/bin', 'PYTHONPATH': '.'}
    """
    return {name: value for name, value in environment.items() if not CHANGING.fullmatch(name)}
