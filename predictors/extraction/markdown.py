"""Markdown → text: without front matter, comments and tags. Its own marks stay, as readers of plain text know them."""

import re

_FRONT_MATTER = re.compile(r"\A\ufeff?---[ \t]*\r?\n(?:.{0,2000}\r?\n){0,200}?---[ \t]*\r?\n")
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_BREAK = re.compile(r"<br\s{0,3}/?>", re.IGNORECASE)
_TAG = re.compile(
    r"</?(?:a|abbr|b|center|div|em|font|i|img|kbd|mark|p|small|span|strong|sub|sup|u)(?:\s[^<>]{0,500})?/?>",
    re.IGNORECASE,
)


def read_markdown(text: str) -> str:
    """The text of a Markdown document."""
    text = _FRONT_MATTER.sub("", text, count=1)
    if "<" not in text:
        return text
    if "-->" in text:
        text = _COMMENT.sub("", text)
    return _TAG.sub("", _BREAK.sub("\n", text))
