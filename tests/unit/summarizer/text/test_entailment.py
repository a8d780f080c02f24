"""Which sentences say what their source says: hardly a false one is taken for true, at the price of true ones refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from predictors.summarizer.text.entailment import says_the_same
from predictors.summarizer.text.sensitive import decides
from tests.eval.accuracy import FILES, distorted, measure, pairs
from tests.unit.summarizer.text.paraphrases import TRIPLES

SOURCES = sorted({pair.source for name in FILES for pair in pairs(name)})


def refuses(text: str, source: str) -> bool:
    return not says_the_same(text, source)


@pytest.mark.parametrize("name", FILES)
def test_distortions_are_refused_and_most_rewordings_kept(name: str) -> None:
    found = measure(name, refuses)
    assert found.recall == 1.0
    assert found.share_kept >= 0.55


def test_no_unfaithful_paraphrase_is_kept() -> None:
    assert not [unfaithful for clause, _, unfaithful in TRIPLES if says_the_same(unfaithful, clause)]


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("You may cancel within 14 days of the order.", "You can cancel within 14 days of the order."),
        ("You must pay the rent, and we may raise it.", "You have to pay the rent."),
        ("You must give thirty (30) days' notice.", "You must give 30 days' notice."),
        ("The tenant shall not keep any pets.", "You must not keep pets."),
        ("If you are late, we charge a fee of €25.", "We charge a €25 fee if you are late."),
        ("We may share your data with advertisers.", "Your data may be shared with advertisers."),
        ("We will notify you of changes two weeks before they apply.", "We tell you of changes 14 days before they apply."),
        ("The warranty lasts for two years from delivery.", "The warranty lasts 24 months from delivery."),
    ],
)  # fmt: skip
def test_the_same_in_other_words(source: str, text: str) -> None:
    assert says_the_same(text, source)


@pytest.mark.parametrize(
    ("source", "text"),
    [
        # Who does it, and to whom.
        ("We may charge you a fee.", "You may charge us a fee."),
        ("We may charge you a fee.", "We may pay you a fee."),
        ("We may share your data with advertisers.", "You may share our data with advertisers."),
        ("The tenant pays for damage by the guest.", "You pay for damage by you."),
        ("The fee is paid to us.", "The fee is paid by us."),
        ("We may cancel your order.", "Your order may be cancelled by you."),
        # Polarity.
        ("We do not sell your data.", "We sell your data."),
        ("Deposits are refunded.", "Deposits are not refunded."),
        ("You can opt in.", "You can opt out."),
        # Modality.
        ("You may cancel.", "You must cancel."),
        ("You need not tell us why.", "You must not tell us why."),
        ("We may share your data.", "We share your data."),
        # Conditions, exceptions, deadlines, reasons.
        ("You may cancel unless the box was opened.", "You may cancel."),
        ("You may cancel if the box was opened.", "You may cancel unless the box was opened."),
        ("If you are late, we charge a fee, and we may end the lease.", "We may end the lease."),
        ("We keep it for 7 years because of tax laws.", "We keep it for 7 years."),
        ("Claims must reach us within 60 days.", "Claims must reach us."),
        ("Pay the fee and return the key.", "Pay the fee or return the key."),
        # Numbers.
        ("The key costs €5 and the lock costs €9.", "The key costs €9 and the lock costs €5."),
        ("It costs $20 a month.", "It costs $20 a year."),
        ("You pay at least $20.", "You pay at most $20."),
        ("Drivers over 65 pay $20.", "Drivers under 65 pay $20."),
        # More than is there.
        ("You may cancel.", "You may cancel for free."),
        ("", "You may cancel."),
        ("You may cancel.", ""),
    ],
)
def test_something_else(source: str, text: str) -> None:
    assert not says_the_same(text, source)


@given(st.sampled_from(SOURCES))
def test_a_source_says_itself(source: str) -> None:
    assert says_the_same(source, source)


@given(st.sampled_from(SOURCES), st.data())
def test_no_word_that_decides_can_be_left_out(source: str, data: st.DataObject) -> None:
    words = source.split()
    place = data.draw(st.sampled_from([i for i, word in enumerate(words) if decides(word.lower())]))
    without = " ".join([*words[:place], *words[place + 1 :]])
    if words[place].lower().strip(",.;:") not in _GRAMMAR:
        assert not says_the_same(without, source), words[place]


# These only decide together with others, or are said twice in the source.
_GRAMMAR = {"will", "shall", "the", "any", "all", "each", "every", "they", "them", "it", "also", "two", "but"}


@given(st.text(max_size=200), st.text(max_size=200))
def test_any_texts_can_be_compared(text: str, source: str) -> None:
    says_the_same(text, source)


def test_distortions_by_rule_of_every_quoted_fact_are_refused() -> None:
    made = list(distorted())
    kept = [pair.text for pair in made if says_the_same(pair.text, pair.source)]
    assert len(made) >= 1000
    assert len(kept) <= 0.001 * len(made), kept
