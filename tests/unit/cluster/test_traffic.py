"""The stream that the cluster's tests judge by: it counts each request once, and sees each way to fail."""

import json
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.cluster.gateway import Gateway
from tests.cluster.senders import rest
from tests.cluster.settings import Address, Settings
from tests.cluster.traffic import Answer, Connect, Pace, Send, Tally, steady
from tests.waiting import until

QUICK = Pace(per_second=1000, least=60, most=100_000)


def scripted(faults: dict[int, str]) -> Connect:
    """A sender whose requests are right, but for those with these numbers."""

    @asynccontextmanager
    async def connect() -> AsyncIterator[Send]:
        sent = iter(range(1_000_000))

        async def send() -> Answer:
            number = next(sent)
            return Answer(fault=faults[number]) if number in faults else Answer(version="1" if number < 55 else "2")

        yield send

    return connect


def test_it_goes_on_until_after_the_block_and_counts_each_request() -> None:
    with steady(scripted({}), QUICK) as tally:
        flowing = tally.started
        until(lambda: tally.started > flowing + 20, "more requests")
    tally.check()
    assert flowing >= 50
    assert tally.versions() == {"1": 55, "2": tally.started - 55}


def test_it_sends_the_least_that_it_is_to() -> None:
    with steady(scripted({}), QUICK) as tally:
        pass
    assert tally.started >= QUICK.least


def test_a_failure_is_told_with_its_time_and_number() -> None:
    with steady(scripted({3: "status 503: draining", 7: "no answer: ReadError"}), QUICK) as tally:
        pass
    with pytest.raises(AssertionError, match=r"2 of \d+ requests failed:\n +\d\.\d{3} s: status 503: draining"):
        tally.check()


def test_a_stream_that_ended_before_the_change_proves_nothing() -> None:
    pace = Pace(per_second=1000, least=10, most=60)
    with steady(scripted({}), pace) as tally:
        until(lambda: tally.started == pace.most, "the most")
        until(lambda: tally.exhausted, "its end")
    with pytest.raises(AssertionError, match="before the change was over"):
        tally.check()


def test_a_request_without_an_answer_is_not_forgotten() -> None:
    with pytest.raises(AssertionError, match="2 requests were sent, 1 answered"):
        Tally(started=2, answered=[(0.1, "1")]).check()


class _Server(ThreadingHTTPServer):
    """Answers by script: the status of each request in turn, 0 to hang up, then 200 for ever."""

    daemon_threads = True

    def __init__(self, *statuses: int) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.statuses = iter(statuses)
        self.hosts: set[str] = set()
        self.lock = threading.Lock()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        with self.server.lock:
            status = next(self.server.statuses, 200)
            self.server.hosts.add(self.headers["host"])
        if status == 0:
            self.close_connection = True
            return
        body = json.dumps({"predictions": [0 if status == 200 else 1]}).encode()
        self.send_response(200 if status == 201 else status)
        self.send_header("x-model-version", "7")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[_Server]:
    # The first two requests are right; then one is refused, one gets a wrong answer, and one gets none.
    with _Server(200, 200, 503, 201, 0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_requests_by_host_name_and_every_way_to_fail(server: _Server) -> None:
    gateway = Gateway(
        Settings(
            gateway=Address("127.0.0.1", server.server_port),
            gateway_tls=Address("127.0.0.1", 1),
            gateway_ca="",
            domain="example.com",
            registry="",
            tag="",
            adapter_namespace="",
            adapter_name="",
            kserve_version="",
        )
    )
    with steady(rest(gateway, "iris", "models"), Pace(per_second=200, least=60, most=60)) as tally:
        pass
    assert server.hosts == {"iris-models.example.com"}
    assert (tally.started, tally.versions()) == (60, {"7": 57})
    faults = sorted(fault.partition(":")[0] for _, fault in tally.faults)
    assert faults == ["no answer", "status 200", "status 503"]
