"""Sentences made shorter by leaving words out, and in no other way.

*Fillers* are always left out: words of closed classes that never decide anything, such as "Please note that" or
'(the "Service")'. *Optional* spans are parentheses, relative clauses and lists of examples that the grammar delimits,
and in which nothing decides (`sensitive.decides`); a model chooses among them. Everything else stays, word for word. So
whatever a model answers, the result says nothing that the sentence does not say.
"""

# ruff: noqa: RUF001  # the patterns hold typographic marks

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from predictors.summarizer.text.sensitive import decides
from predictors.summarizer.text.words import content_words

# An optional span is left out if the model's answer lacks more than this share of its content words.
_MOST_KEPT = 0.5

_OPENERS = (
    "however|in addition|additionally|furthermore|moreover|accordingly|therefore|consequently|besides|also|finally"
    "|lastly|firstly|secondly|thirdly|of course|naturally|needless to say|in short|in summary|in other words"
    "|to be clear|for clarity|for the avoidance of doubt|to avoid doubt|that said|having said that|as you know"
    "|as mentioned(?: above)?|as noted(?: above)?|unfortunately|for your information|by the way"
)
_ADDRESSES = (
    r"(?:please|kindly) (?:also )?(?:note|be aware|be advised|be informed|remember|bear in mind)|(?:please )?note"
    r"|it is important to (?:note|understand|remember)|it should be noted|you should (?:note|be aware)|be advised"
)
_OPENER = re.compile(rf"\A(?:(?:(?:{_OPENERS}),|(?:{_ADDRESSES})(?: that\b|:|,(?: that\b)?))\s+){{1,3}}", re.IGNORECASE)
_TERM = r"(?:(?:the|an?|our|your|this|these)\s)?[\"“”][^\"“”()\n]{1,40}[\"“”]"
_CALLED = (
    r"(?:(?:together|collectively|individually|each|jointly|hereinafter|hereafter|herein|referred to|known|defined"
    r"|called|as|also|or|and|the|an?),?\s){0,6}"
)
_DEFINITION = re.compile(rf"\s?\({_CALLED}{_TERM}(?:(?:,|,? and|,? or)\s{_CALLED}{_TERM}){{0,5}}\)", re.IGNORECASE)
_PART = "(?:section|clause|paragraph|part|article|schedule|annex|appendix|chapter|§)"
_REFERENCE = re.compile(
    rf"\s?\((?:please )?(?:see|cf\.?)(?: also)? (?:the )?{_PART}s? ?\d{{0,3}}(?:\.\d{{1,3}}){{0,3}}"
    r"(?: (?:above|below|hereof))?\)",
    re.IGNORECASE,
)
_FORMAL = re.compile(
    r"\shereby(?=\s)|,?\s(?:as the case may be|for the avoidance of doubt)(?:,(?=\s)|(?=[.;]))"
    r"|(?<=including),? (?:but not limited to|without limitation),?(?=\s)|(?<=include), without limitation,(?=\s)"
    r"|(?<=include),? (?:but (?:is|are) not limited to)(?=\s)",
    re.IGNORECASE,
)
_FILLERS = (_DEFINITION, _REFERENCE, _FORMAL)

# What follows a relative clause or an apposition within a sentence: its verb.
_VERB = r"(?=\s(?:is|are|was|were|has|have|had|do|does|did|may|can|must|shall|will|would|should|could|need|needs)\b)"
_END = r"(?=[.;]\s{0,3}\Z|\Z)"
_ITEM = r"(?:[^\W\d_][\w’'-]{0,20}\s){0,3}[^\W\d_][\w’'-]{0,20}"
_LIST = rf"{_ITEM}(?:,\s{_ITEM}){{0,7}}(?:,?\s(?:and|or)\s{_ITEM})?"
_EXAMPLE = r"(?:such as|for example|for instance|e\.g\.),?"
_RELATIVE = "(?:which|who|whose)"
_OPTIONAL = (
    re.compile(rf"\s\((?P<inner>(?:{_EXAMPLE}|{_RELATIVE})\s[^()\n]{{3,200}})\)"),
    re.compile(rf"\s[–—]\s(?P<inner>(?:{_EXAMPLE}|{_RELATIVE})\s[^–—.;:!?()\n]{{3,160}})\s[–—](?=\s)"),
    re.compile(rf",\s(?P<inner>{_RELATIVE}\s[^,;:.!?()–—\n]{{3,140}})(?:,{_VERB}|{_END})"),
    re.compile(rf",\s(?P<inner>{_EXAMPLE}\s{_LIST})(?:,{_VERB}|{_END})"),
)
# "Any person, who …" is about those persons alone, so nothing that follows one of these words closely is an aside.
_ANY = re.compile(
    r"\b(?:any|anyone|each|every|everyone|all|those|no|some|an?)\s(?:\S{1,30}\s){0,8}\S{0,30}\Z", re.IGNORECASE
)
_REACH = 120
_SPACES = re.compile(r"\s{2,}")
_STRAY = re.compile(r"\s+(?=[,.;:!?])")
_LEADS = re.compile(rf"\A(?:{_EXAMPLE}|{_RELATIVE})\s", re.IGNORECASE)


class Span(NamedTuple):
    """Characters ``[start, end)`` of a sentence."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence, and what can be left out of it.

    Args:
        text: all of it, on one line.
        fillers: what is always left out, in order.
        optional: what may be left out, in order.
    """

    text: str
    fillers: tuple[Span, ...]
    optional: tuple[Span, ...]

    def without(self, left_out: Sequence[Span] = ()) -> str:
        """The sentence without its fillers and without some optional spans."""
        return _render(self.text, [*self.fillers, *left_out])

    def choice(self, answer: str) -> list[Span]:
        """The optional spans that a model's version of the sentence leaves out: it lacks most of their content."""
        known = set(content_words(answer))
        return [span for span in self.optional if known and self._is_missing(span, known)]

    def _is_missing(self, span: Span, known: set[str]) -> bool:
        words = set(content_words(self.text[span.start : span.end]))
        return len(words & known) <= _MOST_KEPT * len(words)


def analyse(text: str) -> Sentence:
    """Find what can be left out of a sentence.

    Args:
        text: one line, without a label.
    """
    fillers = _fillers(text)
    found = (
        Span(match.start(), match.end())
        for pattern in _OPTIONAL
        for match in pattern.finditer(text)
        if not decides(_LEADS.sub("", match["inner"])) and not _restricts(text, match)
    )
    return Sentence(text, tuple(fillers), tuple(_apart(sorted(found), fillers)))


def _restricts(text: str, match: re.Match[str]) -> bool:
    """Whether a relative clause may say which ones are meant."""
    return re.match(_RELATIVE, match["inner"]) is not None and bool(
        _ANY.search(text, max(0, match.start() - _REACH), match.start())
    )


def _fillers(text: str) -> list[Span]:
    found = [Span(match.start(), match.end()) for pattern in _FILLERS for match in pattern.finditer(text)]
    opener = _OPENER.match(text)
    if opener and opener.end() < len(text):
        found.append(Span(0, opener.end()))
    return _apart(sorted(found), [])


def _apart(spans: Sequence[Span], others: Sequence[Span]) -> list[Span]:
    """The spans that overlap neither an earlier one nor one of the others."""
    kept: list[Span] = []
    for span in spans:
        if all(span.end <= other.start or other.end <= span.start for other in (*kept, *others)):
            kept.append(span)
    return kept


def _render(text: str, left_out: Sequence[Span]) -> str:
    if not left_out:
        return text
    parts, position = [], 0
    for span in sorted(left_out):
        parts.append(text[position : span.start])
        position = span.end
    rest = _STRAY.sub("", _SPACES.sub(" ", "".join([*parts, text[position:]]))).strip()
    return rest[:1].upper() + rest[1:] if text[:1].isupper() else rest
