"""The error that ends a run."""


class BenchError(Exception):
    """The run cannot go on: a tool is missing, a server ended, or an answer was wrong."""
