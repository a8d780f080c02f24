"""Lists: which clauses introduce an item, and which end the sentence after the last one.

An item says nothing alone: "resell tickets" may be what you must, may or must not do. So each item knows the clauses
that lead into it: the line with a colon or the unfinished sentence above the list, and those of the lists around it.
"""

# ruff: noqa: RUF001  # the patterns hold the punctuation of many scripts

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from predictors.summarizer.text.antecedents import needs_antecedent
from predictors.summarizer.text.blocks import Block

_UNFINISHED = re.compile(r"[^.!?;,…。！？；，、]\Z")
_LETTER_BEFORE = {"i": "h", "v": "u", "x": "w"}
_CORE = re.compile(r"[^\W_]+(?=\W*\Z)")
# What introduces a whole contract rather than a list: "The parties agree as follows:".
_OPENS_CONTRACT = re.compile(r"\b(?:agree(?:d|s|ment)?|follows|terms|conditions|contents|summary)\W*\Z", re.IGNORECASE)
_BINDS = re.compile(
    r"\b(?:if|where|when|while|unless|until|not|no|nor|never|must|may|will|shall|can|cannot|only|except|without|following"
    r"|below|to|of|for|by|with|from|that|these|includ\w+)\b",
    re.IGNORECASE,
)
_CLOSES = re.compile(
    r"(?:and |or |in each case,? |but )?"
    r"(?:unless|except|provided|but|until|without|if|as long as|in each case|subject to)\b",
    re.IGNORECASE,
)
# What a heading says that each of its items needs: "You may not", "Prohibited uses".
_RULES = re.compile(
    r"\b(?:not|no|never|must|may|will|shall|can|cannot|only|except|unless|if|without|prohibited|forbidden|allowed"
    r"|permitted|don['\u2019]t|won['\u2019]t|can['\u2019]t)\b",
    re.IGNORECASE,
)
_FEWEST_WORDS = 4
_DEEPEST = 6  # lists within lists
_LONGEST_LIST = 40  # items whose sentence words below the list may end
Style = tuple[str | int, ...]


@dataclass(slots=True)
class _Level:
    """A list that is open.

    Args:
        style: what its items' labels look like.
        leads: the units that introduce it, outermost first.
        items: the units of its items so far, with those of lists within it.
        last: the letter or number of its last item.
    """

    style: Style
    leads: tuple[int, ...]
    items: list[int] = field(default_factory=list)
    last: str = ""


@dataclass(slots=True)
class Links:
    """What belongs to one clause besides itself, as numbers of clauses.

    Args:
        lead_in: the clauses that introduce it, outermost first.
        closing: the clauses after the list that end its sentence.
    """

    lead_in: tuple[int, ...] = ()
    closing: tuple[int, ...] = ()


def find_lists(text: str, blocks: Sequence[Block]) -> list[Links]:
    """The links of each start in the blocks, by the number of the start."""
    reader = _Reader(text)
    for block in blocks:
        reader.take(block)
    return reader.links


class _Reader:
    """Reads blocks in order.

    Args:
        text: the document.
    """

    def __init__(self, text: str) -> None:
        self.links: list[Links] = []
        self._text = text
        self._levels: list[_Level] = []
        self._above: Block | None = None

    def take(self, block: Block) -> None:
        unit = len(self.links)
        self.links += [Links() for _ in block.starts]
        if block.heading:
            self._levels.clear()
        elif (style := self._style(block)) is not None and self._enter(block, style, unit):
            level = self._levels[-1]
            self.links[unit].lead_in = level.leads
            self._keep_together(block, unit)
            level.last = _core(block.label)
            for each in self._levels:
                each.items.append(unit)
        elif self._levels and self._is_closing(block):
            self._close(unit)
        else:
            self._levels.clear()
        self._above = block if self._opens(block) or self._levels else None

    def _keep_together(self, item: Block, unit: int) -> None:
        """Let the later sentences of an item that refer to it keep it: "(a) leave. If you do so, you pay $50"."""
        for later, (start, end) in enumerate(pairwise([*item.starts[1:], item.end]), unit + 1):
            if needs_antecedent(" ".join(self._text[start:end].split())):
                between = (later - 1,) if later - 1 > unit else ()
                self.links[later].lead_in = (*self.links[unit].lead_in, unit, *between)

    def _style(self, block: Block) -> Style | None:
        """How an item's label looks; None if the block cannot be an item."""
        if block.numbers is not None:
            return ("number", *block.numbers[:-1], len(block.numbers))
        if not block.item:
            return ("plain",) if self._is_plain_item(block) else None
        core = _core(block.label)
        if not core:
            return ("bullet", block.label[:1], block.indent)
        return (block.label[:1] in "(（", block.label[-1:], self._alphabet(core))

    def _alphabet(self, core: str) -> str:
        if core[0].isdecimal():
            return "digits"
        roman = not core.lower().strip("ivxl")
        if len(core) == 1:
            before = _LETTER_BEFORE.get(core.lower())
            roman = before is not None and all(level.last.lower() != before for level in self._levels)
        return ("roman" if roman else "letter") + ("" if core.islower() else "s")

    def _is_plain_item(self, block: Block) -> bool:
        """Whether a block without a label is an item below an introduction."""
        above = self._above
        if above is None or _CLOSES.match(self._text, block.body):
            return False
        whole = block.complete and not self._text[block.body].islower()
        if self._levels and self._levels[-1].style == ("plain",):
            return not block.first or not whole
        if not above.introduces:
            return False
        return not (block.first and whole) or self._binds(above)

    def _binds(self, block: Block) -> bool:
        """Whether an introduction says something that its items need."""
        words = self._text[block.starts[-1] : block.end]
        return len(words.split()) >= _FEWEST_WORDS and _BINDS.search(words) is not None

    def _opens(self, block: Block) -> bool:
        """Whether a block's last sentence goes on in what follows."""
        if block.introduces:
            return True
        if block.heading:
            return len(block.starts) == 1
        return _UNFINISHED.search(self._text, block.end - 1, block.end) is not None

    def _needs(self, heading: Block, block: Block) -> bool:
        """Whether an item needs the words of its heading, such as that it is forbidden."""
        words = self._text[heading.start : heading.end]
        is_fragment = self._text[block.body].islower() and _BINDS.search(words) is not None
        return is_fragment or _RULES.search(words) is not None

    def _enter(self, block: Block, style: Style, unit: int) -> bool:
        """Open or go on with the list that an item belongs to; False if it belongs to none."""
        place = next((i for i, level in enumerate(self._levels) if level.style == style), None)
        if place is not None:
            del self._levels[place + 1 :]
            return True
        above = self._above
        if above is None or not self._opens(above) or not self._may_open(above, block):
            return False
        if above.item and self._style(above) == style:  # the item before it, which nothing introduces either
            return False
        lead = unit - 1
        outer = self.links[lead].lead_in
        while self._levels and lead not in self._levels[-1].items[-1:]:
            self._levels.pop()
        self._levels.append(_Level(style, (*outer, lead)))
        return len(self._levels) <= _DEEPEST and len(outer) < _DEEPEST

    def _may_open(self, above: Block, block: Block) -> bool:
        """Whether an item may be the first one below its introduction."""
        if above.heading and not above.introduces:
            starts_list = block.numbers is None or (block.numbers == ["1"] and self._text[block.body].islower())
            return starts_list and self._needs(above, block) and not self._is_paragraph(block)
        if block.numbers is None:
            return above.introduces or not self._is_paragraph(block)
        if block.numbers[-1] not in ("0", "1") or not above.introduces:
            return False
        return above.numbers is not None or not _OPENS_CONTRACT.search(self._text, above.starts[-1], above.end)

    def _is_paragraph(self, block: Block) -> bool:
        """Whether a labelled block has sentences of its own, so that a line like a subtitle does not introduce it."""
        return len(block.starts) > 1 and self._text[block.body].isupper()

    def _is_closing(self, block: Block) -> bool:
        if block.item or block.numbers is not None:
            return False
        return self._text[block.body].islower() or _CLOSES.match(self._text, block.body) is not None

    def _close(self, unit: int) -> None:
        """Let the words below a list end the sentence of all its items."""
        level = self._levels[0]
        if len(level.items) <= _LONGEST_LIST:
            for item in level.items:
                self.links[item].closing = (unit,)
            self.links[unit].lead_in = (*level.leads, *level.items)
        self._levels.clear()


def _core(label: str) -> str:
    """A label's last number or letters, without brackets and dots."""
    found = _CORE.search(label)
    return found.group() if found else ""
