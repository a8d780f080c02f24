"""The text of an answer as it grows: whole characters, and nothing of a stop text."""

import codecs
from collections.abc import Sequence


class AnswerText:
    """Assembles an answer from the bytes of its tokens.

    Args:
        stops: texts that end the answer and are not part of it.
    """

    def __init__(self, stops: Sequence[str]) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._stops = [stop for stop in stops if stop]
        self._longest = max(map(len, self._stops), default=0)
        self._text = ""
        self._released = 0
        self.stopped = False

    @property
    def text(self) -> str:
        """The whole answer so far."""
        return self._text

    def add(self, piece: bytes) -> None:
        """Add a token's bytes; after that `stopped` tells whether they completed a stop text."""
        seen = len(self._text)
        self._text += self._decoder.decode(piece)
        # Only a stop text that ends in the new characters can have become complete.
        begin = max(0, seen - self._longest + 1)
        found = [place for stop in self._stops if (place := self._text.find(stop, begin)) >= 0]
        if found:
            self._text, self.stopped = self._text[: min(found)], True

    def release(self) -> str:
        """The new text that can be sent: without an end that may turn out to begin a stop text."""
        end = len(self._text) - (0 if self.stopped else self._held_back())
        new = self._text[self._released : end]
        self._released = max(self._released, end)
        return new

    def finish(self) -> str:
        """End the answer, dropping an incomplete character; returns the text that `release` has held back."""
        new = self._text[self._released :]
        self._released = len(self._text)
        return new

    def _held_back(self) -> int:
        """How many of the last characters may be the beginning of a stop text."""
        for size in range(min(self._longest - 1, len(self._text) - self._released), 0, -1):
            tail = self._text[-size:]
            if any(stop.startswith(tail) for stop in self._stops):
                return size
        return 0
