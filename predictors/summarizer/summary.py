"""The summary of a document: its points, and what they cost."""

from dataclasses import dataclass, field
from typing import Any, Literal

from predictors.summarizer.engine.types import FinishReason, Generation

Mode = Literal["full", "fast"]


@dataclass(slots=True)
class Summary:
    """A summary, and what it cost.

    Args:
        mode: how much of the document the model read.
        points: the bullets as answers show them.
        finish_reason: ``length`` if points were left out because the summary would have become too long.
        prompt_tokens, cached_tokens, completion_tokens: of all passages together (see `Generation`).
        seconds_to_first_token: the least of all passages; 0 if there is none.
    """

    mode: Mode
    points: list[dict[str, Any]] = field(default_factory=list)
    finish_reason: FinishReason = "stop"
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    seconds_to_first_token: float = 0.0

    @property
    def text(self) -> str:
        """The bullets as text."""
        return "\n".join(f"- {point['text']}" for point in self.points)

    def count(self, generation: Generation) -> None:
        """Add what a passage cost."""
        self.prompt_tokens += generation.prompt_tokens
        self.cached_tokens += generation.cached_tokens
        self.completion_tokens += generation.completion_tokens
        first = self.seconds_to_first_token or generation.seconds_to_first_token
        self.seconds_to_first_token = min(first, generation.seconds_to_first_token)
