"""Characters in the form in which they are read: no invisible ones, one kind of space, one kind of line end."""

import re
import unicodedata
from collections.abc import Iterator

from predictors.summarizer.text.edits import Edit

_CJK = "\u2e80-\u303f\u3040-\ua4cf\uac00-\ud7a3\uf900-\ufaff"
# Unicode's default-ignorable characters and controls, without those that mean something: tabs, line ends, and joiners
# within scripts that need them.
_IGNORED = (
    "\u0000-\u0008\u000e-\u001b\u001f\u007f-\u0084\u0086-\u009f\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    "\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffc"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
_LETTERS = "\uff10-\uff19\uff21-\uff3a\uff41-\uff5a\ufb00-\ufb06\u2160-\u217f\u2116\U0001d400-\U0001d7ff"
_WIDTHS = "\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff5e"
# All characters that may need an edit: one class, because a search for many alternatives takes ten times as long.
_ODD = re.compile(
    rf"[\r\u000b\u001c-\u001e\u0085\u2028\u2029\u00ad{_IGNORED}\u200c\u200d\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000"
    rf"\u2010\u2011{_LETTERS}{_WIDTHS}\u0300-\u036f\ue000-\uf8ff]"
)
_EDIT = re.compile(
    r"(?P<softbreak>\u00ad[ \t]*(?:\r\n?|\n)[ \t]*(?=[^\W\d_]))"
    r"|(?P<line>\r\n?|[\u000b\u001c-\u001e\u0085\u2028\u2029])"
    rf"|(?P<ignored>[\u00ad{_IGNORED}]+|(?<![^\u0000-\u024f])[\u200c\u200d]+|[\u200c\u200d]+(?![^\u0000-\u024f]))"
    r"|(?P<space>[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000])"
    r"|(?P<hyphen>[\u2010\u2011])"
    rf"|(?P<folded>[{_LETTERS}]|(?<![{_CJK}])[{_WIDTHS}])"
    r"|(?P<accents>(?<=[^\W\d_])[\u0300-\u036f]+)"
    r"|(?P<private>[\ue000-\uf8ff]+)"
)
_PLAIN = re.compile(r"[\r\u0000-\u0008\u000b\u000e-\u001f\u007f]")
# Bullets of fonts whose characters are letters elsewhere, such as Wingdings' "§" and Courier's "o".
_BULLET = re.compile(r"^([ \t]*)(?:[§üØ](?=[ \t]+[^\W\d_])|o(?=[ \t]+[A-Z]))", re.MULTILINE)


def character_edits(text: str) -> Iterator[Edit]:
    """Edits that leave out what is not seen, and write in the usual characters what looks like them.

    Soft hyphens, direction marks, variation selectors and other invisible characters go; all spaces become one kind,
    all line ends ``\\n``; full-width letters, ligatures, and letters of mathematics become Latin ones. Fractions and
    superscripts stay: "1½" is not "11/2". Private characters, with which fonts draw bullets, become "•" at the start
    of a line and a space elsewhere.
    """
    if text.isascii() and not _PLAIN.search(text):
        return
    end = 0
    for odd in _ODD.finditer(text):
        if odd.start() >= end and (match := _EDIT.match(text, odd.start())):
            end = match.end()
            before = match["accents"] is not None  # the letter goes with its accents
            yield Edit(match.start() - before, end, _usual(text, match))


def bullet_edits(text: str) -> Iterator[Edit]:
    """Edits that turn letters which stand for bullets into "•"."""
    for match in _BULLET.finditer(text):
        yield Edit(match.end(1), match.end(), "•")


def _usual(text: str, match: re.Match[str]) -> str:
    kind, found = match.lastgroup, match.group()
    if kind in ("softbreak", "ignored"):
        return ""
    if kind == "line":
        return "\n"
    if kind == "space":
        return " "
    if kind == "hyphen":
        return "-"
    if kind == "private":
        before = text[max(0, match.start() - 200) : match.start()].rpartition("\n")[2]
        return " " if before.strip(" \t\r\f>") else "• "
    if kind == "accents":
        return unicodedata.normalize("NFC", text[match.start() - 1 : match.end()])
    return unicodedata.normalize("NFKC", found)
