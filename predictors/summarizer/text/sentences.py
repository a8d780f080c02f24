"""Where sentences start: which of the marks that may end one do.

A full stop may also belong to a label, an abbreviation or an ordinal; what stands on both sides of it tells. A
repetition in a pattern is bounded, or the last, or possessive, so that no text takes long.
"""

# ruff: noqa: RUF001  # the patterns hold the punctuation of many scripts

import re
from collections.abc import Iterator

_PARTS = (
    "article|section|clause|chapter|part|schedule|annex|appendix|exhibit|artikel|abschnitt|kapitel|teil|anlage|anhang"
    "|ziffer|titre|chapitre|annexe|partie|artículo|sección|cláusula|capítulo|anexo|articolo|sezione|allegato|artigo"
)
# What stands in front of an item, a heading or a numbered clause.
LABEL = re.compile(
    r"(?:(?P<item>(?P<bullet>[-*+](?:\s|\Z)|[•◦▪‣·●○■□✓①-⑳|])|[–—](?:\s|\Z)"
    r"|[(（](?:\d{1,3}|[A-Za-z]{1,2}|[ivxl]{1,6})[)）]|(?:\d{1,3}|[A-Za-z]|[ivxl]{1,6})\)(?=\s|\Z)"
    r"|(?:[a-z]|[ivxl]{2,6})\.(?=\s|\Z))|(?:\*\*|__)?(?:"
    r"(?:[A-Z]?\d{1,3}(?:\.\d{1,3}){1,5}\.?|(?:\d{1,3}|[IVXLC]{1,7}|[A-Z])[.:])(?=\s|\Z|[\u2e80-\ua4cf])"
    r"|\d{1,3}(?:．\d{1,3}){0,5}．(?!\d)|[一二三四五六七八九十]{1,3}、"
    rf"|(?P<part>(?i:{_PARTS})\s{{1,3}}(?:\d{{1,3}}(?:\.\d{{1,3}}){{0,5}}[a-z]?|[IVXLC]{{1,7}}|[A-Z])(?!\w)[.:)]?"
    r"|§{1,2}\s{0,2}\d{1,4}[a-z]?(?!\w)(?:\.\d{1,3}){0,3}[.:]?|第\s?[\d一二三四五六七八九十百]{1,5}\s?[条條章節节款項项]))"
    r"(?:\*\*|__)?)\s{0,8}(?:[–—:-]\s{1,8})?"
)

_CLOSING, _FULL = "[\"'”’»›)\\]）」』】》*_`]", "[。！？｡।॥։።။۔]"
_STOP = re.compile(
    rf"(?<![.!?…؟])(?P<stops>[.!?…؟]++)(?:{_CLOSING}|[“‘])*+(?=\s|\Z)"
    # A quoted sentence with a particle after it is a part of another one: 「はい。」と答える。
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
# After "Acme Inc." these tell, with their capital letter, that a sentence opens.
_OPENER = re.compile(
    r"(?i:th(?:e|is|ese|ose|at|ere|ey|eir)|we|you|your|our|its?|if|in|for|when|where|while|any|all|by|to|as|at|on|not?"
    r"|such|each|however|s?he|an?|please|unless|until|upon|after|before|once|under|with|without|from|some|n?either|both"
    r"|but|and|or|because|since|during|except|only|what|who|how|why|de[rmn]|die|das|wir|sie|ihre?|unsere?|es|wenn|falls"
    r"|bei|für|im|eine?|diese?|diese[rs]|sofern|nach|zu[mr]|auf|mit|ohne|keine?|jede|jeder|alle|l[ea]s?|nous|vous|cet?"
    r"|cette|ces|si|en|pour|il|elle|une?|vos|votre|notre|el|los|para)"
)


def sentence_starts(text: str, start: int, end: int) -> Iterator[int]:
    """Where the sentences of a part of a document start.

    Args:
        text: the document.
        start, end: characters ``[start, end)`` of it: one paragraph or item, without white space around it.

    Returns:
        ``start``, then the first character of each further sentence.
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
    """Whether the full stop makes an abbreviation or an ordinal and does not end the sentence as well."""
    last = _LAST_WORD.search(text, max(start, dot - 20), dot)
    after = following["word"]
    opens = "(" not in following["opening"] and _OPENER.fullmatch(after) is not None
    if last and last.group().isdecimal():
        ordinal = _ORDINAL.search(text, max(start, dot - 20), dot) is not None and not opens
        return len(last.group()) <= 2 and (ordinal or _MONTH.fullmatch(after) is not None)
    kind = last and _ABBREVIATION.fullmatch(last.group())
    if kind and kind["numbered"]:
        return after[:1].isdecimal() or not after.strip("IVXLC")
    return kind is not None and (kind["inner"] is not None or not opens)
