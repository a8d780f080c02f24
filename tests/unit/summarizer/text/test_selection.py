"""Selection: the best sentences that fit a budget, each subject once."""

import math

from hypothesis import given
from hypothesis import strategies as st

from predictors.summarizer.text.selection import select


def test_selection_takes_the_best_that_fits_in_document_order() -> None:
    sentences = ["Dull weather.", "Fees are high.", "Data is sold.", "A very long clause about arbitration."]
    assert select([0.1, 3.0, 4.0, 9.0], [2, 3, 3, 50], sentences, 6) == [1, 2]


def test_a_repetition_loses_to_something_new() -> None:
    sentences = [
        "A late payment fee of $35 is charged.",
        "The late payment fee charged is $35.",
        "Your photographs are sold to advertisers.",
    ]
    assert select([5.0, 4.9, 2.0], [8, 8, 8], sentences, 16) == [0, 2]


def test_of_equal_scores_the_cheaper_is_taken() -> None:
    assert select([2.0, 2.0], [30, 10], ["Data is sold.", "Fees are high."], 30) == [1]


def test_all_is_kept_if_it_fits_and_nothing_if_nothing_does() -> None:
    assert select([0.0, 1.0], [5, 5], ["a", "b"], 10) == [0, 1]
    assert select([9.0], [11], ["Data is sold."], 10) == []
    assert select([], [], [], 10) == []


def test_a_sentence_without_a_point_is_taken_if_it_alone_fits() -> None:
    assert select([0.0, 9.0], [5, 50], ["and so on", "Data is sold."], 10) == [0]


@given(
    st.lists(
        st.tuples(
            st.floats(0, 10), st.integers(0, 60), st.lists(st.sampled_from(["fee", "data", "sold", "you", "the"]))
        ),
        max_size=40,
    ),
    st.integers(0, 600),
)
def test_a_selection_fits_is_ordered_and_leaves_no_room(rows: list[tuple[float, int, list[str]]], budget: int) -> None:
    scores, counts = [row[0] for row in rows], [row[1] for row in rows]
    chosen = select(scores, counts, [" ".join(row[2]) for row in rows], budget)
    spent = sum(counts[place] for place in chosen)
    assert chosen == sorted(set(chosen))
    assert spent <= budget
    left = [count for place, count in enumerate(counts) if place not in chosen]
    assert min(left, default=math.inf) > budget - spent
