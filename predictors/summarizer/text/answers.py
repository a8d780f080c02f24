"""What a model wrote about a passage → its points, whatever form it gave them.

Models write lists with all sorts of marks, JSON, Markdown, a sentence before the list, and their thoughts. What is not
a point, or not whole, is left out.
"""

# ruff: noqa: RUF001  # the patterns hold the marks that models write

import json
import re
from collections.abc import Iterator

_THOUGHTS = re.compile(r"<(think|thinking|reasoning|analysis)>.*?(?:</\1>|\Z)", re.DOTALL | re.IGNORECASE)
_UNOPENED = re.compile(r"\A.*?</(?:think|thinking|reasoning|analysis)>", re.DOTALL | re.IGNORECASE)
_FENCE = re.compile(r"^\s*(?:```|~~~)[\w-]*\s*$", re.MULTILINE)
_CONTROL = re.compile(r"<\|[^|<>\n]{1,40}\|>|</?s>")
_MARK = re.compile(r"\A\s*(?:>\s?)*(?:[-*+–—]\s+|[•‣▪●◦]\s*|\(?\d{1,3}[.):]\)?\s+|\(?[a-z]\)\s+|\[[ xX]\]\s+)*")
# "**Price:** You pay …" and "Price: You pay …"; an amount after a colon belongs to the point.
_TITLE = re.compile(
    r"\A(?:\*\*[^*\n]{1,60}\*\*\s*:?|__[^_\n]{1,60}__\s*:?|[A-Z][\w'’]*(?: [\w'’]+){0,3}:)\s+(?=[A-Z“\"*].*\s.*\s)"
)
_HEADING = re.compile(r"\A\s*(?:#{1,6}\s|\*\*[^*]{1,80}\*\*:?\s*\Z|__[^_]{1,80}__:?\s*\Z)")
_RULE = re.compile(r"\A[\s*_=-]*\Z")
_EMPHASIS = re.compile(r"(\*\*|__|`)(?=\S)(.+?)(?<=\S)\1")
_ITALIC = re.compile(r"(?<![\w*])\*(?=\S)([^*\n]+?)(?<=\S)\*(?![\w*])")
_NOTHING = re.compile(r"\W*(?:nothing|none|n/?a|no (?:points?|such points?)|not applicable)\W*", re.IGNORECASE)
_PREAMBLE = re.compile(
    r"(?:sure|certainly|of course|okay|ok|absolutely|great)\b[!,.]?"
    r"|(?:here(?:'s| is| are)|below (?:is|are)|the following (?:is|are)|these are) .{0,120}\Z"
    r"|(?:in summary|to summari[sz]e|summary|key points|main points|i hope|let me know|note that this is a summary)\b",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z“\"])")
# Under these names, models put the words of a point into a JSON object.
_NAMES = ("point", "text", "summary", "bullet", "content", "statement", "description", "value", "explanation")
_MOST_DEPTH = 6


def points_of(answer: str, cut: bool) -> list[str]:
    """The points of an answer: each is one line, without its mark, and said once.

    Args:
        answer: what the model wrote.
        cut: whether it was cut at the maximum length; its last point is then not whole.
    """
    text = _CONTROL.sub("", _UNOPENED.sub("", _THOUGHTS.sub("", answer)))
    text = _FENCE.sub("", text).strip()
    found = _from_json(text)
    texts = list(_lines(text))[: -1 if cut else None] if found is None else found
    return list(dict.fromkeys(each for each in map(_clean, texts) if each and not _NOTHING.fullmatch(each)))


def _lines(text: str) -> Iterator[str]:
    """The lines that are points; of a paragraph without a list, its sentences."""
    lines = [line for line in text.splitlines() if not _RULE.fullmatch(line)]
    marked = any(_is_marked(line) for line in lines)
    for line in lines:
        if _HEADING.match(line) or _introduces(line, marked):
            continue
        yield from [line] if marked else _SENTENCE.split(line)


def _is_marked(line: str) -> bool:
    found = _MARK.match(line)
    return found is not None and found[0].strip(" >") != ""


def _introduces(line: str, marked: bool) -> bool:
    """Whether a line only introduces others: "Sure! Here are the points:"."""
    if _is_marked(line):
        return False
    plain = line.strip().strip("*_")
    return bool(_PREAMBLE.match(plain)) or (marked and plain.endswith(":"))


def _clean(line: str) -> str:
    """A point without its mark and without Markdown."""
    text = _TITLE.sub("", _MARK.sub("", line))
    for pattern, kept in ((_EMPHASIS, r"\2"), (_EMPHASIS, r"\2"), (_ITALIC, r"\1")):
        text = pattern.sub(kept, text)
    return " ".join(text.replace("**", "").split())


def _from_json(text: str) -> list[str] | None:
    """The texts of a JSON answer, whole or cut; None if it is not JSON."""
    start = min((place for place in map(text.find, "[{") if place >= 0), default=-1)
    if start < 0 or (text[:start].strip() and not _PREAMBLE.match(text[:start].strip())):
        return None
    try:
        content, _ = json.JSONDecoder().raw_decode(text[start:])
    except (ValueError, RecursionError):
        return _whole_strings(text[start:])
    return list(_texts(content, _MOST_DEPTH))


def _texts(content: object, depth: int) -> Iterator[str]:
    if isinstance(content, str):
        yield content
    elif isinstance(content, list) and depth:
        for each in content:
            yield from _texts(each, depth - 1)
    elif isinstance(content, dict) and depth:
        known = [content[name] for name in _NAMES if isinstance(content.get(name), str)]
        for each in known[:1] or content.values():
            yield from _texts(each, depth - 1)


def _whole_strings(text: str) -> list[str] | None:
    """The strings of a JSON list that was cut; None if it is something else."""
    if not re.match(r"\[\s*\"", text):
        return None
    found = re.findall(r'"((?:[^"\\\n]|\\.)*)"\s*(?:,|\])', text)
    return [str(json.loads(f'"{each}"')) for each in found if _is_string(each)]


def _is_string(text: str) -> bool:
    try:
        json.loads(f'"{text}"')
    except ValueError:
        return False
    return True
