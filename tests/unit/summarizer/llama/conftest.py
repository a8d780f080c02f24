"""The model that tests of llama.cpp share."""

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def gguf(artifacts: Path) -> Path:
    """The default model's file."""
    return next((artifacts / "summarizer").glob("*.gguf"))
