"""Where sentences start.

A full stop may end a sentence, or belong to a label, an abbreviation or an ordinal; the text on both sides of it
decides. Every repetition in a pattern is bounded, or the last, or possessive, so that no text takes long.
"""

# ruff: noqa: RUF001  # the patterns hold the punctuation of many scripts

import re
from collections.abc import Iterator

from predictors.summarizer.text.labels import LABEL

_CLOSING, _FULL = "[\"'”’»›)\\]）」』】》*_`]", "[。！？｡।॥։።။۔]"
_STOP = re.compile(
    rf"(?<![.!?…؟])(?P<stops>[.!?…؟]++)(?:{_CLOSING}|[“‘])*+(?=\s|\Z)"
    # A quoted sentence before a particle is part of another sentence: 「はい。」と答える。
    rf"|(?<!{_FULL})(?P<full>{_FULL}++(?:{_CLOSING}++(?![とのがをはにもでやな、]))?+(?!{_CLOSING}))"
)
# The end of a sentence or of an introduction.
COMPLETE = re.compile(rf"(?:[.!?…؟:：]|{_FULL})(?:{_CLOSING}|[“‘]){{0,8}}\Z")
_NEXT = re.compile(r"(?=\S)(?P<opening>[\"'“”„«»‹›‘’(\[（「『¿¡*_]{0,8})(?P<word>\w{1,24}|[^\w\s]?)")
_LAST_WORD = re.compile(r"(?<![\w.])(?:(?:[^\W\d_]\.[ \u00a0\u202f]?){1,4}[^\W\d_]{1,2}|[^\W_]{1,16})\Z")
_ABBREVIATION = re.compile(
    r"(?P<numbered>(?i:nos?|nrn?|arts?|sec[st]?|paras?|cl|ch|pp?|pg|figs?|vol|abs|ziff|kap|lit|rn|tz|núm|pág|ver"
    r"|jan|feb|mar|apr|jun|jul|aug|sept?|o[ck]t|nov|de[cz]))"
    r"|(?P<inner>(?i:vs|cf|viz|mrs?|ms|dr|prof|hon|rev|gen|st|approx|ca|bzw|evtl|ggf|gem|zzgl|in[ck]l|excl|sog|vgl|insb"
    r"|bspw|m[ml]e|sra)|(?![ap]\.m\Z)[a-z]\..*)"
    r"|(?P<final>(?i:inc|ltd|corp|co|llc|plc|bros|etc|usw|[js]r|dept|est|tel|max|min|ave|blvd|rd|str|hr|fr|al)|\w(?:\..*)?)"
)
_ORDINAL = re.compile(r"\b(?i:der|die|das|den|dem|des|im|am|zum|vom|beim|jede[mnrs])\s\d{1,2}\Z")
_MONTH = re.compile(r"J[aä]n+er|Januar|Februar|März|April|Mai|Ju[nl]i|August|(?:Septem|Okto|Novem|Dezem)ber")
# After "Acme Inc.", these words with a capital letter start a sentence.
_OPENER = re.compile(
    r"(?i:th(?:e|is|ese|ose|at|ere|ey|eir)|we|you|your|our|its?|if|in|for|when|where|while|any|all|by|to|as|at|on|not?"
    r"|such|each|however|s?he|an?|please|unless|until|upon|after|before|once|under|with|without|from|some|n?either|both"
    r"|but|and|or|because|since|during|except|only|what|who|how|why|de[rmn]|die|das|wir|sie|ihre?|unsere?|es|wenn|falls"
    r"|bei|für|im|eine?|diese?|diese[rs]|sofern|nach|zu[mr]|auf|mit|ohne|keine?|jede|jeder|alle|l[ea]s?|nous|vous|cet?"
    r"|cette|ces|si|en|pour|il|elle|une?|vos|votre|notre|el|los|para)"
)

_LOOK_BACK = 20  # characters before a full stop that are considered


def sentence_starts(text: str, start: int, end: int) -> Iterator[int]:
    """Find the sentences in a part of a document.

    Args:
        text: the document.
        start, end: characters ``[start, end)`` of one paragraph or item, without white space around it.

    Yields:
        ``start``, then the start of each further sentence.
    """
    yield start
    for stop in _STOP.finditer(text, start, end):
        following = _NEXT.search(text, stop.end(), end)
        if following and (stop["full"] or _ends_sentence(text, start, stop, following)):
            start = following.start()
            yield start


def _ends_sentence(text: str, start: int, stop: re.Match[str], following: re.Match[str]) -> bool:
    word = following["word"]
    small = word.islower() and word[0].islower()  # "eBay" and "iPhones" may open a sentence
    if small or word in {",", ";", ":", "&", "/", ")", "…"}:
        return False
    label = LABEL.match(text, start)
    if label and label.end() >= stop.end():
        return False
    return stop["stops"] != "." or not _abbreviates(text, start, stop.start(), following)


def _abbreviates(text: str, start: int, dot: int, following: re.Match[str]) -> bool:
    """Whether the full stop belongs to an abbreviation or an ordinal and does not end the sentence as well."""
    low = max(start, dot - _LOOK_BACK)
    last = _LAST_WORD.search(text, low, dot)
    if last is None:
        return False
    after = following["word"]
    opens = "(" not in following["opening"] and _OPENER.fullmatch(after) is not None
    if last.group().isdecimal():
        after_article = _ORDINAL.search(text, low, dot) is not None and not opens
        return len(last.group()) <= 2 and (after_article or _MONTH.fullmatch(after) is not None)
    return _is_abbreviation(last.group(), after, opens)


def _is_abbreviation(word: str, after: str, opens: bool) -> bool:
    kind = _ABBREVIATION.fullmatch(word)
    if kind is None:
        return False
    if kind["numbered"]:
        return after[:1].isdecimal() or not after.strip("IVXLC")
    return kind["inner"] is not None or not opens
