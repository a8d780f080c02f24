"""Words that a line end cut in two: "cur-" and "rent" on the next line.

Whether the hyphen belongs to the word is decided by the document first: where it has "current" elsewhere, the hyphen
goes; where it has "self-employed", it stays. Otherwise it stays before capitals and digits, beside the parts that are
usually joined by one, and between two words that the document has on their own. In all other cases it goes, as
typesetters break far more words than authors join, unless no word of the document was certainly broken by a typesetter.
"""

import re
from collections.abc import Iterator, Sequence

from predictors.summarizer.text.edits import Edit
from predictors.summarizer.text.word_lists import word_set

_BREAK = re.compile(r"-[ \t]*\n[ \t]*(?=\w)")
_HEAD = re.compile(r"(?:(?<=\s)|(?<=[(\[“\"'‘/])|\A)(?:[^\W_]+-)*[^\W_]+\Z")  # noqa: RUF001
_TAIL = re.compile(r"[^\W_]+(?:-(?![ \t]*\n)[^\W_]+)*")
_SECOND_HALF = re.compile(r"-[ \t]*\n[ \t]*[^\W_]++")
_WHOLE_WORD = re.compile(r"(?<![\w-])[^\W_]++(?:-[^\W_]++)*+(?!-\n)")
_LONGEST = 60
# Parts before and after which authors write a hyphen, and typesetters would hardly break a word.
_FIRST = word_set(
    """all anti by co cross e extra first fixed full half multi non one opt peer quasi self semi single step third three
    two twenty thirty forty fifty sixty seventy eighty ninety user well wi world x zero"""
)
_LAST = word_set(
    """based bearing compliant dependent driven employed exclusive exempt factor friendly insured language month months
    needed off only operated paid party peak person qualified rata related resident service specific style term week
    weeks wide year years"""
)
_WHOLE = word_set("add-on in-app on-line opt-in opt-out part-time pay-as pro-rated real-time sign-up up-front")
# Before these parts there is none: "un-employed" was broken at the line's end.
_JOINED = word_set("dis in inter mis out over re un under")
# The parts of "with-out" and "not-ice" are words, too, but no compound is made of these.
_FUNCTION_WORDS = word_set("and any are but can for has her his may men not our out per son the und was who with you")
_LINKS = word_set("a and by de for in of on or out the to up")
_SHORTEST_WORD = 3
_MOST_PARTS = 4
# So many words with a hyphen of their own at a line's end tell that all of them have one.
_TELLING, _TELLING_SHARE = 5, 0.75
# After a hyphen that stands for a common last part: "pre- and post-paid".
_SUSPENDED = word_set("and or nor")


def hyphen_edits(text: str) -> Iterator[Edit]:
    """Edits that join words across lines. The whole word moves to the second line, so lines get no longer."""
    broken = list(_broken_words(text))
    if not broken:
        return
    words = _Words(text, broken)
    for start, end, parts in broken:
        word = parts[0]
        for part in parts[1:]:
            word = words.join(word, part)
        yield Edit(start, end, f"\n{word}")


def _broken_words(text: str) -> Iterator[tuple[int, int, list[str]]]:
    """Where each broken word starts and ends, and its parts."""
    end = 0
    for match in _BREAK.finditer(text):
        if (
            match.start() < end
            or (head := _HEAD.search(text, max(end, match.start() - _LONGEST), match.start())) is None
        ):
            continue
        parts, end = [head.group()], head.end()
        while len(parts) < _MOST_PARTS and (gap := _BREAK.match(text, end)) and (tail := _TAIL.match(text, gap.end())):
            if tail.group().lower() in _SUSPENDED:
                break
            parts.append(tail.group())
            end = tail.end()
        if len(parts) > 1:
            yield head.start(), end, parts


class _Words:
    """The words of a document, to decide about hyphens.

    Args:
        text: the document.
        broken: the words that are broken, from `_broken_words`.
    """

    def __init__(self, text: str, broken: Sequence[tuple[int, int, list[str]]]) -> None:
        self._known = set(_WHOLE_WORD.findall(_SECOND_HALF.sub("-\n", text.lower())))
        pairs = [(parts[0], parts[1]) for _, _, parts in broken]
        typeset = any((head + tail).lower() in self._known for head, tail in pairs)
        joined = sum(f"{head}-{tail}".lower() in self._known or self._keeps_hyphen(head, tail) for head, tail in pairs)
        # Lines that end at the hyphens of their authors only, as in mail.
        self._authors_only = not typeset and joined >= max(_TELLING, _TELLING_SHARE * len(pairs))

    def join(self, head: str, tail: str) -> str:
        """The word whose parts these are, with or without the hyphen."""
        joined, hyphenated = head + tail, f"{head}-{tail}"
        if hyphenated.lower() in self._known:
            return hyphenated
        if joined.lower() in self._known:
            return joined
        return hyphenated if self._authors_only or self._keeps_hyphen(head, tail) else joined

    def _keeps_hyphen(self, head: str, tail: str) -> bool:
        if not tail[0].islower() or head[-1].isdecimal():
            return True
        first, last = head.lower().rpartition("-")[2], tail.lower().partition("-")[0]
        if f"{first}-{last}" in _WHOLE:
            return True
        if first in _JOINED and "-" not in head:
            return False
        if "-" in head and first in _LINKS:  # "out-of-court"
            return True
        return first in _FIRST or last in _LAST or self._are_words(first, last)

    def _are_words(self, first: str, last: str) -> bool:
        """Whether both parts are words that a compound may be made of."""
        short = min(len(first), len(last)) < _SHORTEST_WORD
        return not short and {first, last} <= self._known and not {first, last} & _FUNCTION_WORDS
