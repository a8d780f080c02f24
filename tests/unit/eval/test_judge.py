"""The judge goes by its rules."""

import pytest

from tests import eval as evaluation_set
from tests.eval import Claim, Example, judge

EXAMPLES = evaluation_set.load(evaluation_set.names())
each_example = pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)

LEASE = """LEASE OF A GARDEN SHED

1.1 The rent is €49.50 a month, payable on the third day. 1.2 A late payment costs a fee of 15% of the rent.

17. The tenant may cancel with thirty days' notice. The deposit of €1,000 is returned within a fortnight of the keys.
The landlord keeps records of every visit for two years. A dog is not allowed anywhere in the garden."""
ABSENT = (Claim("arbitration", "Disputes go to arbitration.", ("arbitrat", "dispute|claim")),)


def found(bullet: str, *earlier: str) -> str:
    return judge.unsupported(bullet, LEASE, ABSENT, earlier)


@each_example
def test_the_documents_own_words_say_every_fact_and_nothing_unsupported(example: Example) -> None:
    quotes = list(dict.fromkeys(fact.quote for fact in example.facts))
    score = judge.score(quotes, example)
    assert score.recall == 1
    assert score.missed == score.claimed == []
    assert not any(score.reasons), score.reasons
    assert score.cut == 0


def test_how_far_the_judge_can_be_trusted() -> None:
    """What its docstring says of paraphrases, of other documents and of near misses."""
    own = [judge.unsupported(fact.statement, each.text, each.absent) for each in EXAMPLES for fact in each.facts]
    other = [
        judge.unsupported(fact.statement, each.text, each.absent)
        for each in EXAMPLES
        for another in EXAMPLES
        if another is not each
        for fact in another.facts
    ]
    near = [judge.unsupported(claim.statement, each.text, ()) for each in EXAMPLES for claim in each.absent]
    assert not any(own)
    assert other.count("") / len(other) == pytest.approx(1 / 11, abs=0.01)
    assert (near.count(""), len(near)) == (39, 56)
    assert all(judge.unsupported(claim.statement, each.text, each.absent) for each in EXAMPLES for claim in each.absent)


def test_a_fact_counts_once_and_only_if_one_bullet_says_all_of_it() -> None:
    facts = (Claim("rent", "The rent is €49.50.", ("rent", r"49\.50")), Claim("dog", "No dogs.", ("dog",)))
    assert judge.recall(["The RENT is 49.50.", "A rent of €49.50."], facts) == 0.5
    assert judge.recall(["There is a rent.", "It is 49.50."], facts) == 0
    assert judge.recall([], facts) == 0
    assert judge.stated(facts, ["No dogs.", "49.50 is the rent"]) == ["rent", "dog"]


def test_a_bullet_is_judged_by_its_first_sixty_words() -> None:
    fact = Claim("dog", "No dogs.", ("dog",))
    words = ["tenant"] * 59
    assert judge.recall([" ".join([*words, "dog"])], [fact]) == 1
    assert judge.recall([" ".join([*words, "garden", "dog"])], [fact]) == 0
    assert judge.recall(["a\ndog"], [fact]) == 1
    score = judge.score([LEASE, "A dog is not allowed."], EXAMPLES[0])
    assert score.cut == 1


@pytest.mark.parametrize(
    "bullet",
    [
        "The rent is €49.50 a month.",
        "You pay monthly rent, and 15 per cent more when the payment is late.",
        "Cancelling takes 30 days of notice.",
        "Pay the monthly rent on day 3.",
        "The 1000 euros of the deposit come back within 14 days of returning the keys.",
        "Visits are recorded, and these records kept for 24 months.",
        "According to clause 17 of this agreement, the tenant can cancel.",
        "2. Dogs aren’t allowed in the garden.",
    ],
)
def test_what_the_document_says_is_supported_in_other_words_too(bullet: str) -> None:
    assert found(bullet) == ""


@pytest.mark.parametrize(
    ("bullet", "reason"),
    [
        ("Claims about the rent go to arbitration.", "the document does not say arbitration"),
        ("The rent is €49 a month.", "the document has no number 49"),
        ("The tenant may cancel with sixty days' notice.", "the document has no number 60"),
        ("The tenant may cancel with 14.5 days' notice.", "the document has no number 14.5"),
        ("The tenant may cancel with 17 days' notice.", "the document has no number 17"),
        ("The deposit of one thousand two hundred euros is returned.", "the document has no number 1200"),
        ("The landlord shares photographs with advertising partners.", "no passage has more than 1 of its 5"),
        ("It is what it is.", "it says nothing"),
        ("", "it says nothing"),
    ],
)
def test_what_the_document_does_not_say_is_unsupported(bullet: str, reason: str) -> None:
    assert found(bullet).startswith(reason)


def test_words_from_all_over_a_document_support_nothing() -> None:
    animals = "Apes. Bears. Cats. Dogs. Eels. Foxes. Goats."
    assert judge.unsupported("Apes, dogs, goats.", animals, ()) == "no passage has more than 1 of its 3 content words"
    assert judge.unsupported("Apes, cats, goats.", animals, ()) == ""


def test_repeats_are_unsupported() -> None:
    bullet = "The rent is €49.50 a month."
    assert found(bullet, "A dog is not allowed.") == ""
    assert found(bullet, "A dog is not allowed.", "the rent  is €49.50 a month") == "it repeats"
    assert found("The rent is payable. " * 3) == "it repeats"
    assert found("The rent is payable. " * 2) == ""


def test_a_repeated_bullet_counts_from_the_second_time_on() -> None:
    quote = EXAMPLES[0].facts[0].quote
    score = judge.score([quote, quote, quote], EXAMPLES[0])
    assert score.reasons == ["", "it repeats", "it repeats"]
    assert score.repeats == score.unsupported == 2


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("€4.99, $1,000 and 4,99 %", {4.99, 1000}),
        ("250,000.50 or 2.50", {250000.5, 2.5}),
        ("thirty, twenty-six, twenty six and ninety", {30, 26, 90}),
        ("one hundred and fifty", {150}),
        ("two thousand five hundred and five", {2505}),
        ("three million two hundred thousand", {3_200_000}),
        ("a hundred; 20 thousand", {100, 20_000}),
        ("between five and ten, or two or three", {5, 10, 2, 3}),
        ("three thirty-day periods", {3, 30}),
        ("no more than one, 0, 1 or zero", set()),
        ("an A4 sheet, flat 2C, the 14th", {2, 14}),
        ("3. As clause 4.1 and Section 7 say, 5 days", {5}),
        ("5.2 Within 28 days", {28}),
        ("hundreds of thousands", set()),
        ("five hundred a month, a five-day week", {500, 5}),
        ("", set()),
    ],
)
def test_numbers_are_read_from_digits_and_words(text: str, expected: set[float]) -> None:
    assert judge.numbers(text) == expected


def test_words_are_compared_by_stem_and_by_group() -> None:
    assert judge.content_words("cancelled cancellation cancels") == judge.content_words("we cancel")
    assert judge.content_words("Fees: 12 of the policies") == judge.content_words("It charges twelve; this policy")
    assert judge.content_words("The company can't, and you won't") == frozenset()
    assert judge.content_words("London's") == judge.content_words("London")


def test_a_text_falls_into_sentences_and_lines() -> None:
    text = "HEADING\n\nPay €4.99 now. Then wait, e.g. a day! “Really?” The end"
    assert judge.sentences(text) == ["HEADING", "Pay €4.99 now.", "Then wait, e.g. a day!", "“Really?”", "The end"]
