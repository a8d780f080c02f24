"""Run the command line as ``python -m predictors``."""

from predictors.cli import main

main()
