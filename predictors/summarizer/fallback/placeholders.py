"""Personal data in texts → placeholders, and back.

The same value has the same placeholder in all texts of a request, so that who reads them can tell people apart. A
placeholder that one of the texts already contains is not used, so whatever a text says, it comes back as it was.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

from predictors.summarizer.fallback.recognizers import Span

Find: TypeAlias = Callable[[str], list[Span]]
"""Finds personal data in a text: places that do not overlap, in order."""


class Mask:
    """Hides personal data in the texts of one request.

    Args:
        find: finds it.
        texts: all that may be sent, so that placeholders differ from whatever they contain.
    """

    def __init__(self, find: Find, texts: Sequence[str]) -> None:
        self._find = find
        self._taken = [text for text in texts if "<" in text]
        self._placeholders: dict[tuple[str, str], str] = {}
        self._values: dict[str, str] = {}
        self._numbers: dict[str, int] = {}
        self.longest = 0
        """Characters of the longest placeholder; 0 if there is none."""

    def hide(self, text: str) -> str:
        """A text with placeholders instead of personal data."""
        parts = []
        end = 0
        for span, placeholder in self.replacements(text):
            parts += [text[end : span.start], placeholder]
            end = span.end
        return "".join([*parts, text[end:]])

    def replacements(self, text: str) -> Iterator[tuple[Span, str]]:
        """What is to be hidden of a text, in order, and the placeholders for it."""
        for span in self._find(text):
            yield span, self._placeholder(span.kind, text[span.start : span.end])

    def _placeholder(self, kind: str, value: str) -> str:
        placeholder = self._placeholders.get((kind, value))
        if placeholder is None:
            placeholder = self._placeholders[kind, value] = self._new(kind)
            self._values[placeholder] = value
            self.longest = max(self.longest, len(placeholder))
        return placeholder

    def _new(self, kind: str) -> str:
        while True:
            number = self._numbers[kind] = self._numbers.get(kind, 0) + 1
            placeholder = f"<{kind}_{number}>"
            if not any(placeholder in text for text in self._taken):
                return placeholder

    def restore(self, text: str) -> str:
        """A text with the values in the places of their placeholders."""
        unmasking = Unmasking(self)
        return unmasking.feed(text) + unmasking.finish()

    def has_begun(self, text: str) -> bool:
        """Whether a text may become a placeholder."""
        # A copy, since a document's thread may be hiding more of it while an answer is restored.
        return any(placeholder.startswith(text) for placeholder in tuple(self._values))

    def value(self, placeholder: str) -> str | None:
        """What a placeholder stands for; None if it is none."""
        return self._values.get(placeholder)


class Unmasking:
    """Puts values back into a text that comes in pieces, of which any may end within a placeholder.

    Args:
        mask: knows the values; nothing is hidden with it any more.
    """

    def __init__(self, mask: Mask) -> None:
        self._mask = mask
        self._longest = mask.longest
        self._held = ""

    def feed(self, piece: str) -> str:
        """Take a piece; returns the text that is certain by now."""
        if not self._longest:
            return piece
        parts = []
        text = self._held + piece
        while True:
            before, mark, rest = text.partition("<")
            parts.append(before)
            if not mark:
                self._held = ""
                break
            inside, closed, _ = rest[: self._longest].partition(">")
            if closed and (value := self._mask.value(f"<{inside}>")) is not None:
                parts.append(value)
                text = rest[len(inside) + 1 :]
            elif self._mask.has_begun(f"<{rest[: self._longest]}"):
                self._held = f"<{rest}"
                break
            else:
                parts.append("<")
                text = rest
        return "".join(parts)

    def finish(self) -> str:
        """The text that was held back, at the end."""
        held, self._held = self._held, ""
        return held
