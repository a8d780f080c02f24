"""A rule: a gloss, and which clauses get it."""

import re
from typing import NamedTuple


class Rule(NamedTuple):
    """A gloss, and which clauses get it.

    Args:
        topic: id of the topic; empty to leave it to the clause's words.
        gloss: the line.
        patterns: all of them are found in the clause.
        bars: none of them is.
    """

    topic: str
    gloss: str
    patterns: tuple[re.Pattern[str], ...]
    bars: tuple[re.Pattern[str], ...]

    def fits(self, text: str) -> bool:
        """Whether a clause, in lower case, gets the gloss."""
        return all(pattern.search(text) for pattern in self.patterns) and not any(bar.search(text) for bar in self.bars)


def rule(topic: str, gloss: str, *patterns: str, bars: tuple[str, ...] = ()) -> Rule:
    """Make a rule of regular expressions. Their repetitions are bounded, so that no text takes long."""
    return Rule(topic, gloss, tuple(map(re.compile, patterns)), tuple(map(re.compile, bars)))
