"""The second opinion: what counts as a clause's own words with nothing left out that decides."""

import pytest

from tests.unit.summarizer.text.guarantee import is_compression


@pytest.mark.parametrize(
    ("text", "cited"),
    [
        ("You pay 9 euros a month.", "You pay 9 euros a month."),
        ("You pay 9 euros a month.", "4.2  You pay\n9 euros a month."),
        ("You pay 9 euros a month.", "(a) you pay 9 euros a month."),
        ("We may end it.", "Please note that we may end it."),
        ("We may end it.", "However, for the avoidance of doubt, we may end it."),
        ("We waive it.", "We hereby waive it."),
        ("Waymark is a company.", 'Waymark ("we", "us" or "our") is a company.'),
        ("The app is ours.", "The app (together, the “Service”) is ours."),
        ("Fees are due on the first.", "Fees are due on the first (see clause 4.2 below)."),
        ("Pets are not allowed.", "Pets (such as dogs or parrots) are not allowed."),
        ("The key, if lost, costs 80 euros.", "The key, which is made of brass, if lost, costs 80 euros."),
        ("You must not: resell it.", "You must not:\n(a) resell it; or"),
        ("We collect data, including your name.", "We collect data, including but not limited to your name."),
    ],
)
def test_what_is_left_out_of_a_true_point_decides_nothing(text: str, cited: str) -> None:
    assert is_compression(text, [cited])


@pytest.mark.parametrize(
    "label",
    ["1.", "(a)", "A1.", "B2", "AB12.", "C1:", "A1.2", "\u00a7 3", "Art. 5", "Sec. 2.1", "Clause 4.2:", "Para. 3"],
)
def test_a_label_may_be_left_out(label: str) -> None:
    assert is_compression("You pay \u00a35 a month.", [f"{label} You pay \u00a35 a month."])


@pytest.mark.parametrize("words", ["ABC1.", "a1", "A1234.", "Art", "B2B"])
def test_what_is_no_label_may_not_be_left_out(words: str) -> None:
    assert not is_compression("You pay \u00a35 a month.", [f"{words} You pay \u00a35 a month."])


@pytest.mark.parametrize(
    ("text", "cited"),
    [
        ("You pay 9 euros.", "You pay 9 euros a month."),
        ("You pay a month.", "You pay 9 euros a month."),
        ("We may share your data.", "We may not share your data."),
        ("We share your data.", "We may share your data."),
        ("You may leave.", "You may leave if you give notice."),
        ("You may leave.", "You may leave, unless you owe us money."),
        ("The fee is not refunded.", "The fee is not refunded (except where we cancel)."),
        ("The fee, which is 12 euros, is due.", "The fee, which is 15 euros, is due."),
        ("The fee is due.", "The fee, which is 15 euros, is due."),
        ("Data goes to others.", "Data goes to others, such as our partners."),
        ("We keep records for seven years.", "We keep records for seven years, because of laws on taxes."),
        ("Partners may write.", "Our partners may write."),
        ("You are paid 9 euros.", "You pay 9 euros."),
        ("You pay us 9 euros.", "We pay you 9 euros."),
        ("you pay 9 euros.", "You pay 9 euros."),
        ("Late fees are due.", "Fees are due late."),
        ("It costs 9 euros. It costs 9 euros.", "It costs 9 euros."),
        ("The deposit is kept.", "The deposit, which we owe you, is kept."),
        ("Colours differ.", "Red colours differ."),
        ("The charge is £12.50 to the due date", "late payment charge of £12.50."),
        ("", "You pay 9 euros."),
    ],
)
def test_a_point_that_says_less_or_else_is_found(text: str, cited: str) -> None:
    assert not is_compression(text, [cited])


def test_a_point_may_cite_several_passages_in_order() -> None:
    cited = ["3. Membership Plus", "It costs $119 a year."]
    assert is_compression("Membership Plus: It costs $119 a year.", cited)
    assert not is_compression("It costs $119 a year. Membership Plus:", cited)
