"""Which bullets become the points of a summary: each once, and within its token budget.

Bullets are only chosen, not rewritten. So nothing is invented, citations stay exact, and one level of reduction is
enough for a document of any length.
"""

from collections.abc import Callable, Sequence
from typing import TypeAlias

from predictors.summarizer.text.bullets import Bullet
from predictors.summarizer.text.document import Document
from predictors.summarizer.text.selection import select


class FirstPoints:
    """Keeps every bullet at once, so that it can be sent while others are being made; they fit already."""

    left_out = False
    """Whether bullets were left out because they exceed the budget."""

    def __init__(self) -> None:
        self.kept: list[Bullet] = []
        """The points of the summary, once `finish` was called."""
        self._texts: set[str] = set()

    def add(self, bullets: Sequence[Bullet]) -> list[Bullet]:
        """Take bullets in document order; returns those that will certainly be kept."""
        kept = [bullet for bullet in bullets if bullet.text not in self._texts]
        self._texts.update(bullet.text for bullet in kept)
        self.kept += kept
        return kept

    def finish(self) -> list[Bullet]:
        """Return the bullets that are kept and were not returned before: none."""
        return []


class BestPoints:
    """Keeps the best bullets by salience and support, which are known only at the end; members as of `FirstPoints`.

    Args:
        document: the document that the bullets come from.
        count: counts the tokens of a text.
        budget: most tokens in total.
    """

    def __init__(self, document: Document, count: Callable[[str], int], budget: int) -> None:
        self.kept: list[Bullet] = []
        self._document = document
        self._count = count
        self._budget = budget
        self._found: dict[str, Bullet] = {}

    @property
    def left_out(self) -> bool:
        """Whether bullets were left out because they exceed the budget."""
        return len(self.kept) < len(self._found)

    def add(self, bullets: Sequence[Bullet]) -> list[Bullet]:
        """Take bullets; returns none, because any may be left out yet."""
        for bullet in bullets:
            self._found.setdefault(bullet.text, bullet)
        return []

    def finish(self) -> list[Bullet]:
        """Choose the best bullets and return them in document order."""
        bullets = list(self._found.values())
        salience = self._document.salience
        scores = [max(salience[i] for i in bullet.clauses) * bullet.support for bullet in bullets]
        counts = [self._count(bullet.text) for bullet in bullets]
        chosen = select(scores, counts, [bullet.text for bullet in bullets], self._budget)
        self.kept = [bullets[place] for place in chosen]
        return self.kept


Points: TypeAlias = FirstPoints | BestPoints
