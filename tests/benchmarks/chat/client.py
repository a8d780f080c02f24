"""A client for streamed chat completions that leaves the CPU to the server it measures.

While requests run, the client only records the bytes and when they came; HTTP and JSON are parsed after the last one.
"""

import asyncio
import json
import time
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, cast

import h11
import orjson
import uvloop

from tests.benchmarks.load.errors import BenchError

# Far longer than any request takes; a request that hangs ends the benchmark.
TIMEOUT_SECONDS = 180.0


class Endpoint(NamedTuple):
    """Where chat completions are served on this machine."""

    port: int
    path: str


class Turn(NamedTuple):
    """One request: a system message, a user message, and the most tokens to generate."""

    system: str
    user: str
    max_tokens: int


class Answer(NamedTuple):
    """An answer, with the times of its parts.

    Args:
        sent: when the request was sent, seconds of the monotonic clock, like the next two.
        pieces: when each piece of text came; a piece is usually one token.
        ended: when the last byte came.
        completion_tokens: tokens generated.
        prompt_tokens: tokens of the prompt, if the server reports them.
        finish_reason: ``length``, or ``stop`` if the model ended the answer itself.
        text: the answer.
    """

    sent: float
    pieces: tuple[float, ...]
    ended: float
    completion_tokens: int
    prompt_tokens: int | None
    finish_reason: str
    text: str

    @property
    def first_token(self) -> float:
        """Seconds from request to first token."""
        return self.pieces[0] - self.sent

    @property
    def gaps(self) -> list[float]:
        """Seconds between one piece and the next."""
        return [after - before for before, after in zip(self.pieces, self.pieces[1:], strict=False)]

    @property
    def decode_rate(self) -> float:
        """Tokens/s after the first one."""
        return (self.completion_tokens - 1) / (self.pieces[-1] - self.pieces[0])


class Load(NamedTuple):
    """Some requests, of which a given number run at a time.

    Args:
        answers: in the order in which they ended.
        seconds: from the first byte sent to the last one received.
        client_seconds: CPU time that the client used meanwhile.
    """

    answers: tuple[Answer, ...]
    seconds: float
    client_seconds: float

    @property
    def tokens_per_second(self) -> float:
        """Tokens/s generated for all requests together."""
        return sum(answer.completion_tokens for answer in self.answers) / self.seconds


def load(endpoint: Endpoint, turns: Sequence[Turn], concurrency: int) -> Load:
    """Send all requests, ``concurrency`` of them at a time; the next one starts when one ends.

    Raises:
        BenchError: a request failed, or took longer than ``TIMEOUT_SECONDS``.
    """
    processor = time.process_time()
    exchanges = uvloop.run(_run(endpoint, turns, concurrency))
    processor = time.process_time() - processor
    answers = tuple(_parse(exchange) for exchange in exchanges)
    seconds = max(answer.ended for answer in answers) - min(answer.sent for answer in answers)
    return Load(answers, seconds, processor)


class _Exchange(asyncio.Protocol):
    """One request on its own connection, and the bytes of the answer."""

    def __init__(self, turn: Turn, request: bytes) -> None:
        self.turn = turn
        self.sent = 0.0
        self.received: list[tuple[float, bytes]] = []
        self.closed = asyncio.get_running_loop().create_future()
        self._request = request

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.sent = time.perf_counter()
        cast("asyncio.Transport", transport).write(self._request)

    def data_received(self, data: bytes) -> None:
        self.received.append((time.perf_counter(), data))

    def connection_lost(self, error: Exception | None) -> None:
        if not self.closed.done():
            self.closed.set_result(None)


async def _run(endpoint: Endpoint, turns: Sequence[Turn], concurrency: int) -> list[_Exchange]:
    loop = asyncio.get_running_loop()
    waiting = iter([(turn, _request(endpoint, turn)) for turn in turns])
    ended: list[_Exchange] = []

    async def worker() -> None:
        for turn, request in waiting:
            exchange = _Exchange(turn, request)
            transport, _ = await loop.create_connection(lambda: exchange, "127.0.0.1", endpoint.port)  # noqa: B023
            try:
                async with asyncio.timeout(TIMEOUT_SECONDS):
                    await exchange.closed
            except TimeoutError:
                raise BenchError(f"a request took longer than {TIMEOUT_SECONDS:.0f} s") from None
            finally:
                transport.close()
            ended.append(exchange)

    await asyncio.gather(*(worker() for _ in range(concurrency)))
    return ended


def _request(endpoint: Endpoint, turn: Turn) -> bytes:
    body = json.dumps(
        {
            "model": "summarizer",
            "messages": [{"role": "system", "content": turn.system}, {"role": "user", "content": turn.user}],
            "max_tokens": turn.max_tokens,
            "temperature": 0,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
    ).encode()
    headers = [("Host", "127.0.0.1"), ("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
    headers.append(("Connection", "close"))
    connection = h11.Connection(h11.CLIENT)
    head = connection.send(h11.Request(method="POST", target=endpoint.path, headers=headers))
    assert head is not None
    return head + body


def _parse(exchange: _Exchange) -> Answer:
    pieces: list[float] = []
    text: list[str] = []
    finish_reason = ""
    usage: dict[str, int] = {}
    for when, event in _events(exchange):
        usage = event.get("usage") or usage
        for choice in event.get("choices", ()):
            finish_reason = choice.get("finish_reason") or finish_reason
            if content := choice["delta"].get("content"):
                pieces.append(when)
                text.append(content)
    if not pieces or not finish_reason:
        raise BenchError(f"an answer has {len(pieces)} pieces and the finish reason {finish_reason!r}")
    # llama-cpp-python streams no usage: an answer that reached the limit has max_tokens tokens.
    counted = exchange.turn.max_tokens if finish_reason == "length" else len(pieces)
    written = usage.get("completion_tokens", counted)
    ended = exchange.received[-1][0]
    return Answer(
        exchange.sent, tuple(pieces), ended, written, usage.get("prompt_tokens"), finish_reason, "".join(text)
    )


def _events(exchange: _Exchange) -> Iterator[tuple[float, dict[str, Any]]]:
    """Server-sent events, each with the time of its last byte."""
    rest = b""
    for when, data in _body(exchange):
        *lines, rest = (rest + data).split(b"\n")
        for line in lines:
            if line.startswith(b"data: {"):
                event = orjson.loads(line.removeprefix(b"data: "))
                if "error" in event:
                    raise BenchError(f"the server answered {event['error']}")
                yield when, event


def _body(exchange: _Exchange) -> Iterator[tuple[float, bytes]]:
    connection = h11.Connection(h11.CLIENT)
    connection.send(h11.Request(method="GET", target="/", headers=[("Host", "127.0.0.1")]))
    connection.send(h11.EndOfMessage())
    for when, segment in exchange.received:
        connection.receive_data(segment)
        while (event := connection.next_event()) not in (h11.NEED_DATA, h11.PAUSED):
            if isinstance(event, h11.Response) and event.status_code != 200:
                raise BenchError(f"the server answered {event.status_code}: {segment[-300:].decode()}")
            if isinstance(event, h11.Data):
                yield when, bytes(event.data)
