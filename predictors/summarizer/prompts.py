"""Prompts: the instructions and examples around the passage that the model reads."""

from collections.abc import Sequence
from typing import Protocol

from predictors.summarizer.engine.types import Prompt
from predictors.summarizer.tuning import TEXT_MARK, Example, Instructions, Tuning

_CLAUSE_SYSTEM = (
    "Rewrite one sentence of a contract in plain, short English. Keep every number, every condition and who does what. "
    "Do not add anything."
)
# A small model learns more from examples than from instructions. They are short, differ in form, and have unusual
# subjects, so that words that leak from them into an answer are recognized as unsupported.
_CLAUSE_EXAMPLES = (
    (
        "Lessee shall be liable for any damage to the kayak exceeding fair wear and tear, up to a maximum of $350.",
        "The renter pays for damage to the kayak beyond normal wear, up to $350.",
    ),
    (
        "Beehives which have not been collected within nine (9) days may be sold by the Association without notice.",
        "Beehives not collected within 9 days may be sold by the association without notice.",
    ),
    (
        "Harpsichord lessons which the pupil fails to attend, for whatever cause, shall not be refunded.",
        "Harpsichord lessons that the pupil misses, for whatever cause, are not refunded.",
    ),
    (
        "We may, in our sole discretion, modify the lighthouse tariff, and shall inform you two weeks beforehand.",
        "We may change the lighthouse tariff, and will tell you two weeks before.",
    ),
)
_CHUNK_SYSTEM = (
    "You explain contracts to consumers in plain English. You only say what the text says, and you keep every number."
)
_CHUNK_TASK = (
    "List what a consumer must know from the text above: what it costs, what is renewed, what is shared with others, "
    "what they give up, and what happens if they do nothing. One short bullet point a line, each beginning with '- '. "
    "If there is nothing of that kind, write '- nothing'."
)


class Tokenizer(Protocol):
    """What prompts need of a model."""

    def tokenize(self, text: str) -> list[int]:
        """Turn plain text into tokens."""
        ...

    def frame(self, roles: Sequence[str]) -> list[list[int]]:
        """Tokens of a chat's template: before the first content, between contents, and after the last.

        Raises:
            ValueError: the template does not accept these roles.
        """
        ...


class PassagePrompts:
    """Prompts that put a passage into a chat.

    Args:
        model: whose template and vocabulary to use.
        turns: the chat so far, as ``(role, content)``.
        before, after: what the user says before and after the passage.

    Raises:
        ValueError: the chat template does not accept these roles in this order.
    """

    def __init__(self, model: Tokenizer, turns: Sequence[tuple[str, str]], before: str, after: str) -> None:
        frame = model.frame([*(role for role, _ in turns), "user"])
        self._head = list(frame[0])
        for (_, content), between in zip(turns, frame[1:], strict=False):
            self._head += model.tokenize(content) + between
        self._head += model.tokenize(before)
        self._tail = model.tokenize(after) + frame[-1]

    @property
    def overhead(self) -> int:
        """Tokens of a prompt besides the passage."""
        return len(self._head) + len(self._tail)

    def prompt(self, passage: Sequence[int]) -> Prompt:
        """The prompt for a passage; all prompts begin with the same tokens."""
        return Prompt([*self._head, *passage, *self._tail], reusable=len(self._head))


def clause_prompts(model: Tokenizer, tuning: Tuning) -> PassagePrompts:
    """Prompts that ask for one clause in plain English, with examples."""
    examples = [Example(text=clause, answer=plain) for clause, plain in _CLAUSE_EXAMPLES]
    return _prompts(model, tuning, Instructions(system=_CLAUSE_SYSTEM), examples)


def chunk_prompts(model: Tokenizer, tuning: Tuning) -> PassagePrompts:
    """Prompts that ask for the points of a long passage."""
    instructions = Instructions(system=_CHUNK_SYSTEM, task=f"{TEXT_MARK}\n\n{_CHUNK_TASK}")
    return _prompts(model, tuning, instructions, ())


def _prompts(
    model: Tokenizer, tuning: Tuning, instructions: Instructions, examples: Sequence[Example]
) -> PassagePrompts:
    """The model's own instructions and examples, or those given."""
    own = tuning.instructions or instructions
    # The built-in examples go with the built-in instructions.
    shown = () if tuning.instructions else tuple(examples)
    if tuning.examples is not None:
        shown = tuning.examples
    before, mark, after = own.task.partition(TEXT_MARK)
    if not mark:
        before, after = "", f"\n\n{own.task}"
    turns = [("system", own.system)] if own.system else []
    for example in shown:
        turns += [("user", f"{before}{example.text}{after}"), ("assistant", example.answer)]
    return PassagePrompts(model, turns, before, after)
