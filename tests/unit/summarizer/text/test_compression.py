"""Sentences are made shorter only by leaving out what decides nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from predictors.summarizer.text.compression import analyse
from tests.unit.summarizer.text.guarantee import is_compression


@pytest.mark.parametrize(
    ("text", "shorter"),
    [
        ("However, you pay 9 euros.", "You pay 9 euros."),
        ("Please note that we may end it.", "We may end it."),
        ("For the avoidance of doubt, in addition, you pay.", "You pay."),
        ("You hereby waive the right to sue.", "You waive the right to sue."),
        ('Waymark Ltd ("Waymark", "we" or "us") hires out cars.', "Waymark Ltd hires out cars."),
        ("The app and the site (together, the “Service”) are ours.", "The app and the site are ours."),
        ("Fees are due at noon (see clause 4.2).", "Fees are due at noon."),
        ("We use data, including but not limited to your name.", "We use data, including your name."),
        ("You pay rent, as the case may be, or a fee.", "You pay rent or a fee."),
    ],
)
def test_fillers_are_always_left_out(text: str, shorter: str) -> None:
    assert analyse(text).without() == shorter
    assert is_compression(shorter, [text])


@pytest.mark.parametrize(
    ("text", "shorter"),
    [
        ("Pets (such as dogs or parrots) are not allowed.", "Pets are not allowed."),
        ("We wipe data, such as contacts and past destinations.", "We wipe data."),
        ("The shuttle, which is painted yellow, is run by Fjord.", "The shuttle is run by Fjord."),
        ("Parking is run by Fjord, whose barriers read plates.", "Parking is run by Fjord."),
        ("Tools – for example scanners – are not lent.", "Tools are not lent."),
    ],
)
def test_an_aside_is_left_out_if_the_model_leaves_it_out(text: str, shorter: str) -> None:
    sentence = analyse(text)
    assert sentence.optional
    assert sentence.without() == text
    assert sentence.choice(text) == []
    assert sentence.without(sentence.choice(shorter)) == shorter
    assert sentence.without(sentence.choice("Win 1,000 euros if you sue us now.")) == shorter
    assert sentence.choice("") == []
    assert is_compression(shorter, [text])


@pytest.mark.parametrize(
    "text",
    [
        "The fee (which is 9 euros) is due.",
        "The deposit, which is not refunded, is due.",
        "The deposit, which is refunded on return, is due.",
        "Data goes to others, such as our partners.",
        "The car, which must be insured, is ours.",
        "The car, which you return by noon, is ours.",
        "Anyone who is late, who is a student, is fined.",
        "Any driver, who is named on the sheet, is insured.",
        "Drivers (excluding novices) are insured.",
        "The plan, which renews on Mondays, is cheap.",
        "You pay for towels, such as blue ones, and we pay for soap.",
        "You pay, because of laws on taxes, in advance.",
        "Records are kept for seven years, because of laws on taxes.",
        "Nobody may smoke.",
        "late payment charge of £12.50.",
    ],
)
def test_what_may_decide_is_no_aside(text: str) -> None:
    sentence = analyse(text)
    assert sentence.optional == ()
    assert sentence.without(sentence.choice("Nothing of the kind")) == text


# What a small model once made of these clauses.
FALSE = [
    (
        ("If a payment leaves your wallet that you did not approve, tell us within 60 days of the statement on which it "
        "first appears; after that you lose the right to have it refunded."),
        "…and you did not receive it within 60 days of the statement on which it first appears, you lose the right.",
    ),
    (
        "Rights holders can use the form on our website to notify us, and repeat infringers lose their profiles.",
        "We may use the form on our website to notify you, and repeat infringers lose their profiles.",
    ),
    (
        ("We keep transaction records for seven years after you close your profile, because of laws on taxes and on "
        "money laundering."),
        "We keep transaction records and will tell you seven years after you close your profile.",
    ),
    ("Nobody may do it.", "Things that are not allowed are not allowed."),
    ("A payment that is not received by the due date attracts a late payment charge of £12.50.", "£12.50 to the due date"),
    ("Your subscription renews every month until you end it.", "Your subscription renews every month until you are done."),
]  # fmt: skip


@pytest.mark.parametrize(("text", "false"), FALSE)
def test_what_the_model_says_is_never_said(text: str, false: str) -> None:
    sentence = analyse(text)
    assert sentence.without(sentence.choice(false)) == text
    assert not is_compression(false, [text])


SUBJECTS = ["You", "We", "The customer", "Waymark (“we”)", "Nobody", "Pets (such as dogs or parrots)"]
VERBS = ["may not leave", "must pay 9 euros", "can share your data with partners", "hereby agree to it", "keep it"]
ASIDES = [
    ", which is painted yellow,", ", which is 9 euros,", " (for example a plain towel)", " (unless we agree)",
    ", such as soap and towels", ", who is our insurer,", " – for instance in the hall –", "", " (see clause 4.2)",
]  # fmt: skip
TAILS = ["", " within 30 days", " if you ask", " only in winter", ", whose colour is blue", " because of the law"]
OPENINGS = ["", "However, ", "Please note that ", "In addition, "]
WORDS = ["you", "pay", "yellow", "soap", "towel", "not", "9", "euros", "partners", "share", "blue", "insurer", "win"]


@given(
    st.sampled_from(OPENINGS), st.sampled_from(SUBJECTS), st.sampled_from(ASIDES), st.sampled_from(VERBS),
    st.sampled_from(ASIDES), st.sampled_from(TAILS), st.lists(st.sampled_from(WORDS), max_size=8),
)  # fmt: skip
def test_whatever_a_model_answers_the_point_is_a_compression(
    opening: str, subject: str, aside: str, verb: str, second: str, tail: str, answer: list[str]
) -> None:
    text = f"{opening}{subject}{aside} {verb}{second}{tail}."
    text = text[:1].upper() + text[1:]
    sentence = analyse(text)
    shorter = sentence.without(sentence.choice(" ".join(answer)))
    assert is_compression(shorter, [text])
    assert all(word in shorter for word in ("not", "9", "unless", "only", "because") if word in text.split())


@given(st.text(alphabet='aA ,.()–;“”"which 9', max_size=80))
def test_any_text_can_be_analysed(text: str) -> None:
    line = " ".join(text.split())
    sentence = analyse(line)
    assert len(sentence.without(sentence.optional)) <= len(line)


@pytest.mark.parametrize("piece", ["(", ", which ", "(such as a, ", "however, ", "a, b ", "– ", '"a" ', '(the "a", '])
def test_hostile_texts_do_not_take_long(piece: str) -> None:
    assert analyse(piece * 5000).text == piece * 5000
