"""What a summary is worth, judged by rules about words. It shares no code with the summarizer's own support score.

A bullet is one line of a summary. Only its first 60 words are judged, so that quoting the whole document does not win.

**Recall** is the share of the facts that at least one bullet states. A fact counts once, however many bullets state it.

A bullet is **unsupported** if one of these holds:

- It says something that the document is known not to say (an *absent* fact).
- It has a number that the document does not have. Numbers may be digits or words: "thirty" is 30, "€4.99" is 4.99 and
  "1,000" is 1000. Durations may be converted (a year to months or days, a fortnight to weeks or days, a week to days, a
  day to hours). 0 and 1 have too many other names ("no", "the") and are ignored, and so are the labels of clauses.
- No three consecutive sentences of the document contain at least half of its content words. Words are compared by
  stem, and those in a short list of synonyms are equal. Function words, numbers, the contract's parties and phrases
  such as "the document says" do not count. A bullet without content words says nothing, and is unsupported.
- It repeats: it is word for word an earlier bullet of its summary, or contains the same four words three times.

This is lexical, not a human judgement. It does not notice a reversed negation, a correct number in the wrong place, or
something invented about what the document does mention: "no refund for disabled bays" passes where there are such
bays. A paraphrase in different words may be taken for unsupported, and a fact counts as stated if its key words are
there, whatever else the bullet says. On this set, every fact in its author's paraphrase is judged supported; so is one
in eleven of the facts of other documents; and without their patterns, 39 of the 56 absent facts would be. So a rate of
0% does not mean that every bullet is true; strategies are compared under the same rules.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

from tests.eval import Claim, Example, Score

MOST_WORDS = 60
WINDOW_SENTENCES = 3
LEAST_SHARE = 0.5
PHRASE_WORDS = 4
MOST_PHRASES = 2
REPEATS = "it repeats"

_SENTENCE_END = re.compile(r"(?:(?<=[.!?])|(?<=[.!?][\"'”’)\]]))\s+(?=[\"'“‘(\[]?[A-Z0-9€£$])|\n+")
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_CONTRACTED = re.compile(r"n['’]t$|['’].*")
# "4.1 ", "14. " and "3) " where a line begins, and "clause 4.1" anywhere: labels, not amounts.
_LABEL = re.compile(r"^\s*\d+(?:[.)]|(?:\.\d+)+)\s|\b(?:article|clause|part|section)s?\s+\d+(?:\.\d+)*", re.I | re.M)

_DIGITS = r"(?<![^\W\d_])(?<!\d)\d+(?:[,\u00a0\u2009\u202f]\d{3})*(?:[.,]\d+)?"
_NUMBER_OR_WORD = re.compile(rf"{_DIGITS}|[^\W\d_]+")
_UNITS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
)
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
_SMALL = {word: i for i, word in enumerate(_UNITS.split())} | {word: 10 * i for i, word in enumerate(_TENS.split(), 2)}
_SCALES = {"hundred": 100, "thousand": 1000, "million": 1_000_000}
_ORDINALS = (
    {f"{word}th": word for word in _UNITS.split()}
    | {f"{word[:-1]}ieth": word for word in _TENS.split()}
    | {"third": "three", "fifth": "five", "eighth": "eight", "ninth": "nine", "twelfth": "twelve"}
)
# One of the first unit is this many of the second.
_CONVERSIONS = (
    ("year", "month", 12),
    ("year", "day", 365),
    ("fortnight", "week", 2),
    ("fortnight", "day", 14),
    ("week", "day", 7),
    ("day", "hour", 24),
)

_ENDINGS = (
    "ations ation ating ated ates ate ements ement ments ment ities ity ings ing ions ion als al ers er ors or ies ied "
    "ed es s ly"
)
_LEAST_STEM = 3
# Function words, then what a summary calls the document and its parties.
_STOP_WORDS = """
    a about after all also although an and any are as at be because been before being both but by ca can cannot could did
    do does doing either else even every everyone for from get had has have having he her his how however i if in
    into is it its itself just may me might more most must my need neither no nor not of off on once one only or other
    otherwise our ours out over own per she should since so some such than that the their them then there these they
    this those through to too under until up upon us very was we were what when where whether which while who whom
    whose why will with within without wo would yes yet you your yours yourself

    agreement clause company condition consumer contract customer document party policy provider reader say section
    service state summary term user
"""
# One group a line.
_SYNONYMS = """
    pay paid payment cost charge fee price surcharge bill
    cancel terminate end stop
    delete erase remove
    share disclose disclosure pass transfer give given hand
    keep kept retain retention hold held store
    refund reimburse return repay
    tell told notify notification notice inform
    data information detail
    buy bought purchase
    lose lost loss forfeit
    refuse refusal reject deny decline
    car vehicle
    damage harm
    liable liability responsible responsibility
    change alter amend modify
    renew prolong extend extension
    year annual
    allow permit permission
    sell sold sale
    rent lease let
    use used using
"""


def score(bullets: list[str], example: Example) -> Score:
    """Judge a summary of a document of the set."""
    said = stated(example.facts, bullets)
    missed = [fact.id for fact in example.facts if fact.id not in said]
    reasons = [unsupported(each, example.text, example.absent, bullets[:i]) for i, each in enumerate(bullets)]
    cut = sum(len(bullet.split()) > MOST_WORDS for bullet in bullets)
    claimed = stated(example.absent, bullets)
    return Score(recall(bullets, example.facts), said, missed, claimed, reasons, reasons.count(REPEATS), cut)


def stated(claims: Iterable[Claim], bullets: Iterable[str]) -> list[str]:
    """The ids of the claims that at least one bullet makes."""
    lines = [_judged(bullet) for bullet in bullets]
    return [claim.id for claim in claims if any(claim.is_in(line) for line in lines)]


def recall(bullets: Iterable[str], facts: Sequence[Claim]) -> float:
    """The share of the facts that at least one bullet states."""
    return len(stated(facts, bullets)) / len(facts)


def unsupported(bullet: str, document: str, absent: Iterable[Claim], earlier: Sequence[str] = ()) -> str:
    """Why a bullet is unsupported, empty if it is not.

    Args:
        bullet: the bullet.
        document: the document that it summarizes.
        absent: what the document does not say.
        earlier: the bullets before it in its summary.
    """
    line = _judged(bullet)
    if claimed := stated(absent, [line]):
        return f"the document does not say {claimed[0]}"
    if unknown := numbers(line) - _document_numbers(document):
        return f"the document has no number {min(unknown):g}"
    if repeats(line, [_judged(each) for each in earlier]):
        return REPEATS
    words = content_words(line)
    if not words:
        return "it says nothing"
    best = max(len(words & window) for window in _windows(document))
    if best < LEAST_SHARE * len(words):
        return f"no passage has more than {best} of its {len(words)} content words"
    return ""


def repeats(bullet: str, earlier: Iterable[str]) -> bool:
    """Whether a bullet is the same as an earlier one, or says one phrase over and over."""
    words = _words(bullet)
    phrases = Counter(zip(*(words[start:] for start in range(PHRASE_WORDS)), strict=False))
    return any(words == _words(each) for each in earlier) or max(phrases.values(), default=0) > MOST_PHRASES


def sentences(text: str) -> list[str]:
    """The sentences and headings of a text; an abbreviation before a capital letter ends a sentence, too."""
    return [sentence.strip() for sentence in _SENTENCE_END.split(text) if sentence.strip()]


def content_words(text: str) -> frozenset[str]:
    """Stems of the words that carry meaning; a synonym becomes the first of its group."""
    stems = (_stem(word) for word in _words(text) if word not in _SMALL and word not in _SCALES)
    return frozenset(_CANONICAL.get(stem, stem) for stem in stems if stem not in _STOP_STEMS)


def numbers(text: str) -> set[float]:
    """The numbers in a text, in digits and in words, without 0 and 1."""
    return {value for value, _ in _quantities(text)} - {0, 1}


def _judged(bullet: str) -> str:
    return " ".join(bullet.split()[:MOST_WORDS])


def _words(text: str) -> list[str]:
    return [_CONTRACTED.sub("", word.lower()) for word in _WORD.findall(text)]


@lru_cache
def _windows(document: str) -> tuple[frozenset[str], ...]:
    each = [content_words(sentence) for sentence in sentences(document)]
    starts = range(max(1, len(each) - WINDOW_SENTENCES + 1))
    return tuple(frozenset().union(*each[start : start + WINDOW_SENTENCES]) for start in starts)


@lru_cache
def _document_numbers(document: str) -> set[float]:
    words = re.sub(r"[a-z]+", lambda match: _ORDINALS.get(match[0], match[0]), document.lower())
    found: set[float] = set()
    for value, unit in _quantities(words):
        found.add(value)
        for longer, shorter, count in _CONVERSIONS:
            if unit == longer:
                found.add(value * count)
            elif unit == shorter:
                found.add(value / count)
    return found


def _stem(word: str) -> str:
    """A word without its ending, so that "cancels", "cancelled" and "cancellation" are the same."""
    endings = [end for end in _ENDINGS.split() if word.endswith(end) and len(word) - len(end) >= _LEAST_STEM]
    stem = word.removesuffix(max(endings, key=len, default=""))
    stem = stem.rstrip("eiy") if len(stem.rstrip("eiy")) > 1 else stem
    return stem[:-1] if len(stem) > _LEAST_STEM and stem[-1] == stem[-2] else stem


_STOP_STEMS = frozenset(map(_stem, _STOP_WORDS.split()))
_CANONICAL = {
    _stem(word): _stem(group.split()[0]) for group in _SYNONYMS.strip().splitlines() for word in group.split()
}


def _quantities(text: str) -> Iterator[tuple[float, str]]:
    """Numbers, each with the word after it, in the singular."""
    tokens = [token.lower() for token in _NUMBER_OR_WORD.findall(_LABEL.sub(" ", text))] + [""]
    place = 0
    while place < len(tokens):
        value, end = _number(tokens, place)
        if end > place:
            yield value, tokens[end].removesuffix("s")
        place = max(end, place + 1)


def _number(tokens: Sequence[str], start: int) -> tuple[float, int]:
    """The number that starts at a token, and where it ends: where it starts if there is none."""
    total = part = 0.0
    place = start
    while True:
        token = tokens[place]
        addend = _addend(tokens, place, start, part)
        if addend is not None:
            part += addend
        elif token == "hundred":
            part = max(part, 1) * 100
        elif token in _SCALES:
            total, part = total + max(part, 1) * _SCALES[token], 0
        elif place == start or not _joins(tokens, place):
            return total + part, place
        place += 1


def _addend(tokens: Sequence[str], place: int, start: int, part: float) -> float | None:
    """What a token adds to the number that starts at ``start``: digits or the "a" of "a hundred", then words."""
    token = tokens[place]
    if place == start and token[:1].isdigit():
        return _digits(token)
    if place == start and token in ("a", "an"):
        return 1.0
    after_digits = place > start and tokens[place - 1][:1].isdigit()
    return _SMALL[token] if token in _SMALL and not after_digits and _goes_on(part, _SMALL[token]) else None


def _joins(tokens: Sequence[str], place: int) -> bool:
    """Whether it is the "and" of "two hundred and five"."""
    return tokens[place] == "and" and tokens[place - 1] in _SCALES and tokens[place + 1] in _SMALL


def _goes_on(part: float, small: int) -> bool:
    """Whether "five" goes on after "twenty" or "two hundred", as it does not after "three"."""
    return part % 100 == 0 or (part % 100 >= 20 and part % 10 == 0 and 0 < small < 10)


def _digits(token: str) -> float:
    """ "1,000" is 1000; "4,99" is 4.99, as "4.99" is."""
    return float(re.sub(r"[,\u00a0\u2009\u202f](?=\d{3})", "", token).replace(",", "."))
