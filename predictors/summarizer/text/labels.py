"""Labels before list items, headings and numbered clauses: "12.3", "(a)", "Article 7 —", "§ 4", "•", "第7条".

Every repetition in the label's pattern is bounded, so that no text takes long.
"""

# ruff: noqa: RUF001  # the pattern holds the punctuation of many scripts

import re

_PARTS = (
    r"article|art\.|section|sec\.|clause|chapter|part|schedule|annex|appendix|exhibit|artikel|abschnitt|kapitel|teil|anlage|anhang"
    r"|ziffer|titre|chapitre|annexe|partie|artículo|sección|cláusula|capítulo|anexo|articolo|sezione|allegato|artigo"
)
QUOTE_MARKS = "> \t\ufeff\u200b"  # marks of quoted lines in e-mail and Markdown, and zero-width characters
_QUOTE = re.compile(r"\A[>\s\ufeff\u200b]*[\s\ufeff\u200b]")
_ENDS = ".:)）．、–—-"
_BOLD = ("**", "__")
_SUB = r"(?P<sub>(?:\s?[(（](?:\d{1,3}|[A-Za-z]{1,2}|[ivxl]{1,6})[)）]){1,4}(?=\s|\Z))?"
# After a number without a full stop, these words begin a clause: "12.3 you pay". "3.50 a month" is an amount.
_OPENERS = (
    r"you(?:rs?)?|we|our|the|any|all|no|none|nothing|not|neither|either|such|th(?:is|at|ese|ose|ere)|if|when|where|while"
    r"|unless|until|it|they|he|she|subject|except|provided|whether|upon"
)
_CAPITALS = r"An?|Each|Every|In|On|For|By|With(?:out)?|To|After|Before|As|At|(?=[A-Z])(?i:" + _OPENERS + ")"
# Groups: "item" is a list item's label, "bullet" one without a number or letter; "part" names a part ("Section 4"),
# "sub" is what follows a number ("1.2(a)").
LABEL = re.compile(
    r"(?:(?P<item>(?P<bullet>[-*+](?:\s|\Z)|[•◦▪▫‣·●○■□◆◇▶▸►➢➤→⇒✓✔✗✘❖★☆☐☑⁃∙⦁①-⑳|])(?:\s{0,3}\[[ xX]\](?=\s))?"
    r"|[–—](?:\s|\Z)"
    r"|[(（](?:\d{1,3}(?:\.\d{1,3}){0,4}|[A-Za-z]{1,2}|[ivxl]{1,6})[)）]|\[(?:\d{1,3}|[a-z])\](?=\s)"
    r"|(?:\d{1,3}(?:\.\d{1,3}){0,4}|[A-Za-z]|[ivxl]{1,6})\.?\)(?=\s|\Z)|(?:[a-z]|[ivxl]{2,6})\.(?=\s|\Z))|(?:\*\*|__)?(?:"
    r"(?:[A-Z]{0,2}\d{1,3}(?:\.\d{1,3}){1,5}\.?|(?:[A-Z]{0,2}\d{1,3}|[IVXLC]{1,7}|[A-Z])[.:])(?=\s|\Z|[\u2e80-\ua4cf(（])"
    rf"|\d{{1,2}}(?=\s{{2,8}}[A-Z]|\s\((?:\d|[a-z]|[ivx]{{2,4}})\)\s|\s(?:{_CAPITALS})\s)"
    r"|\d{1,3}(?:．\d{1,3}){0,5}．(?!\d)|[一二三四五六七八九十]{1,3}、"
    rf"|(?P<part>(?i:{_PARTS})\s{{1,3}}(?:\d{{1,3}}(?:\.\d{{1,3}}){{0,5}}[a-z]?|[IVXLC]{{1,7}}|[A-Z])(?!\w)[.:)]?"
    r"|§{1,2}\s{0,2}\d{1,4}[a-z]?(?!\w)(?:\.\d{1,3}){0,3}[.:]?|第\s?[\d一二三四五六七八九十百]{1,5}\s?[条條章節节款項项]))"
    rf"{_SUB}(?:\*\*|__)?)\s{{0,8}}(?:[–—:-]\s{{1,8}})?"
)
_OPENER = re.compile(rf"(?i:{_OPENERS})\b")
_SYMBOLS = re.compile(r"(?:[\u2190-\u2bff\u3030\U0001f000-\U0001faff]\s{0,3}){1,8}(?=\w|[\"'“‘(\[£$€])")
_MOST_LABELS = 4  # "- 1.2 (a) (ii)"


def label_end(label: re.Match[str] | None) -> int:
    """Where the text after a label starts; 0 without one."""
    return label.end() if label else 0


def is_item(label: re.Match[str] | None) -> bool:
    """Whether a label is a list item's: "(a)", "1)", "-", "1.2(a)"."""
    return label is not None and (label["item"] is not None or label["sub"] is not None)


def without_label(text: str) -> str:
    """A clause without its labels, bullets and other marks around it.

    What may be part of the sentence is kept: an amount ("3.50 euros are due") or a reference ("Section 5 applies").
    """
    text = _QUOTE.sub("", text, count=1)
    for _ in range(_MOST_LABELS):
        rest = _without_first(_without_bold(text))
        if rest == text:
            break
        text = rest
    return text


def _without_first(text: str) -> str:
    text = _SYMBOLS.sub("", text, count=1) if _SYMBOLS.match(text) else text
    label = LABEL.match(text)
    rest = text[label_end(label) :].lstrip()
    return rest if label and rest and _stands_apart(label, rest) else text


def _without_bold(text: str) -> str:
    """A text without the marks of bold type around all of it."""
    core = text.strip()
    mark = core[:2]
    inside = core[2:-2]
    return inside if mark in _BOLD and core.endswith(mark) and inside and mark not in inside else text


def _stands_apart(label: re.Match[str], rest: str) -> bool:
    """Whether a label is certainly not part of the sentence."""
    mark = label.group().rstrip()
    if mark.startswith(_BOLD):  # the closing marks would be left over
        return False
    word = rest.split(maxsplit=1)[0].lstrip("(（") or "("
    if label["part"] is not None:
        if label["part"][0] not in "§第":
            return label["sub"] is None and mark[-1] in _ENDS
        return not word[0].islower() and any(map(str.isalnum, word))
    if is_item(label) or mark[-1] in _ENDS or mark.count(".") > 1:
        return True
    return _OPENER.match(rest) is not None or (not word[0].islower() and any(map(str.isalnum, word)))
