"""A model's own prompt: what is accepted, what wins, and what is sent."""

import json
from pathlib import Path
from typing import Any

import pytest

from predictors.serving.artifacts.files import FileEntry
from predictors.serving.artifacts.manifest import Manifest
from predictors.serving.errors import ArtifactError
from predictors.serving.model.types import TextBatch
from predictors.serving.settings import Source
from predictors.summarizer.model import SummarizerPredictor, effective_tuning
from predictors.summarizer.prompts import PassagePrompts, chunk_prompts, clause_prompts
from predictors.summarizer.settings import SummarizerSettings
from predictors.summarizer.tuning import Tuning, read_tuning, read_tuning_file

OWN: dict[str, Any] = {
    "reading": "chunks",
    "instructions": {"system": "You read contracts.", "task": "Text: {text} Points:"},
    "examples": [{"text": "A fee.", "answer": "- You pay."}],
    "sampling": {"temperature": 0.5, "top_p": 0.9, "seed": 7},
    "chunk_tokens": 300,
}


def manifest(settings: dict[str, Any]) -> Manifest:
    entry = FileEntry(name="model.gguf", format="gguf", sha256="0" * 64, size_bytes=0)
    return Manifest(
        name="terms", version="1", kind="summarizer", files=(entry,), inputs=(), outputs=(), settings=settings
    )


class Characters:
    """A tokenizer with a token for each character, and roles as negative numbers."""

    roles = ("system", "user", "assistant")

    def tokenize(self, text: str) -> list[int]:
        return list(map(ord, text))

    def frame(self, roles: Any) -> list[list[int]]:
        if "system" in roles[1:]:
            raise ValueError("the model's chat template does not take messages in this order of roles")
        return [[-1 - self.roles.index(role)] for role in roles] + [[-9]]


def sent(prompts: PassagePrompts) -> str:
    names = {-1: "<S>", -2: "<U>", -3: "<A>", -9: "<end>"}
    tokens = prompts.prompt(list(map(ord, "PASSAGE"))).tokens
    return "".join(names.get(token) or chr(token) for token in tokens)


@pytest.mark.parametrize("prompts", [clause_prompts, chunk_prompts])
def test_the_models_own_words_are_sent(prompts: Any) -> None:
    tuning = read_tuning(OWN, "the manifest")
    assert sent(prompts(Characters(), tuning)) == (
        "<S>You read contracts.<U>Text: A fee. Points:<A>- You pay.<U>Text: PASSAGE Points:<end>"
    )


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"instructions": {"task": "Summarize: {text}"}}, "<U>Summarize: PASSAGE<end>"),
        ({"instructions": {"task": "Summarize this."}}, "<U>PASSAGE\n\nSummarize this.<end>"),
        ({"instructions": {"system": "Be brief."}}, "<S>Be brief.<U>PASSAGE<end>"),
    ],
)
def test_what_is_left_out_of_the_instructions_is_not_sent(settings: dict[str, Any], expected: str) -> None:
    assert sent(chunk_prompts(Characters(), read_tuning(settings, "the manifest"))) == expected


def test_without_settings_the_built_in_words_are_sent() -> None:
    assert "kayak" in sent(clause_prompts(Characters(), Tuning()))
    assert "kayak" not in sent(clause_prompts(Characters(), Tuning(examples=())))
    assert "What a consumer" not in sent(chunk_prompts(Characters(), Tuning()))
    assert "<U>PASSAGE\n\nList what a consumer must know" in sent(chunk_prompts(Characters(), Tuning()))


def test_all_prompts_begin_with_the_same_tokens() -> None:
    prompts = chunk_prompts(Characters(), read_tuning(OWN, "the manifest"))
    one, other = prompts.prompt([1]), prompts.prompt([2, 3])
    assert one.reusable == other.reusable
    assert list(one.tokens)[: one.reusable] == list(other.tokens)[: one.reusable]
    assert prompts.overhead == len(one.tokens) - 1


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"readings": "chunks"}, 'the manifest has the unknown setting "readings"; a summarizer has reading, instructions'),
        ({"reading": "pages"}, "wrong setting \"reading\": Input should be 'clauses' or 'chunks'"),
        ({"instructions": "Be brief."}, 'wrong setting "instructions"'),
        ({"instructions": {"prompt": "x"}}, 'unknown setting "instructions.prompt"'),
        ({"instructions": {"task": "{text} {text}"}}, "task names {text} more than once"),
        ({"sampling": {"temperature": 3}}, 'wrong setting "sampling.temperature": Input should be less than'),
        ({"sampling": {"temperature": "hot"}}, 'wrong setting "sampling.temperature"'),
        ({"sampling": {"top_p": True}}, 'wrong setting "sampling.top_p"'),
        ({"examples": [{"text": "a"}]}, 'wrong setting "examples.0.answer": Field required'),
        ({"chunk_tokens": 1}, 'wrong setting "chunk_tokens"'),
        ({"chat_template": 5}, 'wrong setting "chat_template"'),
    ],
)  # fmt: skip
def test_wrong_settings_are_named(settings: dict[str, Any], says: str) -> None:
    with pytest.raises(ArtifactError) as error:
        read_tuning(settings, "the manifest")
    assert says in str(error.value)


def test_the_file_wins_over_the_manifest_and_flags_over_both(tmp_path: Path) -> None:
    file = tmp_path / "prompt.json"
    file.write_text(json.dumps({"chunk_tokens": 500, "instructions": {"task": "Go: {text}"}}), "utf-8")
    settings = SummarizerSettings(instructions_file=file, reading="clauses")
    tuning = effective_tuning(settings, manifest(OWN))
    assert tuning.reading == "clauses"
    assert tuning.chunk_tokens == 500
    assert tuning.instructions is not None
    assert tuning.instructions.task == "Go: {text}"
    assert tuning.sampling.given == {"temperature": 0.5, "top_p": 0.9, "seed": 7}
    assert effective_tuning(SummarizerSettings(chunk_tokens=77), manifest(OWN)).chunk_tokens == 77


def test_clauses_are_read_unless_somebody_says_otherwise() -> None:
    assert effective_tuning(SummarizerSettings(), manifest({})) == Tuning()
    assert effective_tuning(SummarizerSettings(), manifest(OWN)).reading == "chunks"
    assert effective_tuning(SummarizerSettings(reading="chunks"), manifest({})).reading == "chunks"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"{", "prompt.json is not JSON"),
        (b"[]", "prompt.json is not a JSON object"),
        (None, "prompt.json cannot be read"),
    ],
)
def test_a_file_that_is_no_settings(tmp_path: Path, content: bytes | None, says: str) -> None:
    file = tmp_path / "prompt.json"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ArtifactError, match=says):
        read_tuning_file(file)


def test_the_models_sampling_is_the_default_of_summaries() -> None:
    predictor = SummarizerPredictor("summarizer", Source(Path()))
    assert predictor.is_deterministic(TextBatch(["a"], {}))
    predictor.tuning = read_tuning({"sampling": {"temperature": 0.7}}, "the manifest")
    assert not predictor.is_deterministic(TextBatch(["a"], {}))
    assert predictor.is_deterministic(TextBatch(["a"], {"temperature": 0}))


def test_another_prompt_has_other_answers() -> None:
    predictor = SummarizerPredictor("summarizer", Source(Path()))
    before = predictor.settings_identity()
    predictor.tuning = read_tuning(OWN, "the manifest")
    assert predictor.settings_identity() != before
