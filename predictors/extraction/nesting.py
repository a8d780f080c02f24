"""How deeply a web page's elements are nested, before it is parsed.

HTML's parsing rules look through all open elements at many tags, so that a page of a million open elements would take
hours. Real pages have some dozens.
"""

import re
from collections import Counter

from predictors.extraction.errors import Unreadable

_DEEPEST = 1000
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)")
# Elements that others close, or that hold nothing.
_CLOSED_BY_OTHERS = {
    "area", "base", "body", "br", "col", "colgroup", "dd", "dt", "embed", "head", "hr", "html", "img", "input", "li",
    "link", "meta", "optgroup", "option", "p", "param", "source", "tbody", "td", "tfoot", "th", "thead", "tr",
    "track", "wbr",
}  # fmt: skip
# A closing tag does not reach beyond these.
_BOUNDARIES = {"table", "caption", "object", "marquee", "template", "applet", "svg", "math", "select"}


def check_nesting(html: str) -> None:
    """See to it that a page can be parsed in time.

    Raises:
        Unreadable: its elements are nested too deeply.
    """
    if html.count("<") <= _DEEPEST:
        return
    opened: list[str] = []
    counts: Counter[str] = Counter()
    for closing, name in _TAG.findall(html):
        tag = name.lower()
        if tag in _CLOSED_BY_OTHERS:
            continue
        if not closing:
            opened.append(tag)
            counts[tag] += 1
            if len(opened) > _DEEPEST:
                raise Unreadable(f"its elements are nested more than {_DEEPEST} deep")
        elif counts[tag]:
            _close(opened, counts, tag)


def _close(opened: list[str], counts: Counter[str], tag: str) -> None:
    """Close an element and all within it, unless a boundary is in between."""
    for place in range(len(opened) - 1, -1, -1):
        if opened[place] == tag:
            counts.subtract(opened[place:])
            del opened[place:]
            return
        if opened[place] in _BOUNDARIES:
            return
