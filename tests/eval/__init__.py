"""The evaluation set: invented consumer documents with what a summary of each must and must not say, and results.

Each document has a directory in ``set``: ``document.txt``, and ``facts.json`` with what a consumer must learn from it
(``facts``, each with the words of the document that say so) and what one might expect but it does not say (``absent``).
A claim is recognized by patterns, so that any wording counts.
"""

import json
import re
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SET = Path(__file__).parent / "set"


@dataclass(frozen=True)
class Claim:
    """Something a bullet may say.

    Args:
        id: its name, unique in its document.
        statement: what it says, in plain words.
        patterns: regular expressions; a bullet makes the claim if it matches all of them, ignoring case.
    """

    id: str
    statement: str
    patterns: tuple[str, ...]

    def is_in(self, bullet: str) -> bool:
        """Whether a bullet, which is a single line, makes the claim."""
        return all(re.search(pattern, bullet, re.IGNORECASE) for pattern in self.patterns)


@dataclass(frozen=True)
class Fact(Claim):
    """What a consumer must learn.

    Args:
        quote: where the document says it, verbatim.
    """

    quote: str


@dataclass(frozen=True)
class Example:
    """A document and what belongs in its summary.

    Args:
        name: of its directory.
        title: of the document.
        kind: what sort of document it is.
        text: the document.
        facts: what its summary must say.
        absent: what it does not say.
    """

    name: str
    title: str
    kind: str
    text: str
    facts: tuple[Fact, ...]
    absent: tuple[Claim, ...]


@dataclass(frozen=True)
class Summary:
    """What came back for a document. Time and tokens are 0 if no model was asked.

    Args:
        bullets: a line each.
        seconds: from the request to the whole answer.
        prompt_tokens: tokens read.
        completion_tokens: tokens written.
        mode: the mode that the summarizer reports.
    """

    bullets: list[str]
    seconds: float = 0.0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    mode: str = ""


@dataclass(frozen=True)
class Score:
    """What a summary is worth.

    Args:
        recall: the share of the facts that it says.
        said: ids of the facts that it says.
        missed: ids of the facts that it does not say.
        claimed: ids of the absent facts that it says.
        reasons: why each bullet is unsupported; empty for one that is not.
        repeats: how many bullets are unsupported because they repeat.
        cut: how many bullets were too long to be judged completely.
    """

    recall: float
    said: list[str]
    missed: list[str]
    claimed: list[str]
    reasons: list[str]
    repeats: int
    cut: int

    @property
    def unsupported(self) -> int:
        """How many bullets are unsupported."""
        return sum(map(bool, self.reasons))


@dataclass(frozen=True)
class Result:
    """One document summarized in one way, and judged."""

    document: str
    strategy: str
    summary: Summary
    score: Score


def averages(results: Sequence[Result]) -> dict[str, Any]:
    """The figures of some results; micro averages weigh facts or bullets equally, macro averages documents."""
    scores = [result.score for result in results]
    summaries = [result.summary for result in results]
    return {
        "documents": len(results),
        "recall": _recall(scores),
        "unsupported": _unsupported(scores),
        "repeats": sum(score.repeats for score in scores),
        "absent_claimed": sum(len(score.claimed) for score in scores),
        "bullets": sum(len(score.reasons) for score in scores),
        "cut": sum(score.cut for score in scores),
        "seconds": round(sum(summary.seconds for summary in summaries), 2),
        "prompt_tokens": sum(summary.prompt_tokens for summary in summaries),
        "completion_tokens": sum(summary.completion_tokens for summary in summaries),
    }


def _recall(scores: Sequence[Score]) -> dict[str, float]:
    said = sum(len(score.said) for score in scores)
    facts = said + sum(len(score.missed) for score in scores)
    return {"micro": said / facts, "macro": statistics.fmean(score.recall for score in scores)}


def _unsupported(scores: Sequence[Score]) -> dict[str, float | None]:
    """The share of unsupported bullets; a summary without bullets has none."""
    with_bullets = [score for score in scores if score.reasons]
    if not with_bullets:
        return {"micro": None, "macro": None}
    bullets = sum(len(score.reasons) for score in with_bullets)
    return {
        "micro": sum(score.unsupported for score in with_bullets) / bullets,
        "macro": statistics.fmean(score.unsupported / len(score.reasons) for score in with_bullets),
    }


def names() -> list[str]:
    """The names of all documents."""
    return sorted(directory.name for directory in SET.iterdir())


def load(chosen: Iterable[str]) -> list[Example]:
    """Read documents of the set, the shortest first, so that an interrupted evaluation has covered several."""
    return sorted((_example(name) for name in chosen), key=lambda example: len(example.text))


def _example(name: str) -> Example:
    content = json.loads((SET / name / "facts.json").read_text("utf-8"))
    return Example(
        name,
        content["title"],
        content["kind"],
        (SET / name / "document.txt").read_text("utf-8"),
        tuple(Fact(fact["id"], fact["statement"], tuple(fact["all_of"]), fact["quote"]) for fact in content["facts"]),
        tuple(Claim(claim["id"], claim["statement"], tuple(claim["all_of"])) for claim in content["absent"]),
    )
