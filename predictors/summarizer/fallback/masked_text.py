"""A document without its personal data, and the way back: for what is said about it, and where.

The whole document is searched before it is divided, since what is divided in the middle of a number could not be
recognized any more. A placeholder has no white space, so nothing divides it.
"""

from bisect import bisect_right
from typing import Any

from predictors.summarizer.fallback.placeholders import Mask


class MaskedText:
    """A document, hidden.

    Args:
        mask: hides, and knows the values.
        original: the document.
    """

    def __init__(self, mask: Mask, original: str) -> None:
        self._mask = mask
        parts = []
        # Where what follows a placeholder begins, in the hidden text and in the original.
        self._here, self._there = [0], [0]
        here = there = 0
        for span, placeholder in mask.replacements(original):
            parts += [original[there : span.start], placeholder]
            here += span.start - there + len(placeholder)
            there = span.end
            self._here.append(here)
            self._there.append(there)
        self.text = "".join([*parts, original[there:]])
        """The document with placeholders."""

    def place(self, place: int) -> int:
        """Where a place in the hidden text is in the original; one within a placeholder is its value's end."""
        i = bisect_right(self._here, place) - 1
        following = self._there[i] + place - self._here[i]
        if i + 1 < len(self._there):
            return min(following, self._there[i + 1])
        return following

    def restored(self, point: dict[str, Any]) -> dict[str, Any]:
        """A point as it would be without placeholders: its texts, and its places in the document."""
        told = {name: self._mask.restore(value) if isinstance(value, str) else value for name, value in point.items()}
        citations = [{end: self.place(place) for end, place in each.items()} for each in point["citations"]]
        return {**told, "citations": citations}
