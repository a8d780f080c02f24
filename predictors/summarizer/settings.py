"""Settings of the summarizer predictor."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from predictors.serving.settings import Settings


class SummarizerSettings(Settings):
    """Settings that only the summarizer has."""

    gguf: Path | None = Field(default=None, description="Serve this GGUF file instead of an artifact directory.")
    context_tokens: int = Field(
        default=2048,
        ge=256,
        description="Maximum length of a prompt and its answer together, tokens; at most what the model was trained "
        "for. Documents may be longer. The KV cache holds this many tokens for each slot, and for two more sequences.",
    )
    slots: int = Field(default=8, ge=1, le=64, description="Answers generated at the same time; more wait.")
    threads: int = Field(default=0, ge=0, description="Compute threads; 0: as many as the CPU quota allows.")
    gpu_layers: int = Field(
        default=0,
        ge=-1,
        description="Layers that a GPU computes, counted from the model's output, which is one too; -1: all. They and "
        "their part of the KV cache are in the GPU's memory. It needs a llama.cpp that was compiled for GPUs.",
    )
    reading: Literal["auto", "clauses", "chunks"] = Field(
        default="auto",
        description="What the model does: of clauses, it chooses what can be left out; of chunks, it says in its own "
        "words what matters; auto: as the artifact's manifest says, or clauses.",
    )
    chunk_tokens: int | None = Field(
        default=None, ge=50, description="Maximum length of a chunk, tokens; by default what the context allows."
    )
    instructions_file: Path | None = Field(
        default=None,
        description="JSON file with the model's own instructions, examples, chat template and sampling, in the form of "
        "the manifest's settings; what it has wins over them.",
    )
    fast_tokens: int = Field(
        default=1000, ge=50, description="Maximum number of tokens of a document that the mode fast reads in chunks."
    )
    unsupported: Literal["quote", "drop", "mark"] = Field(
        default="quote",
        description="What happens to a point of a chunk that its source does not support: the source is quoted instead "
        "(quote), "
        "the point is left out (drop), or it is kept with its low support score (mark).",
    )
