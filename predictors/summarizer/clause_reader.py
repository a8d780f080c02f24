"""Reads a document clause by clause; the model only chooses what can be left out.

A small model (below about a billion parameters) loses the thread of a page, and does not rephrase a sentence without
changing what it says. `salience` decides which clauses matter. Each is given in its own words, and the model's version
of it decides only which asides are left out (see `compression`). A clause without asides costs no tokens.
"""

from functools import partial

from predictors.summarizer.engine.types import Generation
from predictors.summarizer.prompts import Tokenizer, clause_prompts
from predictors.summarizer.questions import Plan, Question
from predictors.summarizer.text.bullets import Bullet
from predictors.summarizer.text.digest import Mode, digest
from predictors.summarizer.text.document import Document
from predictors.summarizer.text.drafts import Draft
from predictors.summarizer.text.points import FirstPoints
from predictors.summarizer.tuning import Tuning

# An answer about a clause may be this many tokens longer than the clause.
_LONGER_ANSWER = 8


class ClauseReader:
    """Plans summaries of clauses in their own words.

    Args:
        model: the tokenizer.
        tuning: the model's own prompt.
    """

    answer_tokens = 80
    """Maximum number of tokens of an answer about a passage."""

    def __init__(self, model: Tokenizer, tuning: Tuning) -> None:
        self.prompts = clause_prompts(model, tuning)
        self._model = model

    def plan(self, document: Document, mode: Mode, limit: int | None, longest: int) -> Plan:
        """Choose what to say, and what to ask.

        Args:
            document: the document.
            mode: how much to say.
            limit: most tokens of the summary, if there is a limit.
            longest: most tokens of a passage that the model reads.
        """
        found = digest(document, mode, limit, lambda text: len(self._model.tokenize(text)))
        for each in found.drafts:
            each.whole.told(document)  # is remembered, so that it takes no time when the deadline is near
        return Plan([self._question(each, longest) for each in found.drafts], FirstPoints(), found.left_out)

    def most_written(self, read: int) -> int:
        """Maximum number of tokens of an answer about a passage of ``read`` tokens: slightly more than those."""
        return min(self.answer_tokens, read + _LONGER_ANSWER)

    def _question(self, draft: Draft, longest: int) -> Question:
        text = draft.question
        asks = text != "" and len(self._model.tokenize(text)) <= longest
        return Question(draft.passage.clauses, asks, partial(self._model.tokenize, text), partial(_bullets, draft))


def _bullets(draft: Draft, generation: Generation | None) -> list[Bullet]:
    # An answer that was cut leaves out too much.
    answer = generation.text if generation is not None and generation.finish_reason == "stop" else ""
    return [draft.shortened(answer)]
