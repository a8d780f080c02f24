"""The judge goes by its rules, and errs no more often than it says."""

import pytest

from tests import eval as evaluation_set
from tests.eval import Claim, Example, Point, Summary, judge
from tests.eval.accuracy import FILES, distorted, measure, pairs
from tests.eval.run import oracle
from tests.unit.summarizer.text.paraphrases import TRIPLES

EXAMPLES = evaluation_set.load(evaluation_set.names())
each_example = pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)

LEASE = """LEASE OF A GARDEN SHED

1.1 The rent is €49.50 a month, payable on the third day. 1.2 A late payment costs a fee of 15% of the rent.

17. The tenant may cancel with thirty days' notice. The deposit of €1,000 is returned within a fortnight of the keys.
The landlord keeps records of every visit for two years. A dog is not allowed anywhere in the garden.

18. The tenant must not:
(a) light a fire;
(b) sell the shed.

19. Welcome to the garden.
"""
ABSENT = (Claim("arbitration", "Disputes go to arbitration.", ("arbitrat", "dispute|claim")),)
FACTS = (
    evaluation_set.Fact("rent", "The rent is €49.50.", ("rent", r"49\.50")),
    evaluation_set.Fact("dog", "No dogs.", ("dog",)),
)
LEASE_EXAMPLE = Example("lease", "Lease", "lease", LEASE, FACTS, ABSENT)


def cite(text: str, *quotes: str) -> Point:
    return Point(text, tuple((LEASE.index(quote), LEASE.index(quote) + len(quote)) for quote in quotes))


def wrong(text: str, *quotes: str) -> str:
    return judge.wrong(cite(text, *quotes), LEASE, ABSENT)


@each_example
def test_the_documents_own_words_say_every_fact_and_nothing_wrong(example: Example) -> None:
    score = judge.score(Summary(oracle(example)), example)
    assert score.faults == [""] * len(score.faults)
    assert score.recall == 1
    assert score.missed == score.claimed == []


@each_example
def test_what_the_document_does_not_say_is_wrong_whatever_patterns_say(example: Example) -> None:
    for claim in example.absent:
        assert judge.wrong(Point(claim.statement), example.text), claim.id


def test_there_are_enough_labelled_pairs() -> None:
    labelled = [pair for name in FILES for pair in pairs(name)]
    kinds = [pair.kind for pair in labelled]
    assert len(kinds) - kinds.count("") >= 110
    assert kinds.count("") >= 45
    assert set(kinds) >= {"parties", "polarity", "modality", "condition", "number", "reason", "deadline", "lead-in"}
    assert len({(pair.source, pair.text) for pair in labelled}) == len(labelled)


@pytest.mark.parametrize(("name", "recall", "kept"), [("pairs.json", 1.0, 1.0), ("unseen_pairs.json", 0.95, 0.95)])
def test_how_far_the_judge_can_be_trusted(name: str, recall: float, kept: float) -> None:
    found = measure(name, judge.unsupported)
    assert found.recall >= recall
    assert found.share_kept >= kept
    assert found.precision >= 0.95


def test_free_paraphrases_pay_for_the_strictness() -> None:
    """Every unfaithful one is wrong; so are two in five of the faithful ones, whose words the judge does not know."""
    assert all(judge.unsupported(unfaithful, clause) for clause, _, unfaithful in TRIPLES)
    kept = sum(not judge.unsupported(faithful, clause) for clause, faithful, _ in TRIPLES)
    assert 0.5 <= kept / len(TRIPLES) <= 0.7


@pytest.mark.parametrize(
    ("text", "quote"),
    [
        ("The rent is €49.50 a month.", "The rent is €49.50 a month"),
        ("The rent is €49.50 a month, payable on day 3.", "The rent is €49.50 a month, payable on the third day."),
        ("With 30 days' notice, the tenant can cancel.", "The tenant may cancel with thirty days' notice."),
        ("Dogs are not allowed anywhere in the garden.", "A dog is not allowed anywhere in the garden."),
        ("The deposit of €1,000 is returned within 14 days of the keys.", "The deposit of €1,000 is returned within a fortnight of the keys."),
    ],
)  # fmt: skip
def test_the_same_in_other_words_is_right(text: str, quote: str) -> None:
    assert wrong(text, quote) == ""


@pytest.mark.parametrize(
    ("text", "quote", "reason"),
    [
        ("Claims about the rent go to arbitration.", "The rent is €49.50 a month", "the document does not say arbitration"),
        ("The rent is €49 a month.", "The rent is €49.50 a month", "no 49 €"),
        ("The rent is €49.50 a year.", "The rent is €49.50 a month", "“year” is not in"),
        ("The tenant may cancel with 30 weeks' notice.", "The tenant may cancel with thirty days' notice.", "no 30 week"),
        ("The tenant may cancel.", "The tenant may cancel with thirty days' notice.", "“thirty” is left out"),
        ("The tenant must cancel with 30 days' notice.", "The tenant may cancel with thirty days' notice.", "MAY"),
        ("The landlord may cancel with 30 days' notice.", "The tenant may cancel with thirty days' notice.", "other parties"),
        ("A dog is allowed in the garden.", "A dog is not allowed anywhere in the garden.", "“not” is left out"),
        ("Cats are not allowed in the garden.", "A dog is not allowed anywhere in the garden.", "“cat” is not in"),
        ("The landlord keeps records.", "The landlord keeps records of every visit for two years.", "“every” is left out"),
        ("", "The rent is €49.50 a month", "it says nothing"),
    ],
)  # fmt: skip
def test_what_is_distorted_is_wrong_however_many_words_it_shares(text: str, quote: str, reason: str) -> None:
    assert reason in (wrong(text, quote) or "right")


def test_a_pair_of_negation_and_number_is_seen_in_a_compression() -> None:
    source = "We do not, as a rule, give refunds for months that have been paid for, which is a pity."
    assert judge.unsupported("We do not give refunds for months that have been paid for.", source) == ""
    assert judge.unsupported("We do give refunds for months that have been paid for.", source)


def test_an_item_needs_its_lead_in() -> None:
    assert "it is an item of" in wrong("light a fire;", "light a fire;")
    assert wrong("The tenant must not: sell the shed.", "The tenant must not:", "sell the shed.") == ""


def test_inline_items_need_their_lead_in_too() -> None:
    text = "You must not: (a) copy the film; (b) lend it. Enjoy: it is yours."
    point = Point("copy the film", ((text.index("copy"), text.index(";")),))
    assert "it is an item of" in judge.wrong(point, text)
    other = "it is yours."
    assert judge.wrong(Point(other, ((text.index(other), len(text)),)), text) == ""


def test_without_citations_the_closest_passage_counts() -> None:
    assert judge.wrong(Point("The landlord keeps records of every visit for 24 months."), LEASE) == ""
    assert judge.wrong(Point("The landlord sells records of every visit to 24 advertisers."), LEASE)
    assert judge.wrong(Point("Walruses juggle."), LEASE) == "no passage is about it"


def test_a_fact_counts_only_where_the_point_is_right() -> None:
    right = cite("The rent is €49.50 a month", "The rent is €49.50 a month")
    twisted = cite("A dog is allowed anywhere in the garden.", "A dog is not allowed anywhere in the garden.")
    score = judge.score(Summary((right, right, twisted)), LEASE_EXAMPLE)
    assert score.said == ["rent"]
    assert score.missed == ["dog"]
    assert score.recall == 0.5
    assert score.wrong == 1
    assert score.repeats == 1
    assert score.quoted == 2


def test_what_wastes_time_is_counted() -> None:
    quotes = ("LEASE OF A GARDEN SHED", "Welcome to the garden.", "A dog is not allowed anywhere in the garden.")
    score = judge.score(Summary(tuple(cite(quote, quote) for quote in quotes)), LEASE_EXAMPLE)
    assert score.trivial == 2
    assert score.wrong == 0
    assert (score.words, score.document_words) == (18, len(LEASE.split()))


def test_a_gloss_must_not_say_what_the_document_does_not() -> None:
    quote = "The rent is €49.50 a month"
    point = Point(quote, cite(quote, quote).cited, "disputes", "Disputes go to arbitration.")
    score = judge.score(Summary((point,)), LEASE_EXAMPLE)
    assert score.claimed == ["arbitration"]
    assert score.off_topic == 1


def test_distortions_by_rule_of_every_quoted_fact_are_noticed() -> None:
    """What passes is mostly harmless: the number of a clause, or a whole statement after a semicolon."""
    made = list(distorted())
    missed = [pair.text for pair in made if not judge.unsupported(pair.text, pair.source)]
    assert len(made) >= 1000
    assert len(missed) <= 0.01 * len(made), missed
