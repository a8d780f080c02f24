"""The numbers of Word's paragraphs, which are not in its text: lists' definitions, counted up as the text goes on."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element

from predictors.extraction.numerals import letters, roman

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_LEVELS = 9
_PLACE = re.compile(r"%([1-9])")
_FORMATS: dict[str, Callable[[int], str]] = {
    "lowerLetter": letters,
    "upperLetter": lambda number: letters(number).upper(),
    "lowerRoman": roman,
    "upperRoman": lambda number: roman(number).upper(),
    "decimalZero": lambda number: f"{number:02}",
}


@dataclass(slots=True)
class _Level:
    """How paragraphs of one level are numbered.

    Args:
        number_format: Word's name of it, such as ``lowerLetter``.
        text: the label, with "%1" for the number of the first level.
        start: the first number.
    """

    number_format: str
    text: str
    start: int


@dataclass(slots=True)
class _List:
    """A list's levels, and the numbers that it has reached."""

    levels: dict[int, _Level]
    counts: list[int] = field(default_factory=lambda: [0] * _LEVELS)
    begun: set[int] = field(default_factory=set)


class Numbering:
    """Numbers paragraphs.

    Args:
        root: of ``word/numbering.xml``; None if the document has none.
    """

    def __init__(self, root: Element | None) -> None:
        self._lists: dict[str, _List] = {}
        if root is None:
            return
        abstract = {value(each, "abstractNumId"): _List(_levels(each)) for each in root.iter(f"{W}abstractNum")}
        for number in root.iter(f"{W}num"):
            found = abstract.get(value(number.find(f"{W}abstractNumId")))
            if found is None:
                continue
            if number.find(f"{W}lvlOverride") is not None:  # a list of its own
                found = _List(found.levels | _levels(number))
            self._lists[value(number, "numId")] = found

    def label(self, list_id: str, level: int) -> str:
        """The label of the next paragraph of a list; "" if it has none, "-" for a bullet.

        Args:
            list_id: the list's ``numId``.
            level: 0 for the outermost.
        """
        found = self._lists.get(list_id)
        if found is None or level not in found.levels:
            return ""
        definition = found.levels[level]
        found.counts[level] = found.counts[level] + 1 if level in found.begun else definition.start
        found.begun = {each for each in found.begun if each < level} | {level}
        if definition.number_format == "bullet":
            return "-"
        if definition.number_format == "none":
            return ""
        return _PLACE.sub(lambda place: _number(found, int(place.group(1)) - 1), definition.text).strip()


def _number(found: _List, level: int) -> str:
    definition = found.levels.get(level)
    number = found.counts[level] or (definition.start if definition else 1)
    return _FORMATS.get(definition.number_format if definition else "", str)(number)


def _levels(element: Element) -> dict[int, _Level]:
    levels = {}
    for each in element.iter(f"{W}lvl"):
        level = integer(value(each, "ilvl"))
        if level < _LEVELS:
            form, text = value(each.find(f"{W}numFmt")), value(each.find(f"{W}lvlText"))
            levels[level] = _Level(form, text, integer(value(each.find(f"{W}start")), 1))
    return levels


def value(element: Element | None, name: str = "val") -> str:
    """An attribute in Word's namespace; "" if there is none."""
    return "" if element is None else element.get(f"{W}{name}", "")


def integer(text: str, default: int = 0) -> int:
    """A number in an attribute, from 0 to 32,767; a default if it is none."""
    return min(int(text), 32_767) if text.isascii() and text.isdigit() else default
