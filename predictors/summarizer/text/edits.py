"""Edits of a text that remember where its characters came from."""

import re
from bisect import bisect_right
from collections.abc import Iterable
from typing import NamedTuple


class Edit(NamedTuple):
    """One replacement.

    Args:
        start, end: characters ``[start, end)`` that are replaced; an insertion if there are none.
        text: what replaces them.
    """

    start: int
    end: int
    text: str


class Edited:
    """A text after some edits.

    Args:
        text: the text before them.
        edits: in order, without overlaps.
    """

    def __init__(self, text: str, edits: Iterable[Edit]) -> None:
        parts: list[str] = []
        # Where each part starts after and before the edits, and where it ended before them.
        self._after: list[int] = []
        self._before: list[tuple[int, int]] = []
        self._length = position = 0
        for edit in edits:
            self._add(parts, text[position : edit.start], position, edit.start)
            self._add(parts, edit.text, edit.start, edit.end)
            position = edit.end
        self._add(parts, text[position:], position, len(text))
        self.text = "".join(parts)

    def _add(self, parts: list[str], part: str, start: int, end: int) -> None:
        if part:
            parts.append(part)
            self._after.append(self._length)
            self._before.append((start, end))
            self._length += len(part)

    def before(self, start: int, end: int) -> tuple[int, int]:
        """Where characters ``[start, end)`` were before the edits; a replacement counts as a whole."""
        if not self._after or end <= start:
            place = self._place(start)[0] if self._after else 0
            return place, place
        return self._place(start)[0], self._place(end - 1)[1]

    def _place(self, position: int) -> tuple[int, int]:
        """The characters before the edits that one character after them stands for."""
        i = bisect_right(self._after, position) - 1
        (start, end), offset = self._before[i], position - self._after[i]
        length = (self._after[i + 1] if i + 1 < len(self._after) else self._length) - self._after[i]
        if end - start == length:
            return start + offset, start + offset + 1
        return start, end


def deletions(pattern: re.Pattern[str], text: str) -> list[Edit]:
    """Edits that delete whatever matches."""
    return [Edit(match.start(), match.end(), "") for match in pattern.finditer(text)]
