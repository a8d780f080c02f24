"""From a text to terms, as scikit-learn's `CountVectorizer` and `TfidfVectorizer` read it."""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, TypeAlias

Analyzer: TypeAlias = Literal["word", "char", "char_wb"]
Accents: TypeAlias = Literal["keep", "ascii", "unicode"]

_SEVERAL_SPACES = re.compile(r"\s\s+")


@dataclass(frozen=True)
class Analysis:
    """How one vectorizer reads a text.

    Args:
        analyzer: runs of words, of characters, or of characters within words.
        low, high: shortest and longest run that is counted.
        lowercase: whether the text is put in lower case first.
        accents: whether accented letters are kept, or lose their accents in one of scikit-learn's two ways.
        pattern: regular expression of a word; for words only.
        stop_words: words that are left out; for words only.
    """

    analyzer: Analyzer
    low: int
    high: int
    lowercase: bool = True
    accents: Accents = "keep"
    pattern: str = r"(?u)\b\w\w+\b"
    stop_words: frozenset[str] = frozenset()

    def prepared(self, text: str) -> str:
        """The text in lower case and without accents, if so set."""
        text = text.lower() if self.lowercase else text
        return text if self.accents == "keep" or text.isascii() else _without_accents(text, self.accents)

    def word_terms(self, text: str) -> list[str]:
        """Runs of words of a prepared text."""
        words = self._find_words(text)
        if self.stop_words:
            words = [word for word in words if word not in self.stop_words]
        terms = list(words) if self.low == 1 else []
        for n in range(max(self.low, 2), self.high + 1):
            terms += [" ".join(words[i : i + n]) for i in range(len(words) - n + 1)]
        return terms

    def words(self, text: str) -> list[str]:
        """The words of a prepared text that have a letter or a digit, stop words left out."""
        return [word for word in self._find_words(text) if word not in self.stop_words and any(map(str.isalnum, word))]

    def character_terms(self, text: str) -> list[str]:
        """Runs of characters of a prepared text, white space counted as one space."""
        text = _SEVERAL_SPACES.sub(" ", text)
        return [text[i : i + n] for n in range(self.low, self.high + 1) for i in range(len(text) - n + 1)]

    def terms_within(self, word: str) -> list[str]:
        """Runs of characters of a word of a prepared text, padded with a space on either side."""
        padded = f" {word} "
        terms = []
        for n in range(self.low, self.high + 1):
            terms += [padded[i : i + n] for i in range(max(1, len(padded) - n + 1))]
            if len(padded) <= n:  # a short word counts once
                break
        return terms

    @cached_property
    def _find_words(self) -> Callable[[str], list[str]]:
        return re.compile(self.pattern).findall


def _without_accents(text: str, accents: Accents) -> str:
    decomposed = unicodedata.normalize("NFKD", text)
    if accents == "ascii":
        return decomposed.encode("ascii", "ignore").decode("ascii")
    return "".join(character for character in decomposed if not unicodedata.combining(character))
