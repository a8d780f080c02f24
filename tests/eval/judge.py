"""What a summary is worth, by rules about words. It shares no code with the summarizer's own checks.

A point is **wrong** if the words that it cites do not say it:

- *Its words are the cited words, in their order* (a quotation, or one with something left out): it is wrong if what is
  left out decides: a negation, condition, exception, party, number, unit, modal verb, limit ("at least", "only") or
  reason, or more than three words in the middle of a part of the sentence. An item of a list is wrong without its
  lead-in's "must not" or "if".
- *It is in other words*: it is wrong if it has a content word that the cited words have not (in no form and by no
  synonym of a short list), or says one more often than they do; if a number is missing, has another unit or measures
  something else; if it denies more, less or something else; if what may be done must be done; if a condition,
  exception, deadline or reason is missing or invented; if somebody else does it, gets it or has it.
- It says something that the document is known not to say (an *absent* fact).

A point without citations is judged by the passage of up to three sentences that is closest.

**Recall** is the share of the facts that a point states *that is right*. A fact is recognized by patterns.

Also counted: *trivial* points (headings, labels, pleasantries, boilerplate, what is of no consequence; not if they
state a fact), *repeated* ones, *unclear* ones ("It costs …"), points under a *topic* that neither they nor the words
above them mention, the share of points that are *quotations*, and the *length* of the summary as a share of the
document's. *Absent said* counts absent facts that a point or the sentence above it says.

The rules are strict: a free paraphrase in different words counts as wrong even if it is true. How often they err is
known from labelled pairs and from sentences distorted by rule; see the end of this page. They know little grammar: an
adjective that is moved, or a verb replaced by a synonym where it means something else, is not noticed.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache

from tests.eval import Claim, Example, Point, Score, Summary
from tests.eval.context import holds, lead_in, passages
from tests.eval.language import NEGATIONS, normal, tokens
from tests.eval.noise import duplicates, is_off_topic, is_trivial, is_unclear
from tests.eval.omission import decides, stands_in, words
from tests.eval.rewording import distortion
from tests.eval.statements import is_content
from tests.eval.terms import term

_ABOVE = 300  # characters above a point that may name its topic
_CLOSEST = 6  # passages that a point without citations is compared with


def score(summary: Summary, example: Example) -> Score:
    """Judge a summary of a document."""
    points = summary.points
    faults = [wrong(point, example.text, example.absent) for point in points]
    right = [point.text for point, fault in zip(points, faults, strict=True) if not fault]
    said = stated(example.facts, right)
    is_fact = [bool(stated(example.facts, [point.text])) for point in points]
    quoted = [is_quotation(point.text, cited_words(point, example.text) or example.text) for point in points]
    return Score(
        said=said,
        missed=[fact.id for fact in example.facts if fact.id not in said],
        claimed=stated(example.absent, [line for point in points for line in (point.text, _affirmed(point.gloss))]),
        faults=faults,
        trivial=sum(is_trivial(point.text) and not fact for point, fact in zip(points, is_fact, strict=True)),
        repeats=sum(duplicates([point.text for point in points])),
        unclear=sum(is_unclear(point.text) for point in points),
        off_topic=sum(is_off_topic(point.topic, _around(point, example.text)) for point in points),
        quoted=sum(quoted),
        words=sum(len(point.text.split()) for point in points),
        document_words=len(example.text.split()),
    )


def stated(claims: Iterable[Claim], texts: Iterable[str]) -> list[str]:
    """The ids of the claims that at least one text makes."""
    lines = [normal(text) for text in texts]
    return [claim.id for claim in claims if any(claim.is_in(line) for line in lines)]


def wrong(point: Point, document: str, absent: Iterable[Claim] = ()) -> str:
    """Why a point is wrong; empty if it is right.

    Args:
        point: the point.
        document: the document that it summarizes.
        absent: what the document does not say.
    """
    if claimed := stated(absent, [point.text]):
        return f"the document does not say {claimed[0]}"
    if not words(point.text):
        return "it says nothing"
    if not point.cited:
        faults = [unsupported(point.text, passage) for passage in _closest(point.text, document)]
        return "" if "" in faults else next(iter(faults), "no passage is about it")
    return unsupported(point.text, cited_words(point, document)) or _without_lead_in(point, document)


def unsupported(text: str, cited: str) -> str:
    """Why words do not say what a point says; empty if they do."""
    return decides(text, cited) if stands_in(text, cited) else distortion(text, cited)


def cited_words(point: Point, document: str) -> str:
    """The words of a document that a point cites, a line for each place."""
    return "\n".join(document[start:end] for start, end in point.cited)


def _affirmed(gloss: str) -> str:
    """A gloss, unless it denies something: patterns do not tell "no money back" from "money back"."""
    return "" if NEGATIONS & {*tokens(gloss)} else gloss


def _around(point: Point, document: str) -> str:
    """The cited words with what is above them, which often names the subject."""
    start = min((start for start, _ in point.cited), default=0)
    return document[max(start - _ABOVE, 0) : start] + cited_words(point, document)


def is_quotation(text: str, cited: str) -> bool:
    """Whether a point is cited words as they stand."""
    mine, theirs = words(text), words(cited)
    return bool(mine) and any(theirs[at : at + len(mine)] == mine for at in range(len(theirs) - len(mine) + 1))


def _without_lead_in(point: Point, document: str) -> str:
    for start, _ in point.cited:
        introduction = lead_in(document, start)
        if introduction and not holds(point.text, introduction):
            return f"it is an item of “{introduction[-60:].strip()}”"
    return ""


def _closest(text: str, document: str) -> Sequence[str]:
    """The passages that have most of a text's content words, the shortest first."""
    mine = _terms(text)
    ranked = sorted(passages(document), key=lambda passage: (-len(mine & _terms(passage)), len(passage)))
    return [passage for passage in ranked[:_CLOSEST] if mine & _terms(passage)]


@lru_cache(maxsize=50_000)
def _terms(text: str) -> frozenset[str]:
    return frozenset(term(word) for word in tokens(text) if is_content(word))
