"""Start the command line: `python -m convcli`, and the console script."""

import sys
from typing import NoReturn


def run() -> NoReturn:
    """Import the command line and run it; Ctrl-C ends it quietly even while it is imported."""
    try:
        from convcli.cli import main
    except KeyboardInterrupt:
        sys.exit(130)
    main()


if __name__ == "__main__":
    run()
