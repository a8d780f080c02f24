"""What is measured, in which order: every round visits every server, each in a process started afresh."""

import functools
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from tests.benchmarks.load.cases import OURS, V1, V2, Case
from tests.benchmarks.load.check import check, expected
from tests.benchmarks.load.servers import BOTH, Live, Server, running
from tests.benchmarks.load.tools import Measured, Tools

CLOSED, RATE, OVERLOAD = "closed loop", "offered rate", "overload"
# Requests a second, up to the first that a server does not keep up with.
RATES = (50, 100, 200, 500, 1000, 2000, 4000, 6000, 8000, 12000, 16000)
# At this rate all servers are measured, whether they keep up or not.
COMMON_RATE = 500
KEEPS_UP = 0.95
# At the low rates a 99th percentile needs longer than --seconds.
LEAST_REQUESTS = 200
# Shares of the peak that was measured just before: what a server should be given, and what is too much.
NORMAL, EXCESS = 0.8, 2.0
# Share of a core that others may take before a measurement is made once more.
DISTURBED = 0.15
WARM_UP_SECONDS = 1.0
_PAUSE_SECONDS = 0.2


@dataclass(frozen=True)
class Sample:
    """One measurement.

    Args:
        round: from 0.
        server: its name.
        model: iris or intent.
        protocol: of the request.
        kind: ``closed loop``, ``offered rate`` or ``overload``.
        target: requests a second of an offered rate; a share of the peak of an overload; otherwise 0.
        offered: requests a second; 0 in a closed loop.
        rate: answers with success, a second.
        refused: answers with 429, a second.
        p50: median latency of the successes, milliseconds; of an offered rate, from when the request was due.
        p99: the 99th percentile of the same.
        statuses: how many answers had each status.
        server_busy: CPU time of the server, as a share of one core.
        client_busy: the same of the tool.
        others_busy: the same of all else on the machine.
    """

    round: int
    server: str
    model: str
    protocol: str
    kind: str
    target: float
    offered: float
    rate: float
    refused: float
    p50: float
    p99: float
    statuses: Mapping[str, int]
    server_busy: float
    client_busy: float
    others_busy: float


class Rounds:
    """Measures servers, round by round.

    Args:
        servers: which.
        tools: with which tools.
        core: where servers run.
        seconds: how long each measurement takes.
        say: is given a line a measurement.
    """

    def __init__(
        self, servers: Sequence[Server], tools: Tools, core: int, seconds: float, say: Callable[[str], None]
    ) -> None:
        self.samples: list[Sample] = []
        self._servers = servers
        self._tools = tools
        self._core = core
        self._seconds = seconds
        self._say = say
        self._expected = {model: expected(model) for model in BOTH}

    def run(self, count: int) -> None:
        """Measure everything so many times.

        Raises:
            BenchError: a server ended, or answered something else than it should.
        """
        started = time.monotonic()
        for number in range(count):
            for server in self._servers:
                self._say(f"round {number + 1} of {count}: starting {server.name}")
                with running(server, self._core) as live:
                    for case in server.cases:
                        check(case, live.ports.http, live.ports.grpc, self._expected[case.model])
                    self._measure(number, server, live)
            left = (time.monotonic() - started) / (number + 1) * (count - number - 1)
            if left:
                self._say(f"about {left / 60:.0f} minutes left")

    def _measure(self, number: int, server: Server, live: Live) -> None:
        tools, seconds = self._tools, self._seconds
        rates = {}
        for case in server.cases:
            tools.closed(case, live, WARM_UP_SECONDS)
            closed = functools.partial(tools.closed, case, live, seconds)
            rates[case] = self._record(number, case, CLOSED, 0, 0, closed)
        for case in filter(swept, server.cases):
            self._sweep(number, case, live)
        case = Case(OURS, "iris", V1)
        if case in rates:
            for share, load in ((NORMAL, tools.offered), (EXCESS, tools.crowd)):
                offered = share * rates[case]
                measure = functools.partial(load, case, live, seconds, offered)
                self._record(number, case, OVERLOAD, share, offered, measure)

    def _sweep(self, number: int, case: Case, live: Live) -> None:
        """Offer more and more, until the server does not keep up."""
        keeps_up = True
        for rate in RATES:
            if keeps_up or rate == COMMON_RATE:
                seconds = max(self._seconds, LEAST_REQUESTS / rate)
                offered = functools.partial(self._tools.offered, case, live, seconds, rate)
                reached = self._record(number, case, RATE, rate, rate, offered)
                keeps_up = keeps_up and reached >= KEEPS_UP * rate

    def _record(
        self, number: int, case: Case, kind: str, target: float, offered: float, measure: Callable[[], Measured]
    ) -> float:
        """Measure, once more if others took the machine, and keep the less disturbed; successes a second."""
        time.sleep(_PAUSE_SECONDS)
        found = measure()
        if found.others_busy > DISTURBED:
            self._say(f"  (others took {found.others_busy:.0%} of a core; once more)")
            found = min(found, measure(), key=lambda each: each.others_busy)
        load = found.load
        busy = (found.server_busy, found.client_busy, found.others_busy)
        latency = (load.p50, load.p99, load.statuses)
        self.samples.append(Sample(number, *case, kind, target, offered, load.rate, load.refused, *latency, *busy))
        asked = f", {offered:.0f}/s offered" if offered else ""
        refused = f", {load.refused:.0f}/s refused" if load.refused else ""
        self._say(
            f"  {case}{asked}: {load.rate:.0f}/s{refused}, p50 {load.p50:.2f} ms, p99 {load.p99:.2f} ms "
            f"(server {found.server_busy:.0%}, client {found.client_busy:.0%}, others {found.others_busy:.0%})"
        )
        return load.rate


def swept(case: Case) -> bool:
    """Whether latency is measured at offered rates: V1 of all that speak it, and iris in V2."""
    return case.protocol == V1 or (case.protocol == V2 and case.model == "iris")
