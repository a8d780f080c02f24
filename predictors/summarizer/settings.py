"""Settings of the summarizer predictor."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from predictors.serving.settings import Settings


class SummarizerSettings(Settings):
    """What only the summarizer has."""

    gguf: Path | None = Field(default=None, description="Serve this GGUF file instead of an artifact directory.")
    context_tokens: int = Field(
        default=2048,
        ge=256,
        description="Most tokens of a prompt and its answer together, but no more than the model was trained for. "
        "Documents may have any length. The KV cache takes this many for each slot, and for two more.",
    )
    slots: int = Field(default=8, ge=1, le=64, description="Answers written at once; more wait.")
    threads: int = Field(default=0, ge=0, description="Computing threads; 0: as many as the CPU quota allows.")
    reading: Literal["auto", "clauses", "chunks"] = Field(
        default="auto",
        description="What the model reads of a document at a time: clauses (for small models), chunks as large as the "
        "context allows, or auto: clauses below a billion parameters.",
    )
    fast_tokens: int = Field(default=1000, ge=50, description="Most tokens of a document that the mode fast reads.")
    unsupported: Literal["quote", "drop", "mark"] = Field(
        default="quote",
        description="A point that its source does not support is replaced by the source's own words (quote), left out "
        "(drop), or kept with its low support score (mark).",
    )
