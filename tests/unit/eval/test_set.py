"""The evaluation set is sound."""

import re

import pytest

from tests import eval as evaluation_set
from tests.eval import Example

CHARS_PER_TOKEN = 4.4
EXAMPLES = evaluation_set.load(evaluation_set.names())
each_example = pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)


def test_the_set_is_large_and_varied() -> None:
    assert len(EXAMPLES) >= 12
    assert len({example.kind for example in EXAMPLES}) == len(EXAMPLES)
    tokens = [len(example.text) / CHARS_PER_TOKEN for example in EXAMPLES]
    assert min(tokens) == pytest.approx(500, rel=0.15)
    assert max(tokens) == pytest.approx(20_000, rel=0.15)


@each_example
def test_a_document_has_facts_and_absent_facts(example: Example) -> None:
    assert 8 <= len(example.facts) <= 15
    assert len(example.absent) >= 3
    claims = (*example.facts, *example.absent)
    assert len({claim.id for claim in claims}) == len(claims)
    assert all(claim.patterns for claim in claims)


@each_example
def test_a_fact_is_quoted_from_its_document_and_recognized(example: Example) -> None:
    for fact in example.facts:
        assert fact.quote in example.text
        assert fact.is_in(fact.quote), fact.id
        assert fact.is_in(fact.statement), fact.id


@each_example
def test_an_absent_fact_is_recognized_and_nowhere_in_its_document(example: Example) -> None:
    paragraphs = [" ".join(paragraph.split()) for paragraph in re.split(r"\n\s*\n", example.text)]
    for claim in example.absent:
        assert claim.is_in(claim.statement), claim.id
        assert not [paragraph for paragraph in paragraphs if claim.is_in(paragraph)], claim.id
