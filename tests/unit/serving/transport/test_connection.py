"""Parsing requests from a connection, however the bytes are split into segments."""

from collections.abc import Iterable
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from predictors.serving.transport.request_head import MAX_HEAD_BYTES
from tests.unit.serving.transport.client import Client
from tests.unit.serving.transport.loopback import Loopback

GET = b"GET /a%20b?c=%20 HTTP/1.1\r\nhost: x\r\n\r\n"
PUT = b"PUT /h HTTP/1.1\r\nHost: x\r\nX-Twice: 1\r\nx-twice: 2\r\nx-empty:\r\n\r\n"
POST = b"POST /p HTTP/1.1\r\nhost: x\r\ncontent-length: 27\r\n\r\n{}\r\n\r\nUpgrade: h2c\r\n\r\n12345"
CHUNKED = b"POST /c HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n"
CHUNKS = b'3;a=b;c="d"\r\nabc\r\n00a\r\n0123456789\r\n0;e\r\nx-trailer: y\r\n\r\n'
OFFER = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"
GET_OFFER, POST_OFFER = GET[:-2] + OFFER + b"\r\n", POST.replace(b"host: x\r\n", b"host: x\r\n" + OFFER, 1)
CHUNKED_OFFER = CHUNKED[:-2] + OFFER + b"\r\n" + CHUNKS
CLOSE = b"GET /last HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
OLD_CHUNKED = b"POST /c HTTP/1.0\r\nconnection: keep-alive\r\ntransfer-encoding: chunked\r\n\r\n" + CHUNKS
OLD, OLD_KEPT = b"GET /old HTTP/1.0\r\n\r\n", b"GET /kept HTTP/1.0\r\nconnection: keep-alive\r\n\r\n"
GOOD = [GET, PUT, POST, CHUNKED + CHUNKS, GET_OFFER, POST_OFFER, CHUNKED_OFFER, OLD_KEPT, b"\r\n" + GET]
# Method, path and body.
ASKED = {
    GET: ("GET", "/a b", b""),
    PUT: ("PUT", "/h", b""),
    POST: ("POST", "/p", POST.partition(b"\r\n\r\n")[2]),
    CHUNKED + CHUNKS: ("POST", "/c", b"abc0123456789"),
    OLD_KEPT: ("GET", "/kept", b""),
    CLOSE: ("GET", "/last", b""),
    OLD: ("GET", "/old", b""),
    OLD_CHUNKED: ("POST", "/c", b"abc0123456789"),
}
ASKED |= {
    GET_OFFER: ASKED[GET],
    POST_OFFER: ASKED[POST],
    CHUNKED_OFFER: ASKED[CHUNKED + CHUNKS],
    b"\r\n" + GET: ASKED[GET],
}
LAST = [CLOSE, OLD, OLD_CHUNKED]


def cut(text: bytes, places: Iterable[int]) -> list[bytes]:
    """Split bytes at some places."""
    ends = sorted({0, len(text), *(place % (len(text) + 1) for place in places)})
    return [text[start:end] for start, end in pairwise(ends)]


async def check_answers(client: Client, messages: Iterable[bytes]) -> None:
    """Check the responses to some messages; only the last of a connection announces its end."""
    for message in messages:
        answer = await client.answer()
        assert answer.asked == ASKED[message]
        assert answer.closes == (message in LAST)
        assert (answer.headers.get("connection") == "keep-alive") == (message is OLD_KEPT)


async def check_end(client: Client, last: bytes) -> None:
    """Check that the connection ends after a last message, and continues after any other."""
    if last not in LAST:
        await client.send(CLOSE)
        await check_answers(client, [CLOSE])
    assert await client.rest() == b""


@given(st.lists(st.sampled_from(GOOD), max_size=4), st.sampled_from([b"", *LAST]), st.lists(st.integers(0, 2000)))
@settings(max_examples=200)
def test_segments_make_no_difference(loopback: Loopback, good: list[bytes], last: bytes, places: list[int]) -> None:
    messages = [*good, last] if last else good

    async def scenario() -> None:
        async with loopback.client() as client:
            await client.send(*cut(b"".join(messages), places))
            await check_answers(client, messages)
            await check_end(client, last)

    loopback.run(scenario())
    assert loopback.refused == []


@pytest.mark.parametrize("message", GOOD)
def test_each_place_to_cut_a_message(loopback: Loopback, message: bytes) -> None:
    async def scenario() -> None:
        async with loopback.client() as client:
            for place in range(len(message)):
                await client.send(*cut(message + GET, [place]))
                await check_answers(client, [message, GET])
            await check_end(client, GET)

    loopback.run(scenario())
    assert loopback.refused == []


@pytest.mark.parametrize("message", LAST)
def test_each_place_to_cut_the_last_message(loopback: Loopback, message: bytes) -> None:
    async def scenario() -> None:
        for place in range(len(message)):
            async with loopback.client() as client:
                await client.send(*cut(message + GET, [place]))
                await check_answers(client, [message])
                await check_end(client, message)

    loopback.run(scenario())
    assert loopback.refused == []


@pytest.mark.parametrize("message", [*GOOD, *LAST])
def test_a_byte_at_a_time(loopback: Loopback, message: bytes) -> None:
    async def scenario() -> None:
        text = GET + message
        async with loopback.client() as client:
            await client.send(*cut(text, range(len(text))))
            await check_answers(client, [GET, message])
            await check_end(client, message)

    loopback.run(scenario())
    assert loopback.refused == []


def test_what_the_scope_contains(loopback: Loopback) -> None:
    async def scenario() -> None:
        async with loopback.client() as client:
            await client.send(GET, PUT, CHUNKED + CHUNKS, OLD)
            get, put, chunked, old = await client.answers(4)
        assert get.told["query"] == "c=%20"
        assert put.told["headers"] == [["host", "x"], ["x-twice", "1"], ["x-twice", "2"], ["x-empty", ""]]
        assert chunked.told["headers"] == [["host", "x"], ["transfer-encoding", "chunked"]]  # no trailer
        assert [each.told["http_version"] for each in (get, put, chunked, old)] == ["1.1", "1.1", "1.1", "1.0"]

    loopback.run(scenario())


@pytest.mark.parametrize("closing", LAST)
@pytest.mark.parametrize("rest", [GET, b"garbage\r\n\r\n", b"\r\n", OLD])
def test_nothing_after_the_last_request_is_read(loopback: Loopback, closing: bytes, rest: bytes) -> None:
    async def scenario() -> None:
        for segments in ([closing + rest], [closing, rest]):
            async with loopback.client() as client:
                await client.send(*segments)
                await check_answers(client, [closing])
                assert await client.rest() == b""

    loopback.run(scenario())
    assert loopback.refused == []


BAD_HEADS = [
    b"garbage\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(64),
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"GET /\r\n\r\n",
    b"GET / HTTP/0.9\r\nhost: x\r\n\r\n",
    b"GET / HTTP/2.0\r\nhost: x\r\n\r\n",
    b"GET / HTTP/1.1\r\n\r\n",
    b"GET / HTTP/1.1\r\nhost: a.example\r\nhost: b.example\r\n\r\n",
    b"GET /\xc3\xa4 HTTP/1.1\r\nhost: x\r\n\r\n",
    b"GET /\0 HTTP/1.1\r\nhost: x\r\n\r\n",
    b"GET http://[::1/ HTTP/1.1\r\nhost: x\r\n\r\n",
    b"CONNECT x.example:443 HTTP/1.1\r\nhost: x.example\r\n\r\n",
    b"GET / HTTP/1.1\nhost: x\n\n",
    b"GET / HTTP/1.1\r\nhost: x\r\nx-folded: a\r\n b\r\n\r\n",
    b"GET / HTTP/1.1\r\nhost: x\r\norigin: a\rset-cookie: b\r\n\r\n",
    b"GET / HTTP/1.1\r\nhost: x\r\norigin: a\0b\r\n\r\n",
    b"GET / HTTP/1.1\r\nhost: x\r\n: b\r\n\r\n",
    b"GET / HTTP/1.1\r\nhost: x\r\nname : b\r\n\r\n",
    b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ncontent-length: 5\r\n\r\n12345",
    b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 5, 5\r\n\r\n12345",
    b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: +5\r\n\r\n12345",
    b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 18446744073709551621\r\n\r\n12345",
    b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\ncontent-length: 5\r\n\r\n0\r\n\r\n",
    b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: identity\r\n\r\n0\r\n\r\n",
    b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
    b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\ntransfer-encoding: identity\r\n\r\n0\r\n\r\n",
]


async def check_refusal(client: Client, status: int, message: str) -> None:
    """Check that the last response is a refusal, in the form of all other errors."""
    answer = await client.answer()
    assert (answer.status, answer.body.decode()) == (status, f'{{"error":"{message}"}}')
    assert answer.closes
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-request-id"]
    assert await client.rest() == b""


@pytest.mark.parametrize("head", BAD_HEADS)
@pytest.mark.parametrize("before", [[], [GET, POST], [CHUNKED_OFFER]], ids=["first", "third", "after an offer"])
def test_invalid_http_is_refused_after_the_responses_before_it(
    loopback: Loopback, head: bytes, before: list[bytes]
) -> None:
    text = b"".join(before) + head + GET

    async def scenario() -> None:
        for segments in ([text], [*before, head, GET], cut(text, range(len(text)))):
            loopback.refused.clear()
            async with loopback.client() as client:
                await client.send(*segments)
                await check_answers(client, before)
                await check_refusal(client, 400, "the request is not valid HTTP/1.1")
            assert [call.code for call in loopback.refused] == ["400"]

    loopback.run(scenario())
    loopback.refused.clear()


@pytest.mark.parametrize(
    "chunks",
    [
        b"zz\r\n",
        b"-1\r\n",
        b"0x3\r\nabc\r\n0\r\n\r\n",
        b"3 \r\nabc\r\n0\r\n\r\n",
        b"3\nabc\n0\n\n",
        b"3\r\nabc0\r\n\r\n",
        b"3;\nabc\r\n0\r\n\r\n",
        b"fffffffffffffffff\r\n",
        b"3\r\nabc\r\n0\r\nx y: z\r\n\r\n",
        b"3\r\nabc\r\n0\r\ncontent-length: 7\r\n\r\n",
        b"3;" + b"x" * 70_000,
        b"3\r\nabc\r\n0\r\n" + b"x: y\r\n" * 12_000,
    ],
)
@pytest.mark.parametrize("head", [CHUNKED, CHUNKED[:-2] + OFFER + b"\r\n"], ids=["plain", "upgrade"])
def test_an_invalid_body_fails_only_its_own_request(loopback: Loopback, head: bytes, chunks: bytes) -> None:
    async def scenario() -> None:
        for segments in ([GET + head + chunks], [GET, head, chunks], [GET + head + chunks[:-1], chunks[-1:]]):
            async with loopback.client() as client:
                await client.send(*segments, GET)
                await check_answers(client, [GET])
                answer = await client.answer()
                assert (answer.status, answer.body) == (400, b"the body is not valid HTTP/1.1")
                assert answer.closes
                assert await client.rest() == b""

    loopback.run(scenario())
    assert loopback.refused == []  # the application responds to it


def pieces(text: bytes, count: int) -> list[bytes]:
    """Split bytes into pieces of equal length."""
    size = -(-len(text) // count)
    return [text[start : start + size] for start in range(0, len(text), size)]


TOO_LARGE = {
    "header": b"GET / HTTP/1.1\r\nhost: x\r\nx-long: " + b"a" * MAX_HEAD_BYTES + b"\r\n\r\n",
    "headers": b"GET / HTTP/1.1\r\nhost: x\r\n" + b"a: b\r\n" * 12_000 + b"\r\n",
    "target": b"GET /" + b"a" * MAX_HEAD_BYTES + b" HTTP/1.1\r\nhost: x\r\n\r\n",
    "blank lines": b"\r\n" * MAX_HEAD_BYTES,
}
TOO_LARGE_MESSAGE = "the request's head is too large; at most 65536 bytes are allowed"


@pytest.mark.parametrize("count", [1, 2, 100])
@pytest.mark.parametrize("head", TOO_LARGE.values(), ids=TOO_LARGE)
def test_a_head_over_the_limit_is_refused(loopback: Loopback, head: bytes, count: int) -> None:
    async def scenario() -> None:
        async with loopback.client() as client:
            await client.send(*pieces(head, count))
            await check_refusal(client, 431, TOO_LARGE_MESSAGE)

    loopback.run(scenario())
    assert [call.code for call in loopback.refused] == ["431"]
    loopback.refused.clear()


@pytest.mark.parametrize("kind", ["header", "headers", "target"])
@pytest.mark.parametrize("place", [1, 40_000, 60_000])
def test_a_head_over_the_limit_that_starts_in_the_segment_of_another_request(
    loopback: Loopback, kind: str, place: int
) -> None:
    head = TOO_LARGE[kind]

    async def scenario() -> None:
        async with loopback.client() as client:
            await client.send(POST + head[:place], head[place:])
            await check_answers(client, [POST])
            await check_refusal(client, 431, TOO_LARGE_MESSAGE)

    loopback.run(scenario())
    loopback.refused.clear()


@pytest.mark.parametrize("count", [1, 2, 100])
def test_a_head_at_the_limit_is_answered(loopback: Loopback, count: int) -> None:
    head = b"GET / HTTP/1.1\r\nhost: x\r\nx-long: " + b"a" * (MAX_HEAD_BYTES - 200) + b"\r\n\r\n"

    async def scenario() -> None:
        async with loopback.client() as client:
            for _ in range(2):
                await client.send(*pieces(head, count))
                assert (await client.answer()).asked == ("GET", "/", b"")

    loopback.run(scenario())
    assert loopback.refused == []
