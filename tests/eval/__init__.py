"""The evaluation set: invented consumer documents, and what a summary of each must and must not say; and results.

One directory of ``set`` a document: ``document.txt``, and ``facts.json`` with what a consumer must learn from it
(``facts``, each with the words of the document that say so) and what it does not say though one might expect it
(``absent``). A claim is recognized by patterns, so that any wording of it counts.
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
        statement: it in plain words.
        patterns: regular expressions; a bullet says it if every one of them is found, in any case.
    """

    id: str
    statement: str
    patterns: tuple[str, ...]

    def is_in(self, bullet: str) -> bool:
        """Whether a bullet, which is a single line, says it."""
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
    """What came back for a document; what is no model's work took no time and no tokens.

    Args:
        bullets: a line each.
        seconds: from the request to the whole answer.
        prompt_tokens: tokens read.
        completion_tokens: tokens written.
        mode: what the summarizer says it did.
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
        repeats: how many bullets are so because they repeat.
        cut: how many bullets were too long to be judged as a whole.
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
    """The figures of some results: micro over all facts and bullets alike, macro over documents alike.

    A summary without bullets has no rate of unsupported ones, and is left out of that average.
    """
    scores = [result.score for result in results]
    said = sum(len(score.said) for score in scores)
    bullets = sum(len(score.reasons) for score in scores)
    rates = [score.unsupported / len(score.reasons) for score in scores if score.reasons]
    return {
        "documents": len(results),
        "recall": {
            "micro": said / (said + sum(len(score.missed) for score in scores)),
            "macro": statistics.fmean(score.recall for score in scores),
        },
        "unsupported": {
            "micro": sum(score.unsupported for score in scores) / bullets if bullets else None,
            "macro": statistics.fmean(rates) if rates else None,
        },
        "repeats": sum(score.repeats for score in scores),
        "absent_claimed": sum(len(score.claimed) for score in scores),
        "bullets": bullets,
        "cut": sum(score.cut for score in scores),
        "seconds": round(sum(result.summary.seconds for result in results), 2),
        "prompt_tokens": sum(result.summary.prompt_tokens for result in results),
        "completion_tokens": sum(result.summary.completion_tokens for result in results),
    }


def names() -> list[str]:
    """The names of all documents."""
    return sorted(directory.name for directory in SET.iterdir())


def load(chosen: Iterable[str]) -> list[Example]:
    """Read documents of the set, the shortest first, so that an evaluation that is stopped has seen several."""
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
