"""What a model is refused for before it is loaded."""

from pathlib import Path

import pytest

from predictors.serving.errors import ArtifactError
from predictors.summarizer import runtime
from predictors.summarizer.llama.memory import RUNTIME_BYTES
from predictors.summarizer.settings import SummarizerSettings
from predictors.summarizer.tuning import Tuning


def test_weights_that_cannot_fit_are_not_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file would be refused for what is in it, if it were read."""
    (tmp_path / "large.gguf").write_bytes(bytes(2**20))
    monkeypatch.setattr(runtime, "memory_limit", lambda: RUNTIME_BYTES)
    with pytest.raises(
        ArtifactError,
        match=r"^large\.gguf takes 229 MiB even without a KV cache, and the memory limit is 228 MiB; raise",
    ):
        runtime.Runtime(tmp_path / "large.gguf", "large.gguf", SummarizerSettings(), Tuning())
