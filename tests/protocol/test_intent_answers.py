"""What the default intent artifact answers over the network, to what people try first."""

from typing import Any

import httpx
import pytest

FIRST = {
    "Hi": "greeting",
    "Hello": "greeting",
    "Hi, How are you?": "greeting",
    "How to reset password?": "question",
    "I want to cancel my subscription.": "question",
    "Great service!": "praise",
}


def ask(http: httpx.Client, texts: list[str]) -> dict[str, Any]:
    answer = http.post("/v1/models/intent:predict", json={"instances": texts})
    assert answer.status_code == 200
    return dict(answer.json())


def test_the_first_things_that_people_try(http: httpx.Client) -> None:
    body = ask(http, [*FIRST])
    assert body["predictions"] == [*FIRST.values()]
    assert min(max(row) for row in body["probabilities"]) >= 0.6


@pytest.mark.parametrize(
    "mark",
    ["\ufeff", "\u200e", "\u200b", "\u2060", "\u00ad", "\ufe0f", "\U000e0020"],
    ids=["bom", "direction", "zero width", "word joiner", "soft hyphen", "selector", "tag"],
)
@pytest.mark.parametrize("place", ["before", "after", "between"])
def test_marks_that_are_not_seen_change_no_answer(http: httpx.Client, mark: str, place: str) -> None:
    texts = [*FIRST, "wat size is a uk 8 in eu", "thank you so much", "this is broken again", "good morning"]
    marked = {"before": [mark + t for t in texts], "after": [t + mark for t in texts]}
    marked["between"] = [mark.join(t) for t in texts]
    assert ask(http, marked[place]) == ask(http, texts)
