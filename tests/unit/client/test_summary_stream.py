import json
from typing import Any

import pytest

from predictors.client.answers import Citation, Point, Progress, Summary
from predictors.client.errors import BadAnswer, ConnectionLost, StreamFailed
from predictors.client.wire.summary_stream import Part, SummaryReader

POINT = {
    "topic": "cost",
    "gloss": "It costs.",
    "text": "You pay 9 euros.",
    "citations": [{"start": 0, "end": 16}],
    "support": 1,
    "quoted": True,
}
USAGE = {
    "prompt_tokens": 1,
    "cached_tokens": 0,
    "completion_tokens": 2,
    "finish_reason": "deadline",
    "mode": "fast",
    "read": 0.5,
    "more": "Allow more time.",
    "language": "en",
    "warning": "",
}
DONE = {"predictions": ["COST"], "bullets": [[POINT]], "texts": [""], "usage": [USAGE], "model_version": "1"}


def event(name: str, data: Any) -> bytes:
    return f"event: {name}\ndata: {json.dumps(data)}\n\n".encode()


def read(*events: bytes) -> list[Part]:
    reader = SummaryReader("id", 10_000)
    parts = [part for each in events for part in reader.feed(each)]
    reader.end()
    return parts


def test_all_parts() -> None:
    *others, summary = read(
        event("progress", {"instance": 0, "done": 1, "total": 2, "mode": "fast"}),
        event("bullet", {"instance": 0, **POINT}),
        event("later", {"servers": "may say more"}),
        event("done", DONE),
        b"data: [DONE]\n\n",
        event("bullet", POINT),
    )
    point = Point("cost", "It costs.", "You pay 9 euros.", (Citation(0, 16),), 1.0, True, "")
    assert others == [Progress(1, 2, "fast"), point]
    assert isinstance(summary, Summary)
    assert (summary.points, summary.usage.read, summary.complete) == ((point,), 0.5, False)
    assert (summary.request_id, summary.body) == ("id", DONE)


@pytest.mark.parametrize("events", [[], [event("bullet", POINT)], [b"data: [DONE]\n\n"], [event("done", DONE)[:-1]]])
def test_an_end_before_the_end(events: list[bytes]) -> None:
    with pytest.raises(ConnectionLost, match="before the summary was complete"):
        read(*events)


@pytest.mark.parametrize("error", ["the model failed", {"message": "the model failed", "code": 500}])
def test_an_error_in_the_middle(error: Any) -> None:
    reader = SummaryReader("id", 10_000)
    pieces = reader.feed(event("bullet", POINT) + event("error", {"error": error}))
    assert isinstance(next(pieces), Point)
    with pytest.raises(StreamFailed, match=r"the model failed; what arrived is valid .* \(request id\)"):
        next(pieces)


@pytest.mark.parametrize(
    "bad",
    [
        b"event: bullet\ndata: {\n\n",
        b"event: done\ndata: []\n\n",
        b"event: error\ndata: {}\n\n",
        event("progress", {"done": "many"}),
        event("bullet", {**POINT, "citations": [{"start": "0"}]}),
        event("done", {**DONE, "usage": []}),
        event("done", {**DONE, "bullets": [[], []]}),
        event("done", {**DONE, "usage": [{**USAGE, "read": "all"}]}),
        b"event: done\ndata: " + b"[" * 9000 + b"\n\n",
    ],
)
def test_what_cannot_be_read(bad: bytes) -> None:
    with pytest.raises(BadAnswer, match="cannot be read"):
        read(bad)
