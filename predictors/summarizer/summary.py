"""The summary of a document: its points, and what they cost."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from typing import Any

from predictors.summarizer.engine.types import FinishReason, Generation
from predictors.summarizer.text.bullets import Bullet
from predictors.summarizer.text.digest import Mode
from predictors.summarizer.text.document import ENGLISH, Document
from predictors.summarizer.text.topics import TOPICS

_ORDER = {topic: place for place, topic in enumerate(TOPICS)}
_MORE = {
    "stop": "",
    "length": "There was more to say: a higher max_tokens has room for it.",
    "deadline": "The deadline came first, when {read} of the document had been read. Allow more time with the header "
    "x-request-timeout-ms (at most the server's request_timeout_seconds), or use the mode fast.",
}

_FOREIGN = (
    "The document seems to be in another language than English ({language}), for which this is made: clauses are "
    "quoted, but what matters may be missing, and nothing is explained."
)


@dataclass(slots=True)
class Summary:
    """A summary, and what it cost.

    Args:
        mode: how much of the document was considered.
        points: the bullets as answers show them, by topic.
        finish_reason: ``length`` if points were left out because the summary would have become too long; ``deadline``
            if the document was not read to its end in time.
        read: the share of the document's characters that were read.
        language: what the document is in, as a code of ISO 639-1.
        prompt_tokens, cached_tokens, completion_tokens: of all passages together (see `Generation`).
        seconds_to_first_token: the least of all passages; 0 if there is none.
    """

    mode: Mode
    points: list[dict[str, Any]] = field(default_factory=list)
    finish_reason: FinishReason = "stop"
    read: float = 1.0
    language: str = ENGLISH
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    seconds_to_first_token: float = 0.0

    @property
    def text(self) -> str:
        """The points as text: the title of each topic, then each gloss, and under it what the document says."""
        lines: list[str] = []
        for topic, points in groupby(self.points, itemgetter("topic")):
            lines += [*([""] if lines else []), TOPICS[topic].title.upper()]
            for gloss, told in groupby(points, itemgetter("gloss")):
                lines += [gloss, *(f"- {point['text']}" for point in told)]
        return "\n".join(lines)

    @property
    def more(self) -> str:
        """How to get what is missing; empty if nothing is."""
        return _MORE[self.finish_reason].format(read=f"{math.floor(100 * self.read)}%")

    @property
    def warning(self) -> str:
        """What to know before relying on it; empty if there is nothing."""
        return "" if self.language == ENGLISH else _FOREIGN.format(language=self.language)

    def take(self, bullets: Sequence[Bullet], document: Document) -> None:
        """Set the points: by topic, then by gloss, each in the order of its first clause."""
        self.language = document.language
        ordered = [bullet.as_json(document) for bullet in sorted(bullets, key=lambda bullet: bullet.clauses)]
        first: dict[tuple[str, str], int] = {}
        for place, point in enumerate(ordered):
            first.setdefault((point["topic"], point["gloss"]), place)

        def rank(point: dict[str, Any]) -> tuple[int, int]:
            return _ORDER[point["topic"]], first[point["topic"], point["gloss"]]

        self.points = sorted(ordered, key=rank)

    def count(self, generation: Generation) -> None:
        """Add what a passage cost."""
        self.prompt_tokens += generation.prompt_tokens
        self.cached_tokens += generation.cached_tokens
        self.completion_tokens += generation.completion_tokens
        first = self.seconds_to_first_token or generation.seconds_to_first_token
        self.seconds_to_first_token = min(first, generation.seconds_to_first_token)
