"""A text as it is read: without what printers, mail programs, word processors and Markdown added to its words.

Each step edits the text of the step before, and remembers where the characters came from.
"""

import re
from collections.abc import Callable, Iterable

from predictors.summarizer.text.characters import bullet_edits, character_edits
from predictors.summarizer.text.edits import Edit, Edited, deletions
from predictors.summarizer.text.emphasis import emphasis_edits
from predictors.summarizer.text.furniture import furniture_edits
from predictors.summarizer.text.glue import glue_edits, run_in_edits
from predictors.summarizer.text.hyphens import hyphen_edits
from predictors.summarizer.text.rows import row_edits

# Marks of quoted lines in mail and Markdown, but not ">5 days late".
_QUOTED = re.compile(r"^[ \t]*>(?:[ \t]?>){0,20}(?:[ \t]|(?=[^\W\d_]|$))", re.MULTILINE)


class Cleaned:
    """A text as it is read.

    Args:
        text: the text as it was sent.
    """

    def __init__(self, text: str) -> None:
        self._edited: list[Edited] = []
        self.text = text
        for step in _STEPS:
            if edits := list(step(self.text)):
                self._edited.append(Edited(self.text, edits))
                self.text = self._edited[-1].text

    def original(self, start: int, end: int) -> tuple[int, int]:
        """Where characters ``[start, end)`` of `text` are in the text that was sent."""
        for edited in reversed(self._edited):
            start, end = edited.before(start, end)
        return start, end


def clean(text: str) -> Cleaned:
    """Make a text readable.

    Args:
        text: plain text or Markdown.
    """
    return Cleaned(text)


def _quote_edits(text: str) -> Iterable[Edit]:
    return deletions(_QUOTED, text) if ">" in text else ()


_STEPS: tuple[Callable[[str], Iterable[Edit]], ...] = (
    character_edits,
    _quote_edits,
    furniture_edits,
    row_edits,
    bullet_edits,
    hyphen_edits,
    emphasis_edits,
    emphasis_edits,  # once more within the texts of links
    glue_edits,
    run_in_edits,
)
