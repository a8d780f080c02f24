"""Lists of words, written in this package with white space between them."""


def word_set(listed: str) -> frozenset[str]:
    """The words of a list."""
    return frozenset(listed.split())
