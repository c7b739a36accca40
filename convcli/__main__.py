"""Run the command line: python -m convcli."""

from convcli.cli import main

main()
