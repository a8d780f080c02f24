"""Stems of English words, by the Snowball stemmer."""

from functools import lru_cache

from Stemmer import Stemmer

_REMEMBERED_WORDS = 50_000
# Words that mean the same in a contract, but whose stems differ.
_SAME = {"payment": "pay", "payments": "pay", "payable": "pay", "liability": "liable", "liabilities": "liable"}


@lru_cache(maxsize=_REMEMBERED_WORDS)
def stem(word: str) -> str:
    """The stem of a word, which need not be a word.

    Args:
        word: in lower case.
    """
    # A stemmer is not thread-safe, and takes less than a microsecond to make.
    return str(Stemmer("english", 0).stemWord(_SAME.get(word, word)))
