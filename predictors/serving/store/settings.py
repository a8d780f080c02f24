"""The settings of the model store."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from predictors.serving.settings import Settings


class StoreSettings(Settings):
    """Several versions of models in one server, from a folder. Off by default."""

    model_store: Path | None = Field(
        default=None,
        description="Folder with a folder per model, each with one artifact directory per version: iris/1, iris/2. It "
        "is watched: versions may come and go.",
    )
    model_loading: Literal["lazy", "eager"] = Field(
        default="lazy",
        description="When models of the store are loaded: lazy (each version on its first use), or eager (each model's "
        "default version at the start, the others on their first use).",
    )
    max_loaded_bytes: int | None = Field(
        default=None,
        ge=1,
        description="Maximum size of the store's models in memory, bytes; above it, the least recently used are "
        "unloaded until they are asked for again.",
    )
