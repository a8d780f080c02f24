"""Settings of the summarizer predictor."""

from pathlib import Path

from pydantic import Field

from predictors.serving.settings import Settings


class SummarizerSettings(Settings):
    """What only the summarizer has."""

    gguf: Path | None = Field(default=None, description="Serve this GGUF file instead of an artifact directory.")
    context_tokens: int = Field(
        default=0,
        ge=0,
        description="Tokens of prompt and answer together; 0: what the model was trained for, at most 8192.",
    )
    threads: int = Field(default=0, ge=0, description="Computing threads; 0: as many as the CPU quota allows.")
