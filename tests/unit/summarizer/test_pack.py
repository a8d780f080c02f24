from pathlib import Path

import pytest

from predictors.serving.errors import ArtifactError
from predictors.summarizer.pack import describe

pytestmark = pytest.mark.llama


def test_a_name_that_no_manifest_takes_is_refused(artifacts: Path, tmp_path: Path) -> None:
    hidden = tmp_path / ".hidden.gguf"
    hidden.symlink_to(next((artifacts / "summarizer").glob("*.gguf")))
    with pytest.raises(ArtifactError, match=r"\.hidden\.gguf is not a name that a file of an artifact may have"):
        describe(hidden, "2")
