"""What the model wrote → bullets that their source supports."""

from dataclasses import dataclass
from typing import Any, Literal

from predictors.summarizer.text.document import ENGLISH, Document
from predictors.summarizer.text.gloss.told import Told, told
from predictors.summarizer.text.parties import addressed
from predictors.summarizer.text.topics import TOPICS

Unsupported = Literal["quote", "drop", "mark"]
# Below this score a bullet counts as unsupported (see `support`).
LEAST_SUPPORT = 0.5
_UNEXPLAINED = "What the document says, in its own words."


@dataclass(frozen=True, slots=True)
class Bullet:
    """One point of a summary.

    Args:
        text: one line.
        clauses: numbers of the clauses that it comes from.
        support: how far their words support it, from 0 to 1.
        written: whether the words are the model's; otherwise they are the source's own.
        quote: for words of the model's own, the clauses' words; otherwise empty.
        whole: whether the source's words are given without leaving anything out.
    """

    text: str
    clauses: tuple[int, ...]
    support: float
    written: bool
    quote: str = ""
    whole: bool = True

    def told(self, document: Document) -> Told:
        """Its topic and its gloss, by the words of its source; a language that is not understood is not explained."""
        if document.language != ENGLISH:
            return Told(TOPICS["other"], _UNEXPLAINED)
        words = self.quote or self.text
        if document.customer_speaks:
            words = addressed(words)
        return told(words, document.company, document.clauses[self.clauses[-1]].section)

    def as_json(self, document: Document) -> dict[str, Any]:
        """The bullet as it appears in responses; citations are character offsets in the request's text."""
        spans = document.spans(self.clauses)
        topic, gloss = self.told(document)
        return {
            "topic": topic.id,
            "gloss": gloss,
            "text": self.text,
            "citations": [{"start": start, "end": end} for start, end in spans],
            "support": round(self.support, 3),
            "quoted": self.whole and not self.written,
            **({"quote": self.quote} if self.quote else {}),
        }
