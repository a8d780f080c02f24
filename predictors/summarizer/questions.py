"""What a summary asks the model, one passage at a time, and what becomes of its answers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from predictors.summarizer.engine.types import Generation
from predictors.summarizer.text.bullets import Bullet
from predictors.summarizer.text.points import Points


@dataclass(frozen=True, slots=True)
class Question:
    """A passage of a document.

    Args:
        clauses: numbers of its clauses.
        asks: whether the model has to look at it.
        tokens: gives what the model reads.
        bullets: gives the points, by the model's answer, or without one.
    """

    clauses: Sequence[int]
    asks: bool
    tokens: Callable[[], list[int]]
    bullets: Callable[[Generation | None], list[Bullet]]


@dataclass(frozen=True, slots=True)
class Plan:
    """How a document becomes a summary.

    Args:
        questions: the passages, in document order.
        points: collects their points.
        left_out: whether something worth saying had no room.
    """

    questions: Sequence[Question]
    points: Points
    left_out: bool = False
