"""Clients that are slow, many, greedy or never read: each has a bound, and the others are served meanwhile."""

import http.client
import itertools
import json
import resource
import signal
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from functools import partial

import httpx
import psutil
import pytest

from tests.live import JSON, PATIENCE_SECONDS, ROOT, LiveServer, serve, wait_for

IRIS, SUMMARIZER = "/v1/models/iris:predict", "/v1/models/summarizer:predict"
LIVE, LARGE = "/v2/health/live", "/openapi.json"
ROW = b'{"instances": [[5.1, 3.5, 1.4, 0.2]]}'
MB = 2**20


def connect(server: LiveServer, receive_buffer: int = 0) -> socket.socket:
    raw = socket.socket()
    if receive_buffer:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    raw.settimeout(PATIENCE_SECONDS)
    raw.connect(("127.0.0.1", server.http_port))
    return raw


def get(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nhost: x\r\n\r\n".encode()


def post(path: str, length: int, *headers: str) -> bytes:
    lines = (f"POST {path} HTTP/1.1", "host: x", "content-type: application/json", f"content-length: {length}")
    return "\r\n".join((*lines, *headers, "\r\n")).encode()


def answer(raw: socket.socket) -> tuple[int, int]:
    """The status of the next answer, and its retry-after or 0."""
    response = http.client.HTTPResponse(raw)
    response.begin()
    response.read()
    retry = response.getheader("retry-after", "0")
    response.close()
    return response.status, int(retry)


def metric(server: LiveServer, series: str) -> float:
    """One series' value; 0 while there is none."""
    lines = httpx.get(server.url + "/metrics", timeout=PATIENCE_SECONDS).text.splitlines()
    return next((float(line.rpartition(" ")[2]) for line in lines if line.rpartition(" ")[0] == series), 0.0)


def ended(server: LiveServer, reason: str) -> float:
    return metric(server, f'http_connections_ended_total{{reason="{reason}"}}')


def answered(server: LiveServer, model: str) -> dict[int, int]:
    """How many requests to V1 the server has counted, by status."""
    series = 'model_requests_total{{code="{}",limit="",model_name="{}",model_version="1",protocol="v1"}}'
    return {code: int(metric(server, series.format(code, model))) for code in (200, 429)}


def is_clean(server: LiveServer) -> bool:
    """Whether nothing is left behind; the connection that asks is the only one."""
    return metric(server, "http_connections") == 1 and metric(server, "http_request_bytes_held") == 0


def memory(server: LiveServer) -> int:
    return int(psutil.Process(server.process.pid).memory_info().rss)


def check_served(client: httpx.Client) -> None:
    assert client.get(LIVE).status_code == 200
    assert client.post(IRIS, content=ROW, headers=JSON).status_code == 200


@contextmanager
def suspended(server: LiveServer) -> Iterator[None]:
    """Whatever is sent meanwhile, the server finds all at once."""
    server.process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        server.process.send_signal(signal.SIGCONT)


@contextmanager
def many(server: LiveServer, count: int, receive_buffer: int = 0) -> Iterator[list[socket.socket]]:
    with ExitStack() as stack:
        yield [stack.enter_context(connect(server, receive_buffer)) for _ in range(count)]


@pytest.fixture(scope="module")
def hurried(artifacts: object) -> Iterator[LiveServer]:
    """A server that waits a second for its clients."""
    with serve("iris", "--head_timeout_seconds", "1", "--write_timeout_seconds", "1") as live:
        yield live.wait_ready()
        assert "Traceback" not in "".join(live.raw)


def trickle(connections: list[socket.socket], text: Iterator[int], meanwhile: Callable[[], None]) -> list[bytes]:
    """Send a byte on each connection, then the next, until the server has ended them all; gives what each received."""
    received = dict.fromkeys(connections, b"")
    waiting = set(connections)
    for raw in connections:
        raw.setblocking(False)
    ends = time.monotonic() + PATIENCE_SECONDS
    while waiting:
        assert time.monotonic() < ends, f"{len(waiting)} connections are still open"
        byte = bytes([next(text)])
        for raw in list(waiting):
            chunk = b""
            with suppress(ConnectionError):  # it may have been closed between these two
                raw.send(byte)
            try:
                chunk = raw.recv(4096)
            except BlockingIOError:
                continue
            except ConnectionError:
                pass
            received[raw] += chunk
            if not chunk:
                waiting.remove(raw)
        meanwhile()
        time.sleep(0.01)
    return list(received.values())


def test_heads_of_a_byte_at_a_time(hurried: LiveServer) -> None:
    before = ended(hurried, "head_timeout")
    head = itertools.chain(b"GET / HTTP/1.1\r\nx-slow: ", itertools.repeat(ord("a")))
    with httpx.Client(base_url=hurried.url) as client, many(hurried, 300) as connections:
        received = trickle(connections, head, partial(check_served, client))
    assert {text[:13] for text in received} <= {b"HTTP/1.1 408 ", b""}
    assert b"HTTP/1.1 408 " in {text[:13] for text in received}
    assert ended(hurried, "head_timeout") - before == 300
    wait_for(lambda: is_clean(hurried), "an idle server")


def test_bodies_of_a_byte_at_a_time(hurried: LiveServer) -> None:
    with httpx.Client(base_url=hurried.url) as client, many(hurried, 50) as connections:
        for raw in connections:
            raw.sendall(post(IRIS, 1000_000, "x-request-timeout-ms: 1000"))
        received = trickle(connections, itertools.repeat(ord(" ")), partial(check_served, client))
    assert {text[:13] for text in received} == {b"HTTP/1.1 504 "}
    assert all(text.count(b"HTTP/1.1") == 1 and b"connection: close" in text for text in received)
    wait_for(lambda: is_clean(hurried), "an idle server")


@pytest.mark.parametrize("header", [(), ("connection: close",)], ids=["keep-alive", "close"])
@pytest.mark.parametrize(("path", "status"), [("/nowhere", 404), (IRIS, 413)])
def test_long_bodies_that_are_refused_early(
    hurried: LiveServer, path: str, status: int, header: tuple[str, ...]
) -> None:
    """The client gets to see the refusal, and where it may, it goes on."""
    for _ in range(5):
        with connect(hurried) as raw:
            with suspended(hurried):
                raw.sendall(post(path, 5 * MB, *header) + b" " * 200_000)
            raw.sendall(b" " * (5 * MB - 200_000))
            assert answer(raw) == (status, 0)
            if header:
                assert raw.recv(1) == b""
            else:
                raw.sendall(get(LIVE))
                assert answer(raw) == (200, 0)
    wait_for(lambda: is_clean(hurried), "an idle server")


def test_bodies_that_break_off_are_not_held(hurried: LiveServer) -> None:
    head = post(IRIS, 0).replace(b"content-length: 0", b"transfer-encoding: chunked")
    for ending in (b"zz\r\n", b"0\r\nno trailer\r\n\r\n"):
        with connect(hurried) as raw:
            raw.sendall(head + b"100000\r\n" + b" " * MB + b"\r\n")
            wait_for(lambda: metric(hurried, "http_request_bytes_held") == MB, "the body")
            raw.sendall(ending)
            assert answer(raw) == (400, 0)
            assert raw.recv(1) == b""
        wait_for(lambda: is_clean(hurried), "an idle server")


def stuff(raw: socket.socket, text: bytes) -> None:
    """Send as much as there is room for."""
    raw.setblocking(False)
    with suppress(BlockingIOError, ConnectionError):
        raw.send(text)


def watch(server: LiveServer, client: httpx.Client, dropped: float, meanwhile: Callable[[], None]) -> int:
    """Wait until the server has dropped so many clients that do not read; gives its greatest memory until then, bytes."""
    greatest = 0

    def have_gone() -> bool:
        nonlocal greatest
        meanwhile()
        check_served(client)
        greatest = max(greatest, memory(server))
        return ended(server, "write_timeout") == dropped

    wait_for(have_gone, "the end of those who do not read")
    return greatest


def test_clients_that_never_read(hurried: LiveServer) -> None:
    """20 of them ask for 160 MB."""
    dropped, memory_before = ended(hurried, "write_timeout") + 20, memory(hurried)
    with httpx.Client(base_url=hurried.url) as client, many(hurried, 20, receive_buffer=4096) as connections:
        for raw in connections:
            raw.sendall(get(LARGE) * 500)
        greatest = watch(hurried, client, dropped, lambda: None)
    assert greatest - memory_before < 40 * MB
    wait_for(lambda: is_clean(hurried), "an idle server")


def test_clients_that_never_read_and_go_on_asking(hurried: LiveServer) -> None:
    dropped, memory_before = ended(hurried, "write_timeout") + 4, memory(hurried)
    with httpx.Client(base_url=hurried.url) as client, many(hurried, 4, receive_buffer=4096) as connections:

        def ask_on() -> None:
            for raw in connections:
                stuff(raw, get(LIVE) * 500)

        for _ in range(300):  # one at a time, so that none of them waits for another's answer
            for raw in connections:
                stuff(raw, get(LARGE))
            check_served(client)
        greatest = watch(hurried, client, dropped, ask_on)
    assert greatest - memory_before < 40 * MB
    wait_for(lambda: is_clean(hurried), "an idle server")


def test_clients_that_never_read_keep_their_places(artifacts: object) -> None:
    """Who came for nothing counts as one of the connections until it is dropped."""
    with serve("iris", "--max_connections", "10", "--write_timeout_seconds", "1") as live:
        live.wait_ready()
        process = psutil.Process(live.process.pid)
        before = process.num_fds()
        with many(live, 40, receive_buffer=4096) as connections:
            for raw in connections:
                stuff(raw, get(LARGE) * 500)

            def is_served() -> bool:
                assert process.num_fds() - before <= 2 * 10
                return httpx.get(live.url + LIVE).status_code == 200

            wait_for(is_served, "an answer")
            wait_for(lambda: process.num_fds() <= before, "the end of them all")
        wait_for(lambda: is_clean(live), "an idle server")


def answers(raw: socket.socket, count: int) -> list[int]:
    """The statuses of so many answers, and of what comes after them by mistake, if it comes at once."""
    received, seen = bytearray(), 0
    while seen < count or received[-1:] != b"}":
        chunk = raw.recv(MB)
        assert chunk, f"closed after {seen} of {count} answers"
        seen += (received[-8:] + chunk).count(b"HTTP/1.1 ")
        received += chunk
    return [int(each[:3]) for each in received.split(b"HTTP/1.1 ")[1:]]


def test_thousands_of_requests_at_once_take_little_memory(hurried: LiveServer) -> None:
    """What is read at once is parsed a few requests at a time; 270,000 small ones would take 150 MB."""
    memory_before = memory(hurried)
    with httpx.Client(base_url=hurried.url) as client, many(hurried, 40, receive_buffer=4096) as connections:
        dropped = ended(hurried, "write_timeout") + len(connections)
        for raw in connections:
            stuff(raw, get(LARGE) * 6900)
        assert watch(hurried, client, dropped, lambda: None) - memory_before < 60 * MB
    wait_for(lambda: is_clean(hurried), "an idle server")


OFFER = b"connection: upgrade, http2-settings\r\nupgrade: h2c\r\n"


@pytest.mark.parametrize("header", [b"", OFFER], ids=["plain", "upgrade"])
def test_thousands_of_requests_at_once_on_one_connection(hurried: LiveServer, header: bytes) -> None:
    request = get(LIVE)[:-2] + header + b"\r\n"
    with connect(hurried) as raw:
        raw.sendall(get(LIVE))
        assert answer(raw) == (200, 0)
        with suspended(hurried):
            raw.sendall(request * 2000)
        assert answers(raw, 2000) == [200] * 2000
    with httpx.Client(base_url=hurried.url) as client:
        check_served(client)
    wait_for(lambda: is_clean(hurried), "an idle server")


@pytest.fixture
def files() -> Iterator[None]:
    """Let this process, and those that it starts, open 6,000 files."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 6000:
        pytest.skip(f"the hard limit of open files is {hard}; this test needs 6000")
    resource.setrlimit(resource.RLIMIT_NOFILE, (6000 if soft == resource.RLIM_INFINITY else max(soft, 6000), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_5000_idle_connections(artifacts: object, files: None) -> None:
    with serve("iris") as live:
        live.wait_ready()
        before = memory(live)
        with many(live, 5000) as connections:
            for raw in connections:
                raw.sendall(post(IRIS, len(ROW)) + ROW)
                assert answer(raw) == (200, 0)
            assert metric(live, "http_connections") == 5001
            assert (memory(live) - before) / 5000 < 64 * 1024
            with httpx.Client(base_url=live.url) as client:
                check_served(client)
        wait_for(lambda: is_clean(live), "an idle server")


def test_more_connections_than_there_may_be(artifacts: object) -> None:
    most, more = 50, 20
    with serve("iris", "--max_connections", str(most)) as live:
        live.wait_ready()
        with many(live, most) as connections:
            for raw in connections:
                raw.sendall(get(LIVE))
                assert answer(raw) == (200, 0)
            with many(live, more) as newcomers:  # idle ones make room for them, the first come first
                for raw in newcomers:
                    raw.sendall(get(LIVE))
                    assert answer(raw) == (200, 0)
                assert [raw.recv(1) for raw in connections[:more]] == [b""] * more
                busy = connections[more:] + newcomers
                for raw in busy:
                    raw.sendall(post(IRIS, len(ROW)) + ROW[:1])
                    raw.sendall(ROW[1:2])
                with many(live, more) as refused:
                    assert [answer(raw) for raw in refused] == [(503, 1)] * more
                for raw in busy:
                    raw.sendall(ROW[2:])
                assert [answer(raw) for raw in busy] == [(200, 0)] * most
        wait_for(lambda: is_clean(live), "an idle server")
        assert ended(live, "evicted") == more
        assert ended(live, "refused") >= more
        assert "Traceback" not in "".join(live.raw)


def test_more_bytes_than_there_may_be(artifacts: object) -> None:
    """Of eight bodies of 20 MiB three fit into 64 MiB."""
    with serve("iris", "--max_body_bytes", str(20 * MB), "--max_held_bytes", str(64 * MB)) as live:
        live.wait_ready()
        before = memory(live)
        body = ROW + b" " * (20 * MB - len(ROW))
        sent = threading.Barrier(9)

        def send(raw: socket.socket) -> tuple[int, int]:
            raw.sendall(post(IRIS, len(body)))
            raw.sendall(memoryview(body)[:-1])
            sent.wait(PATIENCE_SECONDS)
            sent.wait(PATIENCE_SECONDS)
            raw.sendall(body[-1:])
            return answer(raw)

        with httpx.Client(base_url=live.url) as client, many(live, 8) as connections, ThreadPoolExecutor(8) as pool:
            answers = [pool.submit(send, raw) for raw in connections]
            sent.wait(PATIENCE_SECONDS)
            check_served(client)
            most = memory(live)
            sent.wait(PATIENCE_SECONDS)
            assert Counter(each.result() for each in answers) == {(200, 0): 3, (429, 1): 5}
            for raw in connections:  # each is in step still
                raw.sendall(post(IRIS, len(ROW)) + ROW)
            assert [answer(raw) for raw in connections] == [(200, 0)] * 8
        assert most - before < 120 * MB
        assert memory(live) - before < 120 * MB
        wait_for(lambda: is_clean(live), "an idle server")


def burst(server: LiveServer, connections: list[socket.socket], bodies: Iterator[bytes], path: str) -> Counter[int]:
    """Send one request on each connection, all at once; gives how many got which status."""
    with suspended(server):
        for raw in connections:
            body = next(bodies)
            raw.sendall(post(path, len(body)) + body)
    answers = [answer(raw) for raw in connections]
    assert all((retry >= 1) == (status == 429) for status, retry in answers)
    return Counter(status for status, _ in answers)


def test_more_requests_than_the_queue_of_the_event_loop(artifacts: object) -> None:
    with serve("iris", "--max_queue", "16") as live:
        live.wait_ready()
        seen: Counter[int] = Counter()
        with many(live, 200) as connections:
            for _ in range(5):
                seen += burst(live, connections, itertools.repeat(ROW), IRIS)
            assert set(seen) == {200, 429}
            assert seen == answered(live, "iris")
            for raw in connections:
                raw.sendall(post(IRIS, len(ROW)) + ROW)
                assert answer(raw) == (200, 0)
        wait_for(lambda: is_clean(live), "an idle server")
        assert "Traceback" not in "".join(live.raw)


def test_thousands_of_requests_at_once_beyond_the_queue(artifacts: object) -> None:
    request = post(IRIS, len(ROW)) + ROW
    with serve("iris", "--max_queue", "4") as live:
        live.wait_ready()
        with connect(live) as first, many(live, 7) as others:
            for raw in others:
                raw.sendall(get(LIVE))
                assert answer(raw) == (200, 0)
            first.sendall(request[:-1])
            with suspended(live):  # when the first request is answered, others have filled the queue
                first.sendall(request[-1:] + request * 2000)
                for raw in others:
                    raw.sendall(request * 2000)
            seen = Counter(answers(first, 2001))
            for raw in others:
                seen += Counter(answers(raw, 2000))
        assert set(seen) == {200, 429}
        assert seen.total() == 2001 + 7 * 2000
        assert seen == answered(live, "iris")
        wait_for(lambda: is_clean(live), "an idle server")
        assert "Traceback" not in "".join(live.raw)


@pytest.fixture(scope="module")
def loaded(artifacts: object) -> Iterator[LiveServer]:
    arguments = ("--slots", "2", "--context_tokens", "512", "--max_queue", "4", "--cache", "off")
    with serve("iris", "summarizer", *arguments) as live:
        yield live.wait_ready()
        assert "Traceback" not in "".join(live.raw)


def documents() -> Iterator[bytes]:
    """Documents that the model is asked about: each clause has an aside."""
    clause = "You pay {} euros for towels (such as plain blue towels)."
    texts = (" ".join(clause.format(price) for price in range(first, first + 3)) for first in itertools.count(1, 3))
    return (json.dumps({"instances": [text]}).encode() for text in texts)


@pytest.mark.llama
def test_more_requests_than_the_queue_of_a_thread(loaded: LiveServer) -> None:
    bodies = documents()
    with many(loaded, 12) as connections:
        seen = burst(loaded, connections, bodies, SUMMARIZER)
        assert set(seen) == {200, 429}
        assert seen == answered(loaded, "summarizer")
        for raw in connections[:3]:
            body = next(bodies)
            raw.sendall(post(SUMMARIZER, len(body)) + body)
            assert answer(raw) == (200, 0)
    wait_for(lambda: is_clean(loaded), "an idle server")


@pytest.mark.llama
def test_a_quick_model_beside_a_slow_one_at_full_load(loaded: LiveServer) -> None:
    text = (ROOT / "tests/eval/set/cloud-storage-terms/document.txt").read_text("utf-8")
    body = json.dumps({"instances": [text], "parameters": {"mode": "full"}}).encode()
    in_flight = 'model_requests_in_flight{model_name="summarizer"}'
    with many(loaded, 4) as connections:
        for raw in connections:
            raw.sendall(post(SUMMARIZER, len(body)) + body)
        wait_for(lambda: metric(loaded, in_flight) == 4, "full load")
        with httpx.Client(base_url=loaded.url, timeout=PATIENCE_SECONDS) as client:
            for _ in range(50):
                check_served(client)
            assert client.post(SUMMARIZER, content=body, headers=JSON).status_code == 429
        assert metric(loaded, in_flight) == 4
    wait_for(lambda: metric(loaded, in_flight) == 0 and is_clean(loaded), "an idle server")
