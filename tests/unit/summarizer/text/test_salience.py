"""Salience: clauses that cost a consumer something rank above boilerplate."""

import pytest

from predictors.summarizer.text.salience import salience

SALIENT = [
    "We collect your precise location and contact list whenever the app is open.",
    "Viewing history is combined with data bought from brokers to build a profile of your household.",
    "Your email address and purchase history are shared with advertising partners.",
    "We may sell your personal data if the business is acquired.",
    "A late fee of $35 applies to each payment received after the due date.",
    "Calls to premium numbers cost £1.20 a minute plus your provider's access charge.",
    "The price rises to €14.99 a month once the introductory offer is over.",
    "A deposit of 500 euros is held on your card and released within 14 days.",
    "If you lose the key, a replacement costs 80 CHF.",
    "Your plan renews automatically for another year unless cancelled 30 days before it ends.",
    "The minimum term is 24 months.",
    "You may cancel within fourteen days of purchase for a full refund.",
    "We can close your account at our sole discretion and without notice.",
    "Tickets are non-refundable and cannot be exchanged.",
    "You waive your right to a jury trial and to join a class action.",
    "We are not liable for any loss of data, however caused.",
    "You indemnify us against claims that arise from what you post.",
    "You grant us a perpetual, royalty-free licence to use your photographs in advertising.",
    "All disputes are resolved by binding arbitration in Singapore.",
    "We may change these terms at any time; continued use means that you accept them.",
    "You must report theft to the police within 24 hours or cover is void.",
    "The tenant must not sublet the flat without written consent.",
    "Flood damage and pre-existing conditions are not covered.",
    "Deleted messages are retained on our servers for up to 18 months.",
    "Users under 16 need a parent's consent.",
    "Interest of 2% per month accrues on overdue amounts.",
]
DULL = [
    "Welcome to our growing community!",
    "Thank you for choosing us for your holiday.",
    '"Business day" means a day on which banks in the city are open.',
    "In this agreement, words in the singular include the plural and the other way round.",
    "Headings are for convenience only and do not affect interpretation.",
    "If any provision is held to be unenforceable, the remaining provisions stay in force.",
    "This agreement may be signed in counterparts, which together form one document.",
    "This document is the entire agreement between the parties and supersedes earlier drafts.",
    "Our company was founded by two friends in a garage.",
    "Our award-winning team is proud to serve travellers on four continents.",
    "Notices are sent to the postal address of our registered office.",
    "The telephone number of reception is on the back of the brochure.",
    "Table of contents",
    "Part B",
    "General",
    "Photographs on this page are for illustration.",
    "Northern Lights Limited is incorporated in Scotland.",
    "The term \"Equipment\" refers to the items listed in Annex 2.",
    "Please read this page with a cup of tea.",
    "Capitalised expressions are defined in section 1.",
    # With words of the lexicon, but nothing that a consumer must learn.
    "This section describes how payments work in general.",
    "The paragraphs that follow explain our approach to personal data.",
    "We value your trust and work hard to keep it.",
    "A failure to enforce a provision is no waiver of it.",
    "References to a clause are to a clause of this contract.",
    "Payment cards and vouchers exist in several designs.",
    '"Charges" has the meaning given in the price list.',
    "Cookies are small text files that a browser stores.",
]  # fmt: skip


def score(sentence: str, section: str = "") -> float:
    return salience([sentence], [section])[0]


def test_what_matters_ranks_above_what_does_not() -> None:
    scores = salience([*SALIENT, *DULL], [""] * (len(SALIENT) + len(DULL)))
    pairs = [(high, low) for high in scores[: len(SALIENT)] for low in scores[len(SALIENT) :]]
    auc = sum((high > low) + 0.5 * (high == low) for high, low in pairs) / len(pairs)
    assert auc >= 0.9


@pytest.mark.parametrize(
    ("more", "less"),
    [
        ("Parking costs $40 there.", "Parking costs something there."),
        ("You get 15% of it in such cases.", "You get some of it in such cases."),
        ("The goods come back within thirty (30) days.", "The goods come back within some days."),
        ("The goods come back by 31 March at noon.", "The goods come back by then at noon."),
        ("The lockers are emptied without notice on Fridays.", "The lockers are emptied with notice on Fridays."),
        ("You must wear shoes in the hall.", "You wear your shoes in the hall."),
        ("The tenant must clean the oven.", "The cleaner must clean the oven."),
        ("The fee is small in such a case.", '"Fee" means the fee in such a case.'),
        ("A small booking fee applies.", "Booking fee."),
    ],
)
def test_signals(more: str, less: str) -> None:
    assert score(more) > score(less)


@pytest.mark.parametrize(
    "amount", ["€20", "20 €", "EUR 20", "20 euros", "twenty pounds", "US$20", "¥2,000", "CHF 20.-"]
)
def test_money_counts_in_all_its_forms(amount: str) -> None:
    assert score(f"The towel is {amount} for everyone.") > score("The towel is 20 centimetres for everyone.")


def test_a_heading_speaks_for_its_sentences() -> None:
    sentence = "It happens on the first working morning after that."
    assert score(sentence, "Cancellation fees") > score(sentence) >= score(sentence, "Definitions and interpretation")


@pytest.mark.parametrize(
    ("harsh", "mild"),
    [
        ("A bid cannot be retracted.", "A bid can be retracted."),
        ("There is no right of withdrawal.", "There is a right of withdrawal."),
        ("Every lot is sold as it stands.", "Every lot is sold as we describe."),
        ("The price stays the same even if the guest departs.", "The price stays the same and the guest departs."),
        ("Do not feed animals in the yard.", "Do feed animals in the yard."),
    ],
)
def test_what_takes_something_away_for_good_counts_more(harsh: str, mild: str) -> None:
    assert score(harsh) > score(mild) + 0.5


def test_that_a_part_cannot_be_enforced_takes_nothing_away() -> None:
    assert score("If a part of them cannot be enforced, the rest still applies.") < score("A bid cannot be retracted.")


def test_an_item_counts_with_what_introduces_it() -> None:
    item, lead = "lend it to anybody.", "You must not:"
    assert salience([item], [""], [lead]) == salience([f"{lead} {item}"], [""])
    assert salience([item], [""], [lead])[0] > score(item)


def test_a_definition_with_a_number_counts_as_a_rule() -> None:
    fee = '"Handling" means the packing of a parcel, for which we charge you 9 euros.'
    assert score(fee) > score('"Handling" means the packing of a parcel, for which we have a table.') + 1


def test_the_companys_own_name_counts_as_we() -> None:
    sentence = "Waymark may end this agreement with you at any time."
    assert salience([sentence], [""], ours=frozenset({"waymark"}))[0] > score(sentence)


def test_capitals_change_nothing() -> None:
    sentence = "We are not liable for any loss of data, and you pay 9 euros."
    assert score(sentence.upper()) == pytest.approx(score(sentence))


def test_scores_are_not_negative_and_one_a_sentence() -> None:
    assert salience([], []) == []
    assert min(salience([*DULL, "", "…"], ["Definitions"] * (len(DULL) + 2))) >= 0
    with pytest.raises(ValueError, match="shorter"):
        salience(["A.", "B."], [""])


@pytest.mark.parametrize(
    "sentence",
    [
        "We sell your data.",
        "No refunds are given.",
        "All sales are final.",
        "You may not sublet.",
        "Fees may increase.",
        "Arbitration is mandatory.",
        "Pets are forbidden.",
        "We may raise prices.",
    ],
)
def test_a_short_sentence_that_says_something_is_no_fragment(sentence: str) -> None:
    assert score(sentence) > 0.8
    assert score(sentence) > 1.5 * max(score(fragment) for fragment in ("Thanks a lot.", "No refunds.", "Booking fee"))
