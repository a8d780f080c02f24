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
# Groups: "item" is a list item's label, "bullet" one without a number or letter; "part" names a part ("Section 4").
LABEL = re.compile(
    r"(?:(?P<item>(?P<bullet>[-*+](?:\s|\Z)|[•◦▪‣·●○■□✓①-⑳|])|[–—](?:\s|\Z)"
    r"|[(（](?:\d{1,3}(?:\.\d{1,3}){0,4}|[A-Za-z]{1,2}|[ivxl]{1,6})[)）]|(?:\d{1,3}|[A-Za-z]|[ivxl]{1,6})\)(?=\s|\Z)"
    r"|(?:[a-z]|[ivxl]{2,6})\.(?=\s|\Z))|(?:\*\*|__)?(?:"
    r"(?:[A-Z]?\d{1,3}(?:\.\d{1,3}){1,5}\.?|(?:\d{1,3}|[IVXLC]{1,7}|[A-Z])[.:])(?=\s|\Z|[\u2e80-\ua4cf])"
    r"|\d{1,3}(?:．\d{1,3}){0,5}．(?!\d)|[一二三四五六七八九十]{1,3}、"
    rf"|(?P<part>(?i:{_PARTS})\s{{1,3}}(?:\d{{1,3}}(?:\.\d{{1,3}}){{0,5}}[a-z]?|[IVXLC]{{1,7}}|[A-Z])(?!\w)[.:)]?"
    r"|§{1,2}\s{0,2}\d{1,4}[a-z]?(?!\w)(?:\.\d{1,3}){0,3}[.:]?|第\s?[\d一二三四五六七八九十百]{1,5}\s?[条條章節节款項项]))"
    r"(?:\*\*|__)?)\s{0,8}(?:[–—:-]\s{1,8})?"
)


def label_end(label: re.Match[str] | None) -> int:
    """Where the text after a label starts; 0 without one."""
    return label.end() if label else 0


def without_label(text: str) -> str:
    """A clause without its label.

    What may be part of the sentence is kept: an amount ("3.50 euros are due") or a reference ("Section 5 applies").
    """
    text = _QUOTE.sub("", text, count=1)
    label = LABEL.match(text)
    rest = text[label_end(label) :].lstrip()
    return rest if label and rest and _stands_apart(label, rest) else text


def _stands_apart(label: re.Match[str], rest: str) -> bool:
    """Whether a label is certainly not part of the sentence."""
    mark = label.group().rstrip()
    if mark.startswith(_BOLD):  # the closing marks would be left over
        return False
    if label["item"] is not None or mark[-1] in _ENDS:
        return True
    if label["part"] is not None and label["part"][0] not in "§第":
        return False
    word = rest.split(maxsplit=1)[0]
    return not word[0].islower() and any(map(str.isalnum, word))
