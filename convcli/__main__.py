"""Start the command line: `python -m convcli`, and the console script."""

import gc
import sys
from typing import NoReturn

# New objects between two looks for cycles: what is imported makes some 35,000, all of which stay.
NEW_OBJECTS = 20_000


def run() -> NoReturn:
    """Import the command line and run it; Ctrl-C ends it quietly even while it is imported."""
    gc.set_threshold(NEW_OBJECTS)
    try:
        from convcli.cli import main
    except KeyboardInterrupt:
        sys.exit(130)
    try:
        main()
    finally:
        gc.freeze()  # the process ends: its memory is given back whole, so cycles need not be found


if __name__ == "__main__":
    run()
