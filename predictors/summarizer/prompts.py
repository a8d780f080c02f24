"""What the model is told, around the passage that it reads."""

from collections.abc import Sequence

from predictors.summarizer.engine.types import Prompt
from predictors.summarizer.llama.model import LlamaModel, Message

_CLAUSE_SYSTEM = (
    "Rewrite one sentence of a contract in plain, short English. Keep every number, every condition and who does what. "
    "Do not add anything."
)
# Examples teach a small model more than instructions. They are short, of different forms, and their subjects are rare,
# so that what leaks from them into an answer is found unsupported.
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


class PassagePrompts:
    """Prompts that put a passage into a chat.

    Args:
        model: whose template and vocabulary to use.
        messages: the chat; the passage goes where the last message's content begins, before that content.
    """

    def __init__(self, model: LlamaModel, messages: Sequence[Message]) -> None:
        *before, last = messages
        frame = model.frame([message.role for message in messages])
        self._head = list(frame[0])
        for message, between in zip(before, frame[1:], strict=False):
            self._head += model.tokenize(message.content) + between
        self._tail = model.tokenize(last.content) + frame[-1]

    @property
    def overhead(self) -> int:
        """Tokens of a prompt beside the passage."""
        return len(self._head) + len(self._tail)

    def prompt(self, passage: Sequence[int]) -> Prompt:
        """Put a passage in; all of these prompts begin alike."""
        return Prompt([*self._head, *passage, *self._tail], keep=len(self._head))


def clause_prompts(model: LlamaModel) -> PassagePrompts:
    """Prompts that ask for one clause in plain English, with examples."""
    messages = [Message("system", _CLAUSE_SYSTEM)]
    for clause, plain in _CLAUSE_EXAMPLES:
        messages += [Message("user", clause), Message("assistant", plain)]
    return PassagePrompts(model, [*messages, Message("user", "")])


def chunk_prompts(model: LlamaModel) -> PassagePrompts:
    """Prompts that ask for the points of a long passage."""
    return PassagePrompts(model, [Message("system", _CHUNK_SYSTEM), Message("user", "\n\n" + _CHUNK_TASK)])
