"""The evaluation set is sound, and so are documents of one's own."""

import json
from pathlib import Path

import pytest

from tests import eval as evaluation_set
from tests.eval import Example
from tests.eval.context import lead_in, place, sentences

CHARS_PER_TOKEN = 4.4
EXAMPLES = evaluation_set.load(evaluation_set.names())
each_example = pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)


def test_the_set_is_large_and_varied() -> None:
    assert len(EXAMPLES) >= 20
    assert len({example.kind for example in EXAMPLES}) == len(EXAMPLES)
    tokens = [len(example.text) / CHARS_PER_TOKEN for example in EXAMPLES]
    assert min(tokens) == pytest.approx(500, rel=0.15)
    assert max(tokens) == pytest.approx(20_000, rel=0.15)


@each_example
def test_a_document_has_facts_and_absent_facts(example: Example) -> None:
    assert len(example.facts) >= 8
    assert len(example.absent) >= 3
    claims = (*example.facts, *example.absent)
    assert len({claim.id for claim in claims}) == len(claims)
    assert all(claim.patterns for claim in claims)


@each_example
def test_a_fact_is_quoted_from_its_document_and_recognized(example: Example) -> None:
    for fact in example.facts:
        start, _ = place(fact.quote, example.text)
        quoted = " ".join(f"{lead_in(example.text, start)} {fact.quote}".split())
        assert fact.is_in(quoted), fact.id
        assert fact.is_in(fact.statement), fact.id


@each_example
def test_an_absent_fact_is_recognized_and_nowhere_in_its_document(example: Example) -> None:
    lines = [" ".join(sentence.split()) for sentence in sentences(example.text)]
    for claim in example.absent:
        assert claim.is_in(claim.statement), claim.id
        assert not [line for line in lines if claim.is_in(line)], claim.id


def test_documents_of_ones_own(tmp_path: Path) -> None:
    (tmp_path / "lease.txt").write_text("The rent is €50. Dogs are not allowed.", "utf-8")
    (tmp_path / "lease.facts.json").write_text(json.dumps([{"fact": "rent 50", "pattern": "€50"}]), "utf-8")
    (tmp_path / "notes.txt").write_text("No facts are known of this.", "utf-8")
    (example,) = evaluation_set.read(tmp_path)
    assert example.name == "lease"
    assert [fact.id for fact in example.facts] == ["rent 50"]
    assert example.facts[0].is_in("The rent is €50.")


@pytest.mark.parametrize("facts", ["{}x", '["a"]', '[{"fact": "a"}]', '[{"fact": "a", "pattern": "("}]'])
def test_facts_in_another_form_are_refused(tmp_path: Path, facts: str) -> None:
    (tmp_path / "lease.txt").write_text("The rent is €50.", "utf-8")
    (tmp_path / "lease.facts.json").write_text(facts, "utf-8")
    with pytest.raises(ValueError, match=r"lease\.facts\.json is not a list of objects with a fact and a pattern"):
        evaluation_set.read(tmp_path)


def test_a_directory_without_documents_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"has no NAME\.txt with a NAME\.facts\.json"):
        evaluation_set.read(tmp_path)
