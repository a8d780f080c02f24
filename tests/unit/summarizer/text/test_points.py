"""Points: which bullets make the summary."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from predictors.summarizer.text.bullets import Bullet
from predictors.summarizer.text.document import Document
from predictors.summarizer.text.points import BestPoints, FirstPoints, Points

DOCUMENT = Document(
    "The fee is 9 euros. Pets are fine. We sell your data to advertisers. You waive your right to a jury trial.",
    lambda text: [0] * len(text.split()),
    100,
)


def count(text: str) -> int:
    return len(text.split())


def bullets(*texts: str) -> list[Bullet]:
    return [Bullet(text, (place % len(DOCUMENT.body),), 1.0, written=True) for place, text in enumerate(texts)]


def texts(found: list[Bullet]) -> list[str]:
    return [bullet.text for bullet in found]


def all_of(budget: int) -> list[Points]:
    return [FirstPoints(), BestPoints(DOCUMENT, count, budget)]


def run(points: Points, found: list[Bullet]) -> list[Bullet]:
    """Add bullets one by one; what is returned on the way and at the end is what is kept."""
    returned = [kept for bullet in found for kept in points.add([bullet])] + points.finish()
    assert returned == points.kept
    return returned


@pytest.mark.parametrize("points", all_of(100))
def test_each_bullet_is_kept_once_if_all_fit(points: Points) -> None:
    assert texts(run(points, bullets("One two.", "Three.", "One two.", "Four."))) == ["One two.", "Three.", "Four."]
    assert not points.left_out


@pytest.mark.parametrize("points", all_of(100))
def test_without_bullets_nothing_is_kept(points: Points) -> None:
    assert run(points, []) == []
    assert not points.left_out


def test_a_bullet_that_does_not_fit_is_left_out_rather_than_cut() -> None:
    points = BestPoints(DOCUMENT, count, 2)
    assert run(points, bullets("One two three four.", "Five six seven.")) == []
    assert points.left_out


def test_first_points_are_kept_at_once() -> None:
    points = FirstPoints()
    assert texts(points.add(bullets("One two three."))) == ["One two three."]
    assert texts(points.add(bullets("Four.", "One two three."))) == ["Four."]
    assert points.finish() == []


def test_best_points_are_those_that_matter_and_are_supported() -> None:
    fee, pets, data, jury = DOCUMENT.sentences
    points = BestPoints(DOCUMENT, count, 15)
    kept = run(points, bullets(fee, pets, data, jury))
    assert pets not in texts(kept)
    assert texts(kept) == [sentence for sentence in DOCUMENT.sentences if sentence in texts(kept)]
    assert points.left_out
    unsupported = Bullet("We buy gold from Peru.", (2,), 0.1, written=True)
    supported = Bullet("Your data is sold to advertisers.", (2,), 0.9, written=True)
    assert run(BestPoints(DOCUMENT, count, 6), [unsupported, supported]) == [supported]


@given(st.lists(st.lists(st.sampled_from(["fee", "data", "pets", "jury"]), min_size=1, max_size=6)), st.integers(1, 20))
def test_points_fit_the_budget(words: list[list[str]], budget: int) -> None:
    found = bullets(*map(" ".join, words))
    points = BestPoints(DOCUMENT, count, budget)
    kept = texts(run(points, found))
    assert len(set(kept)) == len(kept)
    assert sum(map(count, kept)) <= budget
    assert bool(kept) == any(count(bullet.text) <= budget for bullet in found)
