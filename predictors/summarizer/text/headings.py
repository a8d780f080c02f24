"""Which blocks are headings.

A block is a heading if it is marked as one, is numbered, is in capitals, or is a short line before a paragraph. A
numbered clause may also start with a run-in heading, as in "12.3 Renewal. Your plan …".
"""

from collections.abc import Sequence

from predictors.summarizer.text.blocks import MARKS, Block

_MOST_WORDS = 10
_RUN_IN_WORDS, _FEWEST_RUN_IN, _RUN_IN_SHARE = 8, 4, 0.8


def find_headings(blocks: Sequence[Block]) -> None:
    """Set `Block.heading` of the blocks that are headings."""
    _untitle_items(blocks)
    after: Block | None = None
    for before, block in zip([None, *blocks][-2::-1], blocks[::-1], strict=True):
        block.heading = block.marked or (block.title != "" and _is_heading(before, block, after))
        after = block


def find_run_in_headings(text: str, blocks: Sequence[Block]) -> None:
    """Make the first sentences of numbered clauses headings, if nearly all of them are short."""
    numbered = [block for block in blocks if block.numbers is not None and len(block.starts) > 1]
    titles = [text[block.body : block.starts[1]].split() for block in numbered]
    short = [0 < len(words) <= _RUN_IN_WORDS and words[0][0].isalnum() for words in titles]
    if len(short) < _FEWEST_RUN_IN or sum(short) < _RUN_IN_SHARE * len(short):
        return
    for block, words, is_short in zip(numbered, titles, short, strict=True):
        block.title, block.heading = " ".join(words).strip(MARKS + "."), is_short


def _untitle_items(blocks: Sequence[Block]) -> None:
    """Rule out the items of lists without marks: "We store:", "Your name", "Your address"."""
    listed = False
    for block in blocks:
        sure = block.marked or _is_caps(block.title)
        if listed and not sure and block.numbers is None:
            block.title = ""
        opens = block.introduces and not sure
        listed = opens or (listed and not sure and not _ends_list(block))


def _ends_list(block: Block) -> bool:
    return block.complete or block.item or block.numbers is not None


def _is_heading(before: Block | None, block: Block, after: Block | None) -> bool:
    if _is_caps(block.title) and block.numbers is None:
        return True
    if after is None or (block.introduces and after.item):
        return False
    if block.numbers is not None and block.introduces and not _is_title_case(block.title):
        return False  # "1.2 You must not:"
    if block.numbers is not None:  # a short line next to its successor in number is a list item
        return not (_succeeds(before, block) or _succeeds(block, after))
    return _reads_as_title(block) and _stands_as_title(before, block, after)


def _is_caps(title: str) -> bool:
    letters = [character for character in title if character.isalpha()]
    return len(letters) >= 3 and all(map(str.isupper, letters))


def _succeeds(before: Block | None, block: Block) -> bool:
    """Whether two possible headings have consecutive numbers."""
    if before is None or not (before.title and block.title and before.numbers and block.numbers):
        return False
    return before.numbers[:-1] == block.numbers[:-1] and int(block.numbers[-1]) - int(before.numbers[-1]) == 1


def _reads_as_title(block: Block) -> bool:
    """Whether a block's words may be a title. A digit rather makes a date, a version or a price."""
    short = len(block.title.split()) <= _MOST_WORDS
    return (
        short
        and not (block.introduces and not _is_title_case(block.title))
        and not any(map(str.isdigit, block.title))
    )  # fmt: skip


def _stands_as_title(before: Block | None, block: Block, after: Block) -> bool:
    """Whether the block above is finished, and the block below is a text or a separate heading."""
    free = block.first or before is None or before.complete
    return free and (_opens(block, after) or (after.first and after.heading))


def _opens(block: Block, after: Block) -> bool:
    """Whether the next block is a text that may have this title."""
    return after.complete or after.numbers is not None or (after.item and _is_title_case(block.title))


def _is_title_case(title: str) -> bool:
    return not any(word[0].islower() for word in title.split() if len(word) > 3)
