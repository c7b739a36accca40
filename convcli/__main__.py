"""Entry point of the command line: `python -m convcli` and the console script."""

import gc
import sys
from typing import NoReturn

# Threshold of the garbage collector. Imports create about 35,000 objects that all stay alive, so the default threshold
# would search them for cycles many times in vain.
NEW_OBJECTS = 20_000


def run() -> NoReturn:
    """Import and run the command line; Ctrl-C ends it without a traceback, even during the import."""
    gc.set_threshold(NEW_OBJECTS)
    try:
        from convcli.cli import main
    except KeyboardInterrupt:
        sys.exit(130)
    try:
        main()
    finally:
        gc.freeze()  # the process ends, and all its memory with it: a last search for cycles is wasted time


if __name__ == "__main__":
    run()
