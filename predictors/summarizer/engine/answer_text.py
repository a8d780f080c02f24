"""The text of an answer as it grows: whole characters, and nothing of a stop text."""

import codecs
from collections.abc import Sequence


class AnswerText:
    """Puts an answer together from tokens' bytes.

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
        """All of the answer, as far as it is known."""
        return self._text

    def add(self, piece: bytes) -> None:
        """Add a token's bytes; after that `stopped` tells whether a stop text was completed."""
        seen = len(self._text)
        self._text += self._decoder.decode(piece)
        # Only what ends in the new characters can have become complete.
        begin = max(0, seen - self._longest + 1)
        found = [place for stop in self._stops if (place := self._text.find(stop, begin)) >= 0]
        if found:
            self._text, self.stopped = self._text[: min(found)], True

    def release(self) -> str:
        """What can be sent on: all that is new, less what may yet turn out to begin a stop text."""
        end = len(self._text) - (0 if self.stopped else self._held())
        new = self._text[self._released : end]
        self._released = max(self._released, end)
        return new

    def finish(self) -> str:
        """End the answer, leaving out a character that was cut; gives what `release` had held back."""
        new = self._text[self._released :]
        self._released = len(self._text)
        return new

    def _held(self) -> int:
        for size in range(min(self._longest - 1, len(self._text) - self._released), 0, -1):
            tail = self._text[-size:]
            if any(stop.startswith(tail) for stop in self._stops):
                return size
        return 0
