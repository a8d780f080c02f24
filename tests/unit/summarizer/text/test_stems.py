"""Stems: which words are the same, and which are not."""

import pytest

from predictors.summarizer.text.stems import stem


@pytest.mark.parametrize(
    "forms",
    [
        "cancel cancels cancelled canceled cancelling cancellation cancellations",
        "terminate terminates terminated terminating termination",
        "renew renewal renewals renewed renewing",
        "collect collects collected collection",
        "liable liability liabilities",
        "pay pays payment payments payable paying",
        "delete deletes deleted deletion",
        "transfer transfers transferred transferring transferable",
        "arbitrate arbitration arbitrator",
        "automatic automatically",
        "policy policies",
    ],
)
def test_forms_of_a_word_have_one_stem(forms: str) -> None:
    assert len({stem(form) for form in forms.split()}) == 1


@pytest.mark.parametrize("words", ["term terminate", "price prize", "notice note", "legal leg", "need new", "free fee"])
def test_other_words_have_other_stems(words: str) -> None:
    one, other = map(stem, words.split())
    assert one != other
