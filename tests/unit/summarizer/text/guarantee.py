"""Whether a point is its clauses' own words with nothing left out that decides.

This is a second opinion: it knows nothing of how points are made (`compression`), and has lists of its own.
"""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from predictors.summarizer.text.word_lists import word_set

_TOKEN = re.compile(
    r"\d+(?:[.,:]\d+)*|[^\W\d_]+(?:['\u2019][^\W\d_]+)*|[%$\u20ac\u00a3\u00a5\u20b9\u00a7\u00b0+]|[^\w\s]|_|\n"
)
# Words without which a clause may say something else.
_DECISIVE = word_set(
    """no not never none nor neither nothing nobody nowhere cannot without if unless until except excepting excluding
    provided providing subject only solely exclusively when whenever where wherever while whilst whether otherwise
    regardless notwithstanding despite although though but however save may might must shall will would can could should
    ought need needs agree agrees agreed consent consents required requires obliged obligation duty entitled right
    rights responsible liable liability permitted allowed prohibited forbidden banned waive waives waived we us our
    ours you your yours he his she her they their them party parties person persons partner partners
    affiliate affiliates
    advertiser advertisers insurer insurers police court courts government authorities half double twice once percent
    each every all any both some several many few most more less least fewer greater higher lower than maximum minimum
    limit limits limited minute minutes hour hours day days week weeks month months quarter year years daily weekly
    monthly yearly annual annually date deadline midnight immediately promptly before after within during because since
    therefore reason due automatic automatically always free pay pays paid payable fee fees charge charges charged cost
    costs price prices refund refunds refunded one two three four five six seven eight nine ten eleven twelve twenty
    thirty forty fifty sixty seventy eighty ninety hundred thousand million data location health arbitration"""
)
_OPENERS = """
    however|in addition|additionally|furthermore|moreover|accordingly|therefore|consequently|besides|also|finally|lastly
    firstly|secondly|thirdly|of course|naturally|needless to say|in short|in summary|in other words|to be clear
    for clarity|for the avoidance of doubt|to avoid doubt|that said|having said that|as you know|as mentioned
    as mentioned above|as noted|as noted above|unfortunately|for your information|by the way|please note
    please also note|please be aware|please be advised|please be informed|please remember|please bear in mind
    kindly note|note
    it is important to note|it is important to understand|it is important to remember|it should be noted
    you should note|you should be aware|be advised"""
_PHRASES = {
    tuple(phrase.split())
    for line in _OPENERS.strip().splitlines()
    for opener in line.strip().split("|")
    for phrase in (opener, f"{opener} that")
} | {
    ("hereby",), ("as", "the", "case", "may", "be"), ("but", "not", "limited", "to"), ("without", "limitation"),
    ("but", "is", "not", "limited", "to"), ("but", "are", "not", "limited", "to"),
}  # fmt: skip
_LONGEST_PHRASE = max(map(len, _PHRASES))
_MARKERS = ("which", "who", "whose", "such as", "for example", "for instance", "e . g .")
_OPENING, _CLOSING = frozenset("(,\u2013\u2014"), frozenset("),.;\u2013\u2014")
_QUOTES = frozenset('"\u201c\u201d')
_NAMING = word_set(
    """the a an our your this these together collectively individually each jointly hereinafter hereafter herein
    referred to known defined called as also or and"""
)
_REFERRING = word_set(
    """see cf please also the section sections clause clauses paragraph paragraphs part parts article articles schedule
    schedules annex appendix chapter above below hereof \u00a7"""
)
_LABEL = re.compile(
    r"[ \t>#]{0,8}(?:\*\*|__)?(?:[-*+\u2022\u25e6\u25aa\u2013\u2014]|[(\uff08]?"
    r"(?:(?-i:[A-Z]{0,2})\d{1,3}(?:\.\d{1,3}){0,5}|[A-Za-z]"
    r"|[ivxlcIVXLC]{1,7})[.):\uff09]{0,2}"
    r"|(?:article|art\.|section|sec\.|clause|cl\.|paragraph|para\.|part|schedule|annex|appendix|chapter|\u00a7)\s{0,3}"
    r"(?:\d{1,3}(?:\.\d{1,3}){0,5}|[A-Z]|[IVXLC]{1,7}))[.:)]?(?:\*\*|__)?(?:\s{1,4}[\u2013\u2014:-])?(?=\s|\Z)",
    re.IGNORECASE,
)
_INNER_LABEL = re.compile(r"(?<=[:;.])\s[(](?:\d{1,2}|[a-z]|[ivxl]{1,5})[)](?=\s)")
_LONGEST_ASIDE = 60  # tokens


class _Token(NamedTuple):
    text: str
    start: int

    @property
    def is_word(self) -> bool:
        return self.text[0].isalnum() or self.text in "%$\u20ac\u00a3\u00a5\u20b9\u00a7\u00b0+"


def is_compression(text: str, cited_texts: Sequence[str]) -> bool:
    """Whether a point is made of cited words, in their order, and what it leaves out decides nothing.

    Left out may be: labels; openers such as "Please note that"; formal words such as "hereby"; brackets that only
    define a name or refer to a clause; an "and" at the end; relative clauses and examples between commas, dashes or
    brackets, in which there is no negation, condition, exception, party, number, unit, time, modal verb,
    reason or payment.

    Args:
        text: the point.
        cited_texts: what it cites, in order.
    """
    source = "\n".join(cited_texts)
    words = _words(text)
    tokens = [_Token(match.group(), match.start()) for match in _TOKEN.finditer(source)]
    ends = _ends(source, tokens)
    reached: list[set[int]] = [set() for _ in range(len(tokens) + 1)]
    reached[0].add(0)
    for place, token in enumerate(tokens):
        for done in reached[place]:
            if not token.is_word:
                reached[place + 1].add(done)
            elif done < len(words) and _is_same(token.text, *words[done]):
                reached[place + 1].add(done + 1)
            for end in ends[place]:
                reached[end].add(done)
    return len(words) in reached[len(tokens)]


def _words(text: str) -> list[tuple[str, bool]]:
    """The words of a point, each with whether it begins a sentence."""
    found, begins = [], True
    for match in _TOKEN.finditer(text):
        token = _Token(match.group(), match.start())
        if token.is_word:
            found.append((token.text, begins))
            begins = False
        elif token.text in ".!?:":
            begins = True
    return found


def _is_same(theirs: str, ours: str, begins: bool) -> bool:
    return theirs == ours or (begins and theirs[:1].upper() + theirs[1:] == ours)


def _ends(source: str, tokens: Sequence[_Token]) -> list[list[int]]:
    """For each token, where what may be left out from there on ends."""
    ends: list[list[int]] = [[] for _ in tokens]
    for place, end in (*_labels(source, tokens), *_phrases(tokens), *_asides(tokens), *_brackets(tokens)):
        ends[place].append(end)
    last = max((place for place, token in enumerate(tokens) if token.is_word), default=-1)
    if last >= 0 and tokens[last].text.lower() in ("and", "or"):
        ends[last].append(last + 1)
    return ends


def _labels(source: str, tokens: Sequence[_Token]) -> Iterator[tuple[int, int]]:
    places = {token.start: place for place, token in enumerate(tokens)}
    lines = (match.end() for match in re.finditer(r"^", source, re.MULTILINE))
    found = [*(_LABEL.match(source, start) for start in lines), *_INNER_LABEL.finditer(source)]
    for label in found:
        inside = [places[start] for start in range(label.start(), label.end()) if start in places] if label else []
        if inside:
            yield inside[0], inside[-1] + 1


def _phrases(tokens: Sequence[_Token]) -> Iterator[tuple[int, int]]:
    for place in range(len(tokens)):
        words: list[str] = []
        for end in range(place, min(place + _LONGEST_PHRASE, len(tokens))):
            if not tokens[end].is_word:
                break
            words.append(tokens[end].text.lower())
            if tuple(words) in _PHRASES:
                yield place, end + 1


def _asides(tokens: Sequence[_Token]) -> Iterator[tuple[int, int]]:
    """Relative clauses and examples between marks, in which nothing decides."""
    for place in range(1, len(tokens)):
        opening = " ".join(token.text.lower() for token in tokens[place : place + 4])
        if tokens[place - 1].text not in _OPENING or not opening.startswith(_MARKERS):
            continue
        for end in range(place, min(place + _LONGEST_ASIDE, len(tokens) + 1)):
            if end == len(tokens) or tokens[end].text in _CLOSING:
                yield place, end
            if end < len(tokens) and _decides(tokens[end].text):
                break


def _decides(word: str) -> bool:
    lower = word.lower()
    sign = not word[0].isalpha() and _Token(word, 0).is_word
    return sign or lower in _DECISIVE or lower.endswith(("n't", "n\u2019t")) or word[0].isupper()


def _brackets(tokens: Sequence[_Token]) -> Iterator[tuple[int, int]]:
    """Brackets that define a name, or refer to a clause."""
    for place, token in enumerate(tokens):
        if token.text != "(":
            continue
        end = next((i for i in range(place, min(place + _LONGEST_ASIDE, len(tokens))) if tokens[i].text == ")"), 0)
        inside = tokens[place + 1 : end]
        if end and (_defines(inside) or _refers(inside)):
            yield place, end + 1


def _defines(inside: Sequence[_Token]) -> bool:
    quotes = [i for i, token in enumerate(inside) if token.text in _QUOTES]
    if not quotes or len(quotes) % 2:
        return False
    outside = [token for i, token in enumerate(inside) if token.is_word and sum(quote < i for quote in quotes) % 2 == 0]
    return all(token.text.lower() in _NAMING for token in outside)


def _refers(inside: Sequence[_Token]) -> bool:
    words = [token.text.lower() for token in inside if token.is_word]
    return any(word in ("see", "cf") for word in words[:2]) and all(
        word in _REFERRING or word[0].isdecimal() for word in words
    )
