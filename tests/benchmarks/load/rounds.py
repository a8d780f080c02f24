"""What is measured, in which order: every round measures every server, each in a newly started process."""

import functools
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from tests.benchmarks.load.cases import OURS, V1, V2, Case
from tests.benchmarks.load.check import check, expected
from tests.benchmarks.load.servers import BOTH, Live, Server, running
from tests.benchmarks.load.tools import Measured, Tools

CLOSED, RATE, OVERLOAD = "closed loop", "offered rate", "overload"
# Requests/s, up to the first rate that a server does not keep up with.
RATES = (50, 100, 200, 500, 1000, 2000, 4000, 6000, 8000, 12000, 16000)
# Every server is measured at this rate, whether it keeps up or not.
COMMON_RATE = 500
KEEPS_UP = 0.95
# For a 99th percentile; at low rates this takes longer than --seconds.
LEAST_REQUESTS = 200
# Shares of the peak that was measured just before: a load that a server can bear, and one that it cannot.
NORMAL, EXCESS = 0.8, 2.0
# Share of a core that others may take before a measurement is repeated.
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
        target: requests/s of an offered rate; a share of the peak of an overload; otherwise 0.
        offered: requests/s; 0 in a closed loop.
        rate: successful answers/s.
        refused: answers/s with status 429.
        p50: median latency of successful answers, milliseconds; of an offered rate, from when the request was due.
        p99: the 99th percentile of the same.
        statuses: how many answers had each status.
        user_seconds: CPU time of the server in user mode.
        system_seconds: CPU time of the server in the kernel.
        server_busy: CPU time of the server, as a share of one core.
        client_busy: CPU time of the load tool, as a share of one core.
        others_busy: that of everything else on the machine.
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
    user_seconds: float
    system_seconds: float
    server_busy: float
    client_busy: float
    others_busy: float

    @property
    def user_us(self) -> float:
        """CPU time of the server in user mode for each answer, microseconds."""
        return self.user_seconds / sum(self.statuses.values()) * 1e6

    @property
    def system_us(self) -> float:
        """CPU time of the server in the kernel for each answer, microseconds."""
        return self.system_seconds / sum(self.statuses.values()) * 1e6

    @property
    def cpu_us(self) -> float:
        """CPU time of the server for each answer, microseconds."""
        return self.user_us + self.system_us


class Asked(NamedTuple):
    """What is asked of a server: the first fields of a ``Sample``."""

    round: int
    case: Case
    kind: str
    target: float = 0
    offered: float = 0


def sample(asked: Asked, measured: Measured) -> Sample:
    """A measurement as it is recorded."""
    load, usage = measured
    return Sample(
        asked.round,
        *asked.case,
        kind=asked.kind,
        target=asked.target,
        offered=asked.offered,
        **load._asdict(),
        user_seconds=usage.server.user,
        system_seconds=usage.server.system,
        server_busy=usage.server_busy,
        client_busy=usage.client_busy,
        others_busy=usage.others_busy,
    )


class Rounds:
    """Measures servers, round by round.

    Args:
        servers: which.
        tools: the load generators.
        core: the CPU that servers are pinned to.
        seconds: length of each measurement.
        say: is given a line for each measurement.
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
        """Measure everything this many times.

        Raises:
            BenchError: a server ended, or gave a wrong answer.
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
            rates[case] = self._record(Asked(number, case, CLOSED), closed)
        for case in filter(swept, server.cases):
            self._sweep(number, case, live)
        case = Case(OURS, "iris", V1)
        if case in rates:
            for share, measure in ((NORMAL, tools.offered), (EXCESS, tools.crowd)):
                offered = share * rates[case]
                measure_once = functools.partial(measure, case, live, seconds, offered)
                self._record(Asked(number, case, OVERLOAD, share, offered), measure_once)

    def _sweep(self, number: int, case: Case, live: Live) -> None:
        """Offer more and more, until the server does not keep up."""
        keeps_up = True
        for rate in RATES:
            if keeps_up or rate == COMMON_RATE:
                seconds = max(self._seconds, LEAST_REQUESTS / rate)
                offered = functools.partial(self._tools.offered, case, live, seconds, rate)
                reached = self._record(Asked(number, case, RATE, rate, rate), offered)
                keeps_up = keeps_up and reached >= KEEPS_UP * rate

    def _record(self, asked: Asked, measure: Callable[[], Measured]) -> float:
        """Measure, again if others took the CPU, and keep the less disturbed result; its successful answers/s."""
        time.sleep(_PAUSE_SECONDS)
        found = measure()
        if found.usage.others_busy > DISTURBED:
            self._say(f"  (others took {found.usage.others_busy:.0%} of a core; measuring again)")
            found = min(found, measure(), key=lambda each: each.usage.others_busy)
        self.samples.append(sample(asked, found))
        self._say(f"  {describe(self.samples[-1])}")
        return found.load.rate


def describe(found: Sample) -> str:
    """A sample in one line."""
    asked = f", {found.offered:.0f}/s offered" if found.offered else ""
    refused = f", {found.refused:.0f}/s refused" if found.refused else ""
    return (
        f"{found.server}, {found.model} {found.protocol}{asked}: {found.cpu_us:.0f} µs of CPU time a request, "
        f"{found.rate:.0f}/s{refused}, p50 {found.p50:.2f} ms, p99 {found.p99:.2f} ms "
        f"(server {found.server_busy:.0%}, client {found.client_busy:.0%}, others {found.others_busy:.0%})"
    )


def swept(case: Case) -> bool:
    """Whether latency is measured at offered rates: V1 of every server that has it, and iris in V2."""
    return case.protocol == V1 or (case.protocol == V2 and case.model == "iris")
