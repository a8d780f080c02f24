from pathlib import Path

import pytest

from predictors.serving.errors import ArtifactError
from predictors.summarizer.pack import Naming, describe

pytestmark = pytest.mark.llama


def test_a_name_that_no_manifest_takes_is_refused(artifacts: Path, tmp_path: Path) -> None:
    odd = tmp_path / "a\\b.gguf"
    odd.symlink_to(next((artifacts / "summarizer").glob("*.gguf")))
    with pytest.raises(ArtifactError, match=r"a\\b\.gguf is not a name that a file of an artifact may have"):
        describe(odd, Naming("2"))


def test_the_own_prompt_goes_into_the_manifest(artifacts: Path, tmp_path: Path) -> None:
    gguf = next((artifacts / "summarizer").glob("*.gguf"))
    prompt = tmp_path / "prompt.json"
    prompt.write_text('{"reading": "chunks", "instructions": {"task": "Terms: {text}"}}', "utf-8")
    manifest = describe(gguf, Naming("2", "terms", prompt))
    assert manifest.settings == {"reading": "chunks", "instructions": {"task": "Terms: {text}"}}
    assert manifest.name == "terms"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ('{"reading": "pages"}', 'prompt.json has a wrong setting "reading"'),
        ('{"chat_template": "{%"}', "the setting chat_template is not valid Jinja"),
        ("chunks", "prompt.json is not JSON"),
    ],
)
def test_a_broken_prompt_is_refused(artifacts: Path, tmp_path: Path, content: str, says: str) -> None:
    prompt = tmp_path / "prompt.json"
    prompt.write_text(content, "utf-8")
    with pytest.raises(ArtifactError, match=says):
        describe(next((artifacts / "summarizer").glob("*.gguf")), Naming("2", "terms", prompt))
