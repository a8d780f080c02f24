"""Run the command line as ``python -m predictors``."""

from predictors.cli.app import main

main()
