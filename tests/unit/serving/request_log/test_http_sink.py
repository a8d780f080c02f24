"""Sinks over HTTP that refuse, hang, break off and talk nonsense."""

import contextlib
import socket
import ssl
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Event as Flag
from threading import Thread

import pytest

from predictors.serving.errors import StartupError
from predictors.serving.request_log import http_sink
from predictors.serving.request_log.event import Event
from predictors.serving.request_log.http_sink import Address, HttpSink
from predictors.serving.request_log.sink import SinkError
from tests.event_sink import EventSink, event_sink
from tests.unit.serving.request_log.entries import new_entry, new_events
from tests.unit.serving.transport.certificates import Authority
from tests.waiting import until


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_sink, "_PAUSES", (0.01, 0.01))


@contextlib.contextmanager
def sink_at(url: str, ending: Flag | None = None) -> Iterator[HttpSink]:
    with contextlib.closing(HttpSink(Address.parse(url), ending or Flag())) as sink:
        yield sink


def two_events() -> list[Event]:
    return [*new_events().about(new_entry())]


@contextlib.contextmanager
def answering(statuses: list[int]) -> Iterator[EventSink]:
    """A sink that answers so, then with 202."""
    with event_sink(lambda: statuses.pop(0) if statuses else 202) as sink:
        yield sink


@contextlib.contextmanager
def raw(*answers: bytes, hang: bool = False) -> Iterator[str]:
    """A sink that reads a request, gives such an answer, and closes the connection."""
    closing: list[socket.socket] = []

    def serve() -> None:
        for answer in answers:
            with contextlib.suppress(OSError):
                connection, _ = listener.accept()
                closing.append(connection)
                connection.recv(65536)
                connection.sendall(answer)
                if not hang:
                    connection.shutdown(socket.SHUT_RDWR)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        for connection in closing:
            connection.close()
        thread.join(60)


def test_events_are_posted_on_one_connection() -> None:
    with event_sink() as received, sink_at(f"{received.url}/default/broker?key=1") as sink:
        for _ in range(3):
            sink.write(two_events())
        assert [event["type"].rpartition(".")[2] for event in received.events] == ["request", "response"] * 3
        assert {headers["content-type"] for headers in received.headers} == {"application/json"}


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_sink_that_is_busy_is_asked_again(status: int) -> None:
    with answering([status, status]) as received, sink_at(received.url) as sink:
        sink.write(two_events())
        assert (len(received.events), received.refused) == (2, 2)


@pytest.mark.parametrize("status", [500, 301, 400, 401, 413])
def test_a_sink_that_refuses_costs_the_event_and_the_next_are_sent(status: int) -> None:
    tries = 3 if status == 500 else 1
    with answering([202] + [status] * tries) as received, sink_at(received.url) as sink:
        with pytest.raises(SinkError, match=f"^answered {status}$") as caught:
            sink.write(two_events())
        assert (caught.value.taken, received.refused) == (1, tries)
        sink.write(two_events())
        assert len(received.events) == 3


def test_a_sink_that_trickles_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes ten times as long for its answer as it may, and pauses for less than that each time."""
    monkeypatch.setattr(http_sink, "_TIMEOUT_SECONDS", 0.3)

    def trickle() -> None:
        connection, _ = listener.accept()
        with connection, contextlib.suppress(OSError):
            connection.recv(65536)
            for byte in b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n":
                connection.sendall(bytes([byte]))
                time.sleep(0.07)

    ending = Flag()
    ending.set()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = Thread(target=trickle)
        thread.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with sink_at(url, ending) as sink, pytest.raises(SinkError, match="was not reached: TimeoutError"):
            sink.write(two_events())
        thread.join(60)


def test_a_sink_that_is_away_is_an_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    with sink_at(url) as sink, pytest.raises(SinkError, match="was not reached: ConnectionRefusedError"):
        sink.write(two_events())


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"rubbish\r\n\r\n",
        b"HTTP/1.1 999999 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 1000 + b"\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"a" * 100_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
    ],
)
def test_nonsense_is_an_error(answer: bytes) -> None:
    with raw(*[answer] * 3) as url, sink_at(url) as sink, pytest.raises(SinkError, match="was not reached"):
        sink.write(two_events()[:1])


def test_an_endless_answer_is_not_read_to_its_end() -> None:
    endless = b"HTTP/1.1 202 Accepted\r\ncontent-length: 1000000000\r\n\r\n" + b"x" * 100_000
    with raw(endless, endless, hang=True) as url, sink_at(url) as sink:
        sink.write(two_events())


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nshort",
        b"HTTP/1.0 200 OK\r\n\r\nuntil the end",
    ],
)
def test_a_sink_that_closes_its_connections_is_connected_to_again(answer: bytes) -> None:
    with raw(answer, answer) as url, sink_at(url) as sink:
        sink.write(two_events())


def test_a_sink_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_sink, "_TIMEOUT_SECONDS", 0.05)
    with raw(b"", b"", b"", hang=True) as url, sink_at(url) as sink, pytest.raises(SinkError, match="TimeoutError"):
        sink.write(two_events())


def test_a_sink_with_tls_must_have_a_certificate_that_the_system_trusts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = Authority()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.issue("sink").write(tmp_path))
    with event_sink(context=context) as received:
        with sink_at(received.url) as sink, pytest.raises(SinkError, match="SSLCertVerificationError"):
            sink.write(two_events())
        (tmp_path / "ca.crt").write_bytes(authority.certificate)
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.crt"))
        with sink_at(received.url) as sink:
            sink.write(two_events())
        assert len(received.events) == 2


def test_at_the_end_there_is_one_try() -> None:
    ending = Flag()
    ending.set()
    with answering([500, 500]) as received, sink_at(received.url, ending) as sink:
        with pytest.raises(SinkError):
            sink.write(two_events())
        assert received.refused == 1


def test_the_end_interrupts_a_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_sink, "_PAUSES", (600.0,))
    ending = Flag()
    refused: list[SinkError] = []

    def write() -> None:
        try:
            sink.write(two_events())
        except SinkError as error:
            refused.append(error)

    with answering([500, 500]) as received, sink_at(received.url, ending) as sink:
        thread = Thread(target=write, daemon=True)
        thread.start()
        until(lambda: received.refused, "the first try", pause=0.01)
        ending.set()
        thread.join(300)
        assert refused


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("http://broker", Address(False, "broker", None, "/")),
        ("https://broker:8443/a/b?c=d#e", Address(True, "broker", 8443, "/a/b?c=d")),
        ("http://[::1]:80/x", Address(False, "::1", 80, "/x")),
        ("HTTP://Broker", Address(False, "broker", None, "/")),
    ],
)
def test_addresses(url: str, address: Address) -> None:
    assert Address.parse(url) == address


@pytest.mark.parametrize(
    "url",
    ["broker:80", "ftp://broker", "http://", "http://broker:x", "http://broker:99999", "http://a b", "http://a/ö",
     "http://a/\r\nx: y", "http://[::1", "http:///x", "/a"],
)  # fmt: skip
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(StartupError, match="--request_log_url must be an address"):
        Address.parse(url)
