"""How a point is told: its topic, and a line in plain English.

Patterns look at a text in lower case, with plain apostrophes and no contractions, in which the company's name is "we".
"""

import re
from functools import lru_cache
from typing import NamedTuple

from predictors.summarizer.text.gloss.rules import RULES
from predictors.summarizer.text.topics import TOPICS, Topic, topic_of

_LONGEST = 3000
_CONTRACTED = (
    ("can't", "cannot"),
    ("won't", "will not"),
    ("n't", " not"),
    ("'ll", " will"),
    ("'ve", " have"),
    ("'re", " are"),
)
_REMEMBERED = 5000


class Told(NamedTuple):
    """How a point is told: its topic, and a line in plain English."""

    topic: Topic
    gloss: str


@lru_cache(maxsize=_REMEMBERED)
def told(text: str, company: frozenset[str] = frozenset(), section: str = "") -> Told:
    """Find the topic and the gloss of a point.

    Args:
        text: the words of its clauses, on one line.
        company: names of the company in lower case.
        section: the heading above it.
    """
    plain = _plain(text[:_LONGEST])
    if company:
        plain = re.sub(rf"\b(?:the )?(?:{'|'.join(map(re.escape, sorted(company)))})\b(?!'s)", "we", plain)
    rule = next((rule for rule in RULES if rule.fits(plain)), None)
    topic = TOPICS[rule.topic] if rule is not None and rule.topic else topic_of(text[:_LONGEST], section)
    return Told(topic, rule.gloss if rule is not None else topic.gloss)


def _plain(text: str) -> str:
    """A text as the rules know it."""
    plain = text.lower().replace("\u2019", "'").replace("per cent", "percent")
    for short, long in _CONTRACTED:
        plain = plain.replace(short, long)
    return plain
