"""The benchmarks' client for chat completions, against a server that sends what a test gives it."""

import contextlib
import json
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.benchmarks.chat.client import Endpoint, Turn, load
from tests.benchmarks.load.errors import BenchError
from tests.benchmarks.peers.llama_venv import compile_options

TURN = Turn("system", "user", 3)
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"


@contextlib.contextmanager
def serving(*segments: bytes) -> Iterator[tuple[Endpoint, list[dict[str, Any]]]]:
    """A server that answers every connection with the same segments; yields the bodies that it received, too."""
    bodies: list[dict[str, Any]] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:  # the listener was closed
                    return
                with connection:
                    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    head, _, body = connection.recv(65536).partition(b"\r\n\r\n")
                    assert b"Content-Length: %d" % len(body) in head
                    bodies.append(json.loads(body))
                    for segment in segments:
                        connection.sendall(segment)
                        time.sleep(0.001)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield Endpoint(listener.getsockname()[1], "/v1/chat/completions"), bodies
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def event(content: str | None = None, finish_reason: str | None = None, **others: Any) -> bytes:
    choice = {"index": 0, "delta": {"content": content} if content else {}, "finish_reason": finish_reason}
    return chunk(b"data: " + json.dumps({"choices": [choice], **others}).encode() + b"\n\n")


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


END = chunk(b"data: [DONE]\n\n") + b"0\r\n\r\n"


def test_an_answer_is_timed_piece_by_piece() -> None:
    usage = chunk(b'data: {"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 5}}\n\n')
    with serving(HEAD, event(), event("a"), event("b"), event("c", "length"), usage, END) as (endpoint, bodies):
        result = load(endpoint, [TURN], 1)
    (answer,) = result.answers
    assert (answer.text, answer.finish_reason) == ("abc", "length")
    assert (answer.prompt_tokens, answer.completion_tokens) == (7, 5)
    assert answer.sent <= answer.pieces[0] <= answer.pieces[1] <= answer.pieces[2] <= answer.ended
    assert len(answer.gaps) == 2
    assert result.tokens_per_second == pytest.approx(5 / (answer.ended - answer.sent))
    assert bodies[0]["messages"] == [{"role": "system", "content": "system"}, {"role": "user", "content": "user"}]
    assert bodies[0]["stream_options"] == {"include_usage": True}


@pytest.mark.parametrize(("finish_reason", "tokens"), [("length", 3), ("stop", 2)])
def test_without_usage_tokens_follow_from_the_limit_or_from_the_pieces(finish_reason: str, tokens: int) -> None:
    with serving(HEAD, event("a"), event("b"), event(None, finish_reason), END) as (endpoint, _):
        (answer,) = load(endpoint, [TURN], 1).answers
    assert (answer.completion_tokens, answer.prompt_tokens) == (tokens, None)


@pytest.mark.parametrize("size", [1, 7, 50])
def test_packets_may_end_anywhere(size: int) -> None:
    stream = HEAD + event("å") + event("b", "stop") + END
    with serving(*(stream[i : i + size] for i in range(0, len(stream), size))) as (endpoint, _):
        (answer,) = load(endpoint, [TURN], 1).answers
    assert answer.text == "åb"


def test_all_requests_are_sent_whatever_the_concurrency() -> None:
    turns = [Turn("system", str(number), 3) for number in range(5)]
    with serving(HEAD, event("a", "stop"), END) as (endpoint, bodies):
        assert len(load(endpoint, turns, 2).answers) == 5
    assert sorted(body["messages"][1]["content"] for body in bodies) == ["0", "1", "2", "3", "4"]


@pytest.mark.parametrize(
    ("segments", "reason"),
    [
        ([b'HTTP/1.1 503 Service Unavailable\r\ncontent-length: 10\r\n\r\n{"e": "m"}'], "answered 503"),
        ([HEAD, chunk(b'data: {"error": {"message": "broke"}}\n\n'), END], "broke"),
        ([HEAD, event("a"), END], "finish reason ''"),
        ([HEAD, event(None, "stop"), END], "0 pieces"),
    ],
)
def test_what_is_no_answer_is_an_error(segments: list[bytes], reason: str) -> None:
    with serving(*segments) as (endpoint, _), pytest.raises(BenchError, match=reason):
        load(endpoint, [TURN], 1)


def test_a_build_gets_the_vector_extensions_of_another() -> None:
    options = compile_options("CPU : SSE3 = 1 | AVX = 1 | AVX2 = 1 | FMA = 1 | AVX512 = 0 | AMX_INT8 = 1", "x86_64")
    assert options[0] == "-DGGML_NATIVE=OFF"
    assert {"-DGGML_AVX2=ON", "-DGGML_FMA=ON", "-DGGML_AVX512=OFF", "-DGGML_AVX_VNNI=OFF"} <= set(options)
    assert not any("AMX" in option for option in options)
    assert compile_options("CPU : NEON = 1", "aarch64") == []
