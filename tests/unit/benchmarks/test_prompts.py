"""What the summarizer's benchmark asks."""

from pathlib import Path

import pytest

from tests.benchmarks.chat.prompts import Tokenizer, document, questions

pytestmark = pytest.mark.llama


def test_documents_are_as_long_as_asked_and_no_two_alike(artifacts: Path) -> None:
    path = next((artifacts / "summarizer").glob("*.gguf"))
    tokenizer = Tokenizer(path)
    one, other = (document(tokenizer, 300, key) for key in ("one", "other"))
    assert 300 <= tokenizer.count(one) < 345
    assert one != other
    assert len({turn.system for turn in questions(tokenizer, "one", 4)}) == 1
    assert 0.9 * path.stat().st_size < tokenizer.weight_bytes < path.stat().st_size
    tokenizer.close()
