"""What the model reads of a document at a time, and how its answers become bullets.

A small model (below about a billion parameters) loses the thread of a page, but can rephrase a sentence. It reads
*clauses*, one at a time, and `salience` decides what matters. A larger model reads *chunks*, as much as its context
holds, and decides what matters itself.
"""

from collections.abc import Sequence
from typing import Literal, TypeAlias

from predictors.summarizer.engine.types import Generation
from predictors.summarizer.prompts import Tokenizer, chunk_prompts, clause_prompts
from predictors.summarizer.text.bullets import Bullet, Unsupported, check_chunk, check_clause
from predictors.summarizer.text.chunks import pack
from predictors.summarizer.text.document import Document

Reading = Literal["clauses", "chunks"]

# Models below this many parameters read clauses.
SMALL_MODEL_PARAMETERS = 1_000_000_000
# An answer about a clause may be this many tokens longer than the clause.
_LONGER_ANSWER = 8


class ClauseReader:
    """Reads one clause at a time.

    Args:
        model: the tokenizer.
        unsupported: what happens to an answer that its clause does not support.
    """

    one_to_one = True
    """Whether each passage becomes one point of about its own length."""
    answer_tokens = 80
    """Maximum number of tokens of an answer about a passage."""

    def __init__(self, model: Tokenizer, unsupported: Unsupported) -> None:
        self.prompts = clause_prompts(model)
        self._unsupported = unsupported

    def passages(self, document: Document, clauses: Sequence[int], longest: int) -> list[list[int]]:
        """Divide clauses, given by number, into passages of at most ``longest`` tokens: each clause is one."""
        return [[i] for i in clauses]

    def most_written(self, read: int) -> int:
        """Maximum number of tokens of an answer about a passage of ``read`` tokens: slightly more than those."""
        return min(self.answer_tokens, read + _LONGER_ANSWER)

    def bullets(self, document: Document, passage: Sequence[int], generation: Generation) -> list[Bullet]:
        """Make a bullet of the answer about a clause, or none."""
        answer = generation.text if generation.finish_reason == "stop" else ""  # a cut answer says too little
        bullet = check_clause(document, passage[0], answer, self._unsupported)
        return [bullet] if bullet else []


class ChunkReader:
    """Reads as many clauses at a time as the context has room for; see `ClauseReader` for its members.

    Args:
        model: the tokenizer.
        unsupported: what happens to a point that its chunk does not support.
    """

    one_to_one = False
    answer_tokens = 400

    def __init__(self, model: Tokenizer, unsupported: Unsupported) -> None:
        self.prompts = chunk_prompts(model)
        self._unsupported = unsupported

    def passages(self, document: Document, clauses: Sequence[int], longest: int) -> list[list[int]]:
        """Pack clauses into chunks of at most ``longest`` tokens."""
        counts = [len(document.tokens[i]) for i in clauses]
        sections = [document.clauses[i].section for i in clauses]
        return [[clauses[place] for place in chunk.clauses] for chunk in pack(counts, sections, longest)]

    def most_written(self, read: int) -> int:
        """The same for all passages, since a list of points may have any length."""
        return self.answer_tokens

    def bullets(self, document: Document, passage: Sequence[int], generation: Generation) -> list[Bullet]:
        """Make bullets of the lines of an answer."""
        return check_chunk(document, passage, generation.text, self._unsupported)


Reader: TypeAlias = ClauseReader | ChunkReader


def new_reader(reading: Reading, model: Tokenizer, unsupported: Unsupported) -> Reader:
    """Make the reader of clauses or of chunks."""
    return ClauseReader(model, unsupported) if reading == "clauses" else ChunkReader(model, unsupported)
