"""The parser of a connection: however its bytes are cut into segments, the same requests come out."""

from collections.abc import Iterable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from predictors.serving.protocols.http import Request
from predictors.serving.transport.http_parser import MAX_HEAD_BYTES, Pending, RequestParser
from predictors.serving.settings import ServerSettings

GET = b"GET /a%20b?c=%20 HTTP/1.1\r\nhost: x\r\n\r\n"
HEAD = b"HEAD /h HTTP/1.1\r\nHost: x\r\nX-Twice: 1\r\nx-twice: 2\r\nx-empty:\r\n\r\n"
POST = b"POST /p HTTP/1.1\r\nhost: x\r\ncontent-length: 27\r\n\r\n{}\r\n\r\nUpgrade: h2c\r\n\r\n12345"
CHUNKED = b"POST /c HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n"
CHUNKS = b'3;a=b;c="d"\r\nabc\r\n00a\r\n0123456789\r\n0;e\r\nx-trailer: y\r\n\r\n'
OFFER = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"
GET_OFFER, POST_OFFER = GET[:-2] + OFFER + b"\r\n", POST.replace(b"host: x\r\n", b"host: x\r\n" + OFFER, 1)
CHUNKED_OFFER = CHUNKED[:-2] + OFFER + b"\r\n" + CHUNKS
CLOSE = b"GET /last HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
OLD, OLD_KEPT = b"GET /old HTTP/1.0\r\n\r\n", b"GET /kept HTTP/1.0\r\nconnection: keep-alive\r\n\r\n"
GOOD = [GET, HEAD, POST, CHUNKED + CHUNKS, GET_OFFER, POST_OFFER, CHUNKED_OFFER, OLD_KEPT, b"\r\n" + GET]
# Method, path, body, and whether the connection may go on.
PARSED = {
    GET: ("GET", "/a b", b"", True),
    HEAD: ("HEAD", "/h", b"", True),
    POST: ("POST", "/p", POST.partition(b"\r\n\r\n")[2], True),
    CHUNKED + CHUNKS: ("POST", "/c", b"abc0123456789", True),
    OLD_KEPT: ("GET", "/kept", b"", True),
    CLOSE: ("GET", "/last", b"", False),
    OLD: ("GET", "/old", b"", False),
}
PARSED |= {
    GET_OFFER: PARSED[GET],
    POST_OFFER: PARSED[POST],
    CHUNKED_OFFER: PARSED[CHUNKED + CHUNKS],
    b"\r\n" + GET: PARSED[GET],
}


class Connection:
    """What a parser tells, written down."""

    def __init__(self) -> None:
        self.parser = RequestParser(ServerSettings(), self, lambda: None)
        self.requests: list[Pending] = []
        self.bodies: dict[int, bytes] = {}
        self.complete: list[Request] = []
        self.faults: list[Request | None] = []

    def received(self, pending: Pending) -> None:
        self.requests.append(pending)
        self.bodies[id(pending.request)] = b""

    def take(self, request: Request, part: bytes) -> None:
        self.bodies[id(request)] += part

    def completed(self, request: Request) -> None:
        self.complete.append(request)

    def broken(self, request: Request | None) -> None:
        self.faults.append(request)

    def feed(self, segments: Iterable[bytes]) -> "Connection":
        for segment in segments:
            self.parser.feed(segment)
        return self

    def parsed(self) -> list[tuple[str, str, bytes, bool]]:
        """The requests that are all here, in the order in which they came."""
        assert self.complete == [request for request, _, _ in self.requests if request in self.complete]
        return [
            (request.method, request.path, self.bodies[id(request)], keeps_alive)
            for request, keeps_alive, _ in self.requests
            if request in self.complete
        ]


def cut(text: bytes, places: Iterable[int]) -> list[bytes]:
    """Split a text at some places."""
    ends = sorted({0, len(text), *(place % (len(text) + 1) for place in places)})
    return [text[start:end] for start, end in pairwise(ends)]


@given(st.lists(st.sampled_from(GOOD), max_size=4), st.sampled_from([b"", OLD, CLOSE]), st.lists(st.integers(0, 2000)))
def test_segments_make_no_difference(good: list[bytes], last: bytes, places: list[int]) -> None:
    messages = [*good, last] if last else good
    connection = Connection().feed(cut(b"".join(messages), places))
    assert connection.parsed() == [PARSED[message] for message in messages]
    assert connection.faults == []
    assert connection.parser.idle
    assert connection.parser.ended == bool(last)


@pytest.mark.parametrize("message", [*GOOD, CLOSE, OLD])
def test_each_place_to_cut_a_message(message: bytes) -> None:
    for place in range(len(message)):
        connection = Connection().feed(cut(message + GET, [place]))
        assert connection.parsed() == [PARSED[message], PARSED[GET]][: 1 + PARSED[message][3]]
        assert connection.parser.last_words is None


@pytest.mark.parametrize("message", [*GOOD, CLOSE, OLD])
def test_a_byte_at_a_time(message: bytes) -> None:
    text = GET + message
    assert Connection().feed(cut(text, range(len(text)))).parsed() == [PARSED[GET], PARSED[message]]


def test_the_first_of_equal_headers_counts() -> None:
    request = Connection().feed([HEAD]).complete[0]
    assert (request.header(b"x-twice"), request.header(b"x-empty"), request.header(b"x-none")) == ("1", "", None)


@pytest.mark.parametrize("closing", [CLOSE, OLD])
@pytest.mark.parametrize("rest", [GET, b"garbage\r\n\r\n", b"\r\n", OLD])
def test_nothing_that_follows_the_last_request_is_read(closing: bytes, rest: bytes) -> None:
    for segments in ([closing + rest], [closing, rest]):
        connection = Connection().feed(segments)
        assert connection.parsed() == [PARSED[closing]]
        assert connection.parser.last_words is None
        assert connection.parser.ended


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


@pytest.mark.parametrize("head", BAD_HEADS)
def test_what_is_not_http_is_told_after_all_that_was(head: bytes) -> None:
    for segments in ([GET + POST + head + GET], [GET, POST, head, GET], cut(GET + POST + head + GET, range(1000))):
        connection = Connection().feed(segments)
        assert connection.parsed() == [PARSED[GET], PARSED[POST]]
        assert connection.faults == [None]
        assert connection.parser.last_words == (400, "the request is not valid HTTP/1.1")
        assert connection.parser.ended


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
def test_a_body_that_is_not_http_is_its_own_requests_fault(chunks: bytes) -> None:
    for segments in ([GET + CHUNKED + chunks], [GET, CHUNKED, chunks], [GET + CHUNKED + chunks[:-1], chunks[-1:]]):
        connection = Connection().feed([*segments, GET])
        assert connection.parsed() == [PARSED[GET]]
        faulty = connection.requests[1].request
        assert connection.faults == [faulty]
        assert faulty.close
        assert connection.parser.last_words is None  # its own answer says it
        assert connection.parser.ended


@pytest.mark.parametrize("pieces", [1, 2, 100])
@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.1\r\nhost: x\r\nx-long: " + b"a" * MAX_HEAD_BYTES + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: x\r\n" + b"a: b\r\n" * 12_000 + b"\r\n",
        b"GET /" + b"a" * MAX_HEAD_BYTES + b" HTTP/1.1\r\nhost: x\r\n\r\n",
        b"\r\n" * MAX_HEAD_BYTES,
    ],
    ids=["header", "headers", "target", "blank lines"],
)
def test_a_head_over_the_limit_is_refused(head: bytes, pieces: int) -> None:
    size = -(-len(head) // pieces)
    connection = Connection().feed(head[start : start + size] for start in range(0, len(head), size))
    assert connection.requests == []
    assert connection.parser.last_words is not None
    assert connection.parser.last_words[0] == 431
