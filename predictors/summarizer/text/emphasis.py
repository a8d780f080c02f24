"""Markdown's marks within lines: emphasis, links, code and escapes.

Marks of blocks stay, as they tell headings and items apart: hashes, bullets, rules, and bold type around a whole line
that reads like a heading.
"""

import re
from collections.abc import Iterator

from predictors.summarizer.text.edits import Edit

_MARK = re.compile(
    r"(?P<escape>\\[\\`*_{}\[\]()#+\-.!|>~$&])"
    r"|(?P<image>!\[(?P<alt>[^\[\]\n]{0,300})\]\([^()\n]{1,1000}\))"
    r"|(?P<link>\[(?P<shown>[^\[\]\n]{1,300}(?:\n[^\[\]\n]{1,300})?)\]"
    r"(?:\((?:[^()\s]{1,1000}+|\([^()\s]{0,100}+\)){1,9}+(?:[ \t]\"[^\"\n]{0,300}\")?\)|\[[\w.-]{0,40}\]))"
    r"|<(?P<address>(?:https?://|mailto:)[^<>\s]{1,1000})>"
    r"|(?P<code>(?P<ticks>`{1,3})(?!`)(?P<inside>[^`\n]{1,300})(?P=ticks)(?!`))"
    r"|(?P<run>(?<![*_])(?:\*{1,3}|_{1,3})(?![*_]))"
    r"|(?P<gap>\n[ \t]*\n)"
)
# Where one of the marks may start; searching for this first takes a tenth of the time.
_START = re.compile(r"[\\!\[<`*_\n]")
_ANY = re.compile(r"[*_`<\\]|\]\(|\]\[")
_ENDS = ".;:,!?"


def emphasis_edits(text: str) -> Iterator[Edit]:
    """Edits that delete the marks of Markdown, and show a link's text alone."""
    if not _ANY.search(text):
        return
    edits: list[Edit] = []
    opened: list[re.Match[str]] = []
    for match in _marks(text):
        if match["gap"]:
            edits += _strays(text, opened)
        elif match["run"]:
            _take_run(text, match, opened, edits)
        else:
            edits += _unwrapped(match)
    edits += _strays(text, opened)
    yield from sorted(edits)


def _marks(text: str) -> Iterator[re.Match[str]]:
    end = 0
    for start in _START.finditer(text):
        if start.start() >= end and (match := _MARK.match(text, start.start())):
            end = match.end()
            yield match


def _take_run(text: str, run: re.Match[str], opened: list[re.Match[str]], edits: list[Edit]) -> None:
    """Note a run of marks that opens emphasis, or delete the pair that it closes."""
    before, after = text[run.start() - 1 : run.start()], text[run.end() : run.end() + 1]
    strong = len(run.group()) > 1
    closes = before.strip() != "" and (strong or not after.isalnum())
    place = next((i for i in range(len(opened) - 1, -1, -1) if opened[i].group() == run.group()), None)
    if closes and place is not None:
        opener = opened[place]
        del opened[place:]
        if not _is_title(text, opener, run):
            edits += [Edit(*opener.span(), ""), Edit(*run.span(), "")]
    elif after.strip() != "" and not before.isalnum():
        opened.append(run)
    elif strong and closes:
        edits.append(Edit(*run.span(), ""))


def _strays(text: str, opened: list[re.Match[str]]) -> list[Edit]:
    """Bold marks that nothing closed. A single star may be a footnote's."""
    strays = [Edit(*run.span(), "") for run in opened if run.group().startswith("**")]
    opened.clear()
    return strays


def _is_title(text: str, opener: re.Match[str], closer: re.Match[str]) -> bool:
    """Whether bold type covers a line that stands alone and does not end like a sentence."""
    if len(opener.group()) < 2 or text[closer.start() - 1] in _ENDS or "\n" in text[opener.end() : closer.start()]:
        return False
    above, line_before = text[max(0, opener.start() - 300) : opener.start()].rpartition("\n")[::2]
    after = text[closer.end() : closer.end() + 80].partition("\n")[0]
    above = above.rstrip(" \t")
    return not line_before.strip() and not after.strip() and above[-1:] in ("", "\n", ".", ";", "!", "?")


def _unwrapped(match: re.Match[str]) -> list[Edit]:
    """Edits that leave only what is shown."""
    if match["escape"]:
        return [Edit(match.start(), match.start() + 1, "")]
    name = next(name for name in ("alt", "shown", "address", "inside") if match[name] is not None)
    return [Edit(match.start(), match.start(name), ""), Edit(match.end(name), match.end(), "")]
