from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from predictors.client.errors import BadAnswer
from predictors.client.wire.sse import Event, SseParser

STREAM = (
    b"\xef\xbb\xbf: a comment\r\n"
    b"event: bullet\rdata: {\rdata:  \"a\": 1}\r\r"
    b"id: 7\nretry: 9\ndata\n\n"
    b"event: nothing\n\n"
    b"data: \xe2\x82\xac:\xff\r\n\r\n"
    b"data: [DONE]\n\n"
    b"data: never ended\n"
)  # fmt: skip
EVENTS = [
    Event("bullet", '{\n "a": 1}'),
    Event("", ""),
    Event("", "€:�"),
    Event("", "[DONE]"),
]


def parse(parts: list[bytes]) -> list[Event]:
    parser = SseParser(1000)
    return [event for part in parts for event in parser.feed(part)]


def test_one_piece() -> None:
    assert parse([STREAM]) == EVENTS


def test_every_byte_alone() -> None:
    assert parse([bytes([each]) for each in STREAM]) == EVENTS


@given(st.lists(st.integers(0, len(STREAM)), max_size=20))
def test_any_cuts(places: list[int]) -> None:
    cuts = [0, *sorted(places), len(STREAM)]
    assert parse([STREAM[a:b] for a, b in pairwise(cuts)]) == EVENTS


@given(st.lists(st.binary(max_size=30)))
def test_any_bytes(parts: list[bytes]) -> None:
    assert parse(parts) == parse([b"".join(parts)])


@pytest.mark.parametrize("part", [b"a" * 101, b"data: a\n" * 13, b":" * 60 + b"\n" + b":" * 60])
def test_an_endless_event_is_refused(part: bytes) -> None:
    with pytest.raises(BadAnswer, match="larger than 100 bytes"):
        SseParser(100).feed(part)


def test_many_events_are_not_one() -> None:
    assert len(SseParser(100).feed(b"data: a\n\n" * 1000)) == 1000
