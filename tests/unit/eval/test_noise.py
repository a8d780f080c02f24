"""Points that are of no use are recognized."""

import pytest

from tests.eval.noise import duplicates, is_off_topic, is_trivial, is_unclear


@pytest.mark.parametrize(
    "text",
    ["C1.", "12", "FEES AND CHARGES", "Your information", "Welcome to FitLoop.", "Please be kind to other members.",
     "Last updated: 3 February 2026", "Headings are for convenience only.", "4. Liability", "Thank you for choosing us.",
     "These terms are a contract between you and us."],
)  # fmt: skip
def test_trivial(text: str) -> None:
    assert is_trivial(text)


@pytest.mark.parametrize(
    "text",
    ["You must be 16.", "Fee: 5 euros", "No refunds.", "Smoking is prohibited.", "Guests pay £8.", "Free trial of 14 days",
     "We may end your access right away if you break these terms."],
)  # fmt: skip
def test_not_trivial(text: str) -> None:
    assert not is_trivial(text)


@pytest.mark.parametrize(
    ("text", "unclear"),
    [
        ("It costs $119 a year.", True),
        ("This fee is charged twice.", True),
        ("They may sell it.", True),
        ("This agreement ends after a year.", False),
        ("These terms apply from May.", False),
        ("It is forbidden to smoke.", False),
        ("Itineraries are final.", False),
    ],
)
def test_a_point_names_what_it_is_about(text: str, unclear: bool) -> None:
    assert is_unclear(text) is unclear


def test_a_topic_needs_a_word_for_it() -> None:
    assert is_off_topic("disputes", "Guests may bring a towel.")
    assert not is_off_topic("disputes", "Guests may sue us.")
    assert not is_off_topic("something of a later version", "Guests may bring a towel.")


def test_repetitions() -> None:
    fee = "You pay a fee of 5 euros a month."
    assert duplicates([fee, "Dogs are not allowed.", "You pay a fee of 5 euros every month."]) == [False, False, True]
    assert duplicates([fee, "You pay a fee of 6 euros a month."]) == [False, False]
    assert duplicates(["The rent is payable. " * 3]) == [True]
