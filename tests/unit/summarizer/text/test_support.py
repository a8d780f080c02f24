"""Support: what each rule does, and that faithful bullets are told from unfaithful ones."""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from predictors.summarizer.text.support import CUT, Citation, SourceIndex
from tests.unit.summarizer.text.paraphrases import TRIPLES

ROOT = Path(__file__).parents[4]


@pytest.fixture(scope="module")
def contract() -> SourceIndex:
    return SourceIndex([clause for clause, _, _ in TRIPLES])


def score(source: str, bullet: str) -> float:
    """Of a bullet in a contract whose other clauses have nothing to do with it."""
    return SourceIndex([source, "Parking is behind the building.", "Lockers are emptied weekly."]).cite(bullet).score


def test_faithful_bullets_are_told_from_unfaithful_ones(contract: SourceIndex) -> None:
    faithful = [contract.cite(bullet).score for _, bullet, _ in TRIPLES]
    unfaithful = [contract.cite(bullet).score for _, _, bullet in TRIPLES]
    assert sum(each >= 0.5 for each in faithful) >= 0.9 * len(TRIPLES)
    assert sum(each < 0.5 for each in unfaithful) >= 0.9 * len(TRIPLES)


def test_faithful_bullets_are_cited_from_their_clause(contract: SourceIndex) -> None:
    found = [place in contract.cite(bullet).sentences for place, (_, bullet, _) in enumerate(TRIPLES)]
    assert sum(found) >= 0.95 * len(TRIPLES)


def test_a_clause_supports_itself(contract: SourceIndex) -> None:
    for place, (clause, _, _) in enumerate(TRIPLES):
        citation = contract.cite(clause)
        assert citation.sentences == (place,)
        assert citation.score == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("source", "bullet"),
    [
        ("Return it within 14 days.", "Return it within two weeks."),
        ("Return it within 24 hours.", "Return it within one day."),
        ("The lease runs for twelve (12) months.", "The lease runs for a year."),
        ("The towel costs EUR 20.", "The towel costs €20.00."),
        ("The towel costs $1,500.", "The towel costs 1500."),
        ("The towel is billed monthly.", "The towel is billed every month."),
    ],
)
def test_a_number_in_another_form_is_the_same(source: str, bullet: str) -> None:
    assert score(source, bullet) > CUT


@pytest.mark.parametrize(
    ("source", "bullet"),
    [
        ("Return the towel within 14 days.", "Return the towel within 14 months."),
        ("Return the towel within 30 days.", "Return the towel within one month."),
        ("The towel costs $20.", "The towel costs €20."),
        ("The towel costs $20.", "The towel costs $25."),
        ("The towel costs 20%.", "The towel costs $20."),
        ("The towel costs $20 a month.", "The towel costs $20 a year."),
        ("The towel comes on the 15th.", "The towel comes for $15."),
    ],
)
def test_another_number_or_unit_cuts_the_score(source: str, bullet: str) -> None:
    assert 0 < score(source, bullet) <= CUT


def test_a_number_from_an_unrelated_sentence_does_not_count() -> None:
    index = SourceIndex(["The towel costs $20.", "A boat in the harbour needs $45 of paint."])
    assert index.cite("The towel costs $45.").score <= CUT


def test_a_third_party_must_be_in_the_source() -> None:
    source = "We share your address with advertisers."
    assert score(source, "Your address is shared with advertisers.") == pytest.approx(1.0)
    assert score(source, "Your address is shared with advertisers and employers.") <= CUT


@pytest.mark.parametrize(
    ("source", "bullet"),
    [
        ("You may sublet the flat.", "You may not sublet the flat."),
        ("You may not sublet the flat.", "You may sublet the flat."),
        ("We never read your letters.", "We read your letters."),
        ("There are no refunds for tickets.", "There are refunds for tickets."),
        ("We may change the menu without notice.", "We may change the menu with notice."),
        ("You waive the right to a jury.", "You have the right to a jury."),
        ("Pets are not allowed.", "Pets are allowed."),
        ("Smoking is prohibited in the flat.", "Smoking is fine in the flat."),
        ("It renews unless you object.", "It renews if you object."),
        ("If you fail to return the key, you pay.", "If you return the key, you pay."),
        ("The minimum stay is long.", "The maximum stay is long."),
        ("We can't open the safe.", "We can open the safe."),
    ],
)
def test_the_opposite_cuts_the_score(source: str, bullet: str) -> None:
    assert 0 < score(source, bullet) <= CUT


@pytest.mark.parametrize(
    ("source", "bullet"),
    [
        ("Tickets are non-refundable.", "Tickets cannot be refunded."),
        ("Smoking is prohibited in the flat.", "You must not smoke in the flat."),
        ("We do not offer refunds for tickets.", "No refunds for tickets."),
        ("It renews unless you object.", "It renews if you don't object."),
        ("It renews unless you object.", "It renews until you object."),
        ("We do not open letters except with a warrant.", "We open letters with a warrant."),
        ("We do not open letters except with a warrant.", "We do not open letters without a warrant."),
        ("Tell us no later than Friday.", "Tell us by Friday."),
        ("Bring shoes, including but not limited to boots.", "Bring shoes, such as boots."),
        ("You give up the right to a jury.", "You waive the right to a jury."),
        ("You may not leave in spring, but you may leave in autumn.", "You may leave in autumn."),
    ],
)
def test_the_same_said_with_another_negation_is_not_cut(source: str, bullet: str) -> None:
    assert score(source, bullet) > CUT


@pytest.mark.parametrize(
    ("source", "bullet"),
    [
        ("We terminate the lesson.", "The company ends the lesson."),
        ("The user buys a towel.", "You purchase a towel."),
        ("We disclose data.", "We share information."),
        ("The charge is small.", "The fee is small."),
    ],
)
def test_synonyms_count_as_one_word(source: str, bullet: str) -> None:
    assert score(source, bullet) == pytest.approx(1.0)


def test_a_word_from_nowhere_weighs_more_than_a_common_one() -> None:
    index = SourceIndex(["The towel is blue.", "The towel is dry.", "The towel is big."])
    score = index.cite("The towel is embroidered.").score
    assert 0 < score < 0.5


def test_a_bullet_of_two_clauses_cites_both_in_order() -> None:
    index = SourceIndex(
        ["Cancelling takes 30 days of notice.", "Parking is behind the building.", "A session costs 9 euros."]
    )
    citation = index.cite("A session costs €9, and cancelling takes 30 days of notice.")
    assert citation.sentences == (0, 2)
    assert 0.75 < citation.score < 1


def test_candidates_limit_what_is_cited() -> None:
    index = SourceIndex(["Towels cost 5 euros.", "Parking is behind the building.", "Towels cost 5 euros."])
    assert index.cite("Towels cost 5 euros.").sentences == (0,)
    assert index.cite("Towels cost 5 euros.", range(1, 3)).sentences == (2,)
    assert index.cite("Towels cost 5 euros.", {1}) == Citation((), 0.0)


@pytest.mark.parametrize("bullet", ["", "the of and", "…", "Zebras gallop"])
def test_what_shares_no_word_is_unsupported(bullet: str, contract: SourceIndex) -> None:
    assert contract.cite(bullet) == Citation((), 0.0)
    assert SourceIndex([]).cite(bullet) == Citation((), 0.0)


_TEXT = st.one_of(
    st.text(max_size=60),
    st.lists(
        st.sampled_from(
            [word for clause, *_ in TRIPLES for word in clause.split()] + ["not", "one", "and", "hundred", "²"]
        )
    ).map(" ".join),
)


@given(st.lists(_TEXT, max_size=8), _TEXT, st.sets(st.integers(0, 7)))
def test_any_text_gets_a_score_and_few_sentences(sentences: list[str], bullet: str, wanted: set[int]) -> None:
    candidates = {place for place in wanted if place < len(sentences)}
    sentences_cited, value = SourceIndex(sentences).cite(bullet, candidates)
    assert 0 <= value <= 1
    assert len(sentences_cited) <= 3
    assert list(sentences_cited) == sorted(candidates.intersection(sentences_cited))
    assert bool(sentences_cited) == (value > 0)


def test_replicas_agree_to_the_last_digit() -> None:
    """Strings hash differently in each process, so the order of sets differs too."""
    code = (
        "from predictors.summarizer.text.support import SourceIndex as Index;"
        "from tests.unit.summarizer.text.paraphrases import TRIPLES as triples;"
        "print([Index([each[0] for each in triples]).cite(text) for each in triples for text in each])"
    )
    printed = {
        subprocess.run(
            [sys.executable, "-c", code], env={"PYTHONHASHSEED": seed}, cwd=ROOT, capture_output=True, check=True
        ).stdout
        for seed in "123"
    }
    assert len(printed) == 1
