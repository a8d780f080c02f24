"""What ends a run."""


class BenchError(Exception):
    """Something that no further measuring mends: a tool is missing, a server ended, an answer was wrong."""
