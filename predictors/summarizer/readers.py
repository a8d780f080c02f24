"""What the model reads of a document at a time, and how its answers become bullets.

Of *clauses*, a model only chooses what can be left out (see `clause_reader`). Of *chunks*, as much as its context
holds, it says in its own words what matters; that is for models that are shown to rewrite truthfully.
"""

from collections.abc import Sequence
from typing import TypeAlias

from predictors.summarizer.clause_reader import ClauseReader
from predictors.summarizer.engine.types import Generation
from predictors.summarizer.prompts import Tokenizer, chunk_prompts
from predictors.summarizer.questions import Plan, Question
from predictors.summarizer.text.bullets import Bullet, Unsupported
from predictors.summarizer.text.chunks import pack
from predictors.summarizer.text.digest import CHARS_PER_TOKEN, Mode, room
from predictors.summarizer.text.document import Document
from predictors.summarizer.text.points import BestPoints
from predictors.summarizer.text.rewriting import check_chunk
from predictors.summarizer.text.selection import select
from predictors.summarizer.tuning import Tuning


class ChunkReader:
    """Reads as many clauses at a time as the context has room for; see `ClauseReader` for its members.

    Args:
        model: the tokenizer.
        tuning: the model's own prompt.
        unsupported: what happens to a point that its chunk does not support.
        fast_tokens: how much of a document ``fast`` reads.
    """

    answer_tokens = 400

    def __init__(self, model: Tokenizer, tuning: Tuning, unsupported: Unsupported, fast_tokens: int) -> None:
        self.prompts = chunk_prompts(model, tuning)
        self._model = model
        self._unsupported = unsupported
        self._fast_tokens = fast_tokens

    def plan(self, document: Document, mode: Mode, limit: int | None, longest: int) -> Plan:
        """Pack clauses into chunks of at most ``longest`` tokens: all of them, or the most salient."""
        clauses = document.body if mode == "full" else self._most_salient(document)
        counts = [len(document.tokens[i]) for i in clauses]
        sections = [document.clauses[i].section for i in clauses]
        chunks = [[clauses[place] for place in chunk.clauses] for chunk in pack(counts, sections, longest)]
        budget = room(round(document.size / CHARS_PER_TOKEN), mode)
        budget = budget if limit is None else min(budget, limit)
        points = BestPoints(document, lambda text: len(self._model.tokenize(text)), budget)
        return Plan([self._question(document, chunk) for chunk in chunks], points)

    def _most_salient(self, document: Document) -> list[int]:
        clauses = document.body
        scores = [document.salience[i] for i in clauses]
        counts = [len(document.tokens[i]) for i in clauses]
        chosen = select(scores, counts, [document.sentences[i] for i in clauses], self._fast_tokens)
        return [clauses[place] for place in chosen]

    def _question(self, document: Document, clauses: Sequence[int]) -> Question:
        def tokens() -> list[int]:
            return [token for i in clauses for token in document.tokens[i]]

        def bullets(generation: Generation | None) -> list[Bullet]:
            if generation is None:
                return []
            cut = generation.finish_reason == "length"
            return check_chunk(document, clauses, generation.text, self._unsupported, cut=cut)

        return Question(clauses, asks=True, tokens=tokens, bullets=bullets)

    def most_written(self, read: int) -> int:
        """The same for all passages, since a list of points may have any length."""
        return self.answer_tokens


Reader: TypeAlias = ClauseReader | ChunkReader


def new_reader(model: Tokenizer, tuning: Tuning, unsupported: Unsupported, fast_tokens: int) -> Reader:
    """Make the reader of clauses or of chunks, as the model was tuned.

    Raises:
        ValueError: the chat template does not accept the prompt's roles.
    """
    if tuning.reading == "clauses":
        return ClauseReader(model, tuning)
    return ChunkReader(model, tuning, unsupported, fast_tokens)
