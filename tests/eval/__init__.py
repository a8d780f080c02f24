"""The evaluation set: consumer documents with what a summary of each must and must not say, and results.

Each document of the set has a directory in ``set``: ``document.txt``, and ``facts.json`` with what a consumer must learn
from it (``facts``, each with the words of the document that say so) and what one might expect but it does not say
(``absent``). A claim is recognized by patterns, so that any wording counts. `read` takes documents of one's own.
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
    """Something a point may say.

    Args:
        id: its name, unique in its document.
        statement: what it says, in plain words.
        patterns: regular expressions; a point makes the claim if it matches all of them, ignoring case.
    """

    id: str
    statement: str
    patterns: tuple[str, ...]

    def is_in(self, point: str) -> bool:
        """Whether a point, which is a single line, makes the claim."""
        return all(re.search(pattern, point, re.IGNORECASE) for pattern in self.patterns)


@dataclass(frozen=True)
class Fact(Claim):
    """What a consumer must learn.

    Args:
        quote: where the document says it, verbatim; empty in a document of one's own.
    """

    quote: str = ""


@dataclass(frozen=True)
class Example:
    """A document and what belongs in its summary.

    Args:
        name: of its directory or file.
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
    absent: tuple[Claim, ...] = ()


@dataclass(frozen=True)
class Point:
    """A point of a summary.

    Args:
        text: one line.
        cited: characters [start, end) of the document that it cites; empty if it does not say.
        topic: what it is filed under; empty if it is not.
        gloss: the sentence that introduces it; empty if there is none.
    """

    text: str
    cited: tuple[tuple[int, int], ...] = ()
    topic: str = ""
    gloss: str = ""


@dataclass(frozen=True)
class Summary:
    """What came back for a document. Time and tokens are 0 if no model was asked.

    Args:
        points: its points.
        seconds: from the request to the whole answer.
        prompt_tokens: tokens read.
        completion_tokens: tokens written.
        mode: the mode that the summarizer reports.
    """

    points: tuple[Point, ...]
    seconds: float = 0.0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    mode: str = ""


@dataclass(frozen=True)
class Score:
    """What a summary is worth.

    Args:
        said: ids of the facts that a right point says.
        missed: ids of the other facts.
        claimed: ids of the absent facts that a point or its gloss says.
        faults: why each point is wrong; empty for one that is right.
        trivial: how many points say nothing of use.
        repeats: how many points say what an earlier one says.
        unclear: how many points begin with a word for something that they do not name.
        off_topic: how many points have nothing to do with their topic.
        quoted: how many points are quotations.
        words, document_words: of the summary and of the document.
    """

    said: list[str]
    missed: list[str]
    claimed: list[str]
    faults: list[str]
    trivial: int
    repeats: int
    unclear: int
    off_topic: int
    quoted: int
    words: int
    document_words: int

    @property
    def recall(self) -> float:
        """The share of the facts that are said."""
        return len(self.said) / max(len(self.said) + len(self.missed), 1)

    @property
    def wrong(self) -> int:
        """How many points are wrong."""
        return sum(map(bool, self.faults))


@dataclass(frozen=True)
class Result:
    """One document summarized in one way, and judged."""

    document: str
    strategy: str
    summary: Summary
    score: Score


def averages(results: Sequence[Result]) -> dict[str, Any]:
    """The figures of some results; micro averages weigh facts or points equally, macro averages documents."""
    scores = [result.score for result in results]
    summaries = [result.summary for result in results]
    points = sum(len(score.faults) for score in scores)
    return {
        "documents": len(results),
        "points": points,
        "recall": _recall(scores),
        "wrong": _share(sum(score.wrong for score in scores), points),
        "trivial": _share(sum(score.trivial for score in scores), points),
        "repeats": sum(score.repeats for score in scores),
        "unclear": sum(score.unclear for score in scores),
        "off_topic": sum(score.off_topic for score in scores),
        "absent_claimed": sum(len(score.claimed) for score in scores),
        "quoted": _share(sum(score.quoted for score in scores), points),
        "length": _share(sum(score.words for score in scores), sum(score.document_words for score in scores)),
        "seconds": round(sum(summary.seconds for summary in summaries), 2),
        "prompt_tokens": sum(summary.prompt_tokens for summary in summaries),
        "completion_tokens": sum(summary.completion_tokens for summary in summaries),
    }


def _recall(scores: Sequence[Score]) -> dict[str, float]:
    said = sum(len(score.said) for score in scores)
    facts = said + sum(len(score.missed) for score in scores)
    return {"micro": said / max(facts, 1), "macro": statistics.fmean(score.recall for score in scores)}


def _share(part: int, whole: int) -> float | None:
    """A share; a summary without points has none."""
    return part / whole if whole else None


def names() -> list[str]:
    """The names of all documents of the set."""
    return sorted(directory.name for directory in SET.iterdir())


def load(chosen: Iterable[str]) -> list[Example]:
    """Read documents of the set, the shortest first, so that an interrupted evaluation has covered several."""
    return sorted((_example(name) for name in chosen), key=lambda example: len(example.text))


def read(directory: Path) -> list[Example]:
    """Read documents of one's own, the shortest first.

    Args:
        directory: for each document, ``NAME.txt`` and ``NAME.facts.json``: a list of objects with a ``fact``, which is
            any text, and a ``pattern``, a regular expression that a point matches that states it.

    Raises:
        ValueError: there is no document with facts, or facts are not in this form.
    """
    found = [_own(path, path.with_suffix(".facts.json")) for path in sorted(directory.glob("*.txt"))]
    examples = [example for example in found if example]
    if not examples:
        raise ValueError(f"{directory} has no NAME.txt with a NAME.facts.json")
    return sorted(examples, key=lambda example: len(example.text))


def _own(document: Path, facts: Path) -> Example | None:
    if not facts.is_file():
        return None
    try:
        listed = json.loads(facts.read_text("utf-8"))
        found = tuple(Fact(each["fact"], each["fact"], (each["pattern"],)) for each in listed)
        for fact in found:
            re.compile(fact.patterns[0])
    except (ValueError, LookupError, TypeError, re.error) as error:
        raise ValueError(f"{facts} is not a list of objects with a fact and a pattern: {error!r}") from None
    return Example(document.stem, document.stem, "", document.read_text("utf-8"), found)


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
