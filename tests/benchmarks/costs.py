"""What a million requests cost, from CPU times that were measured here and prices that you give: ``make costs``.

An instance of one vCPU and so much memory costs ``p = vCPU price + GiB * memory price`` an hour. With ``r`` requests a
second, each of which takes ``c`` seconds of CPU time, ``n = max(1, ⌈r·c / utilization⌉)`` instances are needed.

- Always warm, they cost ``n·p`` an hour, whatever they do.
- Scaled to zero, an instance is paid for while it answers, and for a window ``w`` after a request: with requests at
  random times (Poisson), for ``1 - exp(-(r/n)·w)`` of the time, and never for less than the CPU time. Platforms of that
  kind have prices of their own, and a fee for each request.

The break-even rate is where both cost the same; above it, always warm is cheaper. ``w`` is 0.1 s where what is billed
are requests, rounded up (Cloud Run), and the time until a pod is removed on Knative, about a minute.
"""

import argparse
import json
import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from tests.benchmarks.elsewhere import FIGURES
from tests.benchmarks.load.cases import OURS
from tests.benchmarks.load.rounds import CLOSED
from tests.benchmarks.output import Grid
from tests.live import ROOT

SERVING = ROOT / "docs/benchmarks/serving.json"
# What an instance gets, GiB: what the models need (docs/benchmarks.md), rounded up to what platforms sell.
MEMORY_GIB = {"iris": 0.5, "intent": 0.5, "summarizer": 1.0}
RATES = (0.01, 1.0, 100.0)
MILLION = 1_000_000


class Work(NamedTuple):
    """A kind of request.

    Args:
        model: which answers it.
        what: the protocol, or the mode of a summary.
        cpu_seconds: the server's CPU time for one.
    """

    model: str
    what: str
    cpu_seconds: float


class Prices(NamedTuple):
    """Prices of one way to run instances.

    Args:
        vcpu_hour: of a vCPU.
        gib_hour: of a GiB of memory.
        million_requests: the fee for requests.
    """

    vcpu_hour: float
    gib_hour: float
    million_requests: float = 0.0

    def instance_second(self, gib: float) -> float:
        """An instance of one vCPU and so much memory, for a second."""
        return (self.vcpu_hour + gib * self.gib_hour) / 3600


class Terms(NamedTuple):
    """What the costs depend on besides the work.

    Args:
        warm: prices of instances that always run.
        to_zero: prices of instances that are there for requests alone.
        window_seconds: for how long an instance is paid for after a request.
        utilization: how much of a vCPU may be used before another instance is needed.
    """

    warm: Prices
    to_zero: Prices
    window_seconds: float
    utilization: float


def instances(work: Work, rate: float, terms: Terms) -> int:
    """How many are needed for so many requests a second."""
    return max(1, math.ceil(rate * work.cpu_seconds / terms.utilization))


def warm_cost(work: Work, rate: float, terms: Terms) -> float:
    """Price of a million requests, always warm."""
    seconds = MILLION / rate * instances(work, rate, terms)
    return seconds * terms.warm.instance_second(MEMORY_GIB[work.model]) + terms.warm.million_requests


def to_zero_cost(work: Work, rate: float, terms: Terms) -> float:
    """Price of a million requests, scaled to zero between them."""
    count = instances(work, rate, terms)
    each = rate / count
    busy = min(1.0, max(1 - math.exp(-each * terms.window_seconds), each * work.cpu_seconds))
    seconds = MILLION / rate * count * busy
    return seconds * terms.to_zero.instance_second(MEMORY_GIB[work.model]) + terms.to_zero.million_requests


def break_even(work: Work, terms: Terms) -> float:
    """Requests a second from which on always warm is cheaper, for as long as one instance is enough; NaN if never."""
    low, high = 1e-6, terms.utilization / work.cpu_seconds
    if to_zero_cost(work, high, terms) <= warm_cost(work, high, terms):
        return math.nan
    for _ in range(100):
        middle = math.sqrt(low * high)
        if to_zero_cost(work, middle, terms) > warm_cost(work, middle, terms):
            high = middle
        else:
            low = middle
    return high


def measured(serving: Path, elsewhere: Path) -> Iterator[Work]:
    """The CPU times of `make bench` and `make bench-elsewhere`."""
    for point in json.loads(serving.read_text())["points"]:
        if (point["server"], point["kind"]) == (OURS, CLOSED):
            yield Work(point["model"], point["protocol"], point["cpu_us"] / 1e6)
    for mode, seconds in json.loads(elsewhere.read_text())["summary_cpu_seconds"].items():
        yield Work("summarizer", f"a document, {mode}", seconds)


def table(works: Iterable[Work], terms: Terms) -> Grid:
    """Costs by kind of request."""
    columns = (
        "a million requests", "CPU time each", "busy",
        *(f"warm, {rate:g}/s" for rate in RATES), *(f"to zero, {rate:g}/s" for rate in RATES), "warm is cheaper from",
    )  # fmt: skip
    rows = []
    for work in works:
        busy = terms.utilization / work.cpu_seconds
        even = break_even(work, terms)
        rows.append(
            (
                f"{work.model}, {work.what}",
                f"{work.cpu_seconds:.2f} s" if work.cpu_seconds >= 0.01 else f"{work.cpu_seconds * 1e6:.0f} µs",
                money(warm_cost(work, busy, terms)),
                *(money(warm_cost(work, rate, terms)) for rate in RATES),
                *(money(to_zero_cost(work, rate, terms)) for rate in RATES),
                "never" if math.isnan(even) else f"{even:.2g}/s",
            )
        )
    return Grid("", columns, rows)


def money(value: float) -> str:
    """With two digits that count, or whole."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.2g}"


def main(arguments: Iterable[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)

    def price(name: str, default: float, text: str) -> None:
        parser.add_argument(f"--{name}", type=amount, default=default, help=f"{text} (default: {default:g})")

    price("vcpu_hour", 0.04, "price of a vCPU that always runs, an hour")
    price("gib_hour", 0.005, "price of a GiB of memory of it, an hour")
    price("zero_vcpu_hour", 0.08, "price of a vCPU that is there for requests alone, an hour")
    price("zero_gib_hour", 0.01, "price of a GiB of memory of it, an hour")
    price("million_requests", 0.4, "fee for a million requests where it is there for requests alone")
    price("window_seconds", 0.1, "for how long it is paid for after a request, seconds")
    price("utilization", 0.6, "how much of a vCPU may be used, from 0 to 1")
    options = parser.parse_args(None if arguments is None else list(arguments))
    if not 0 < options.utilization <= 1:
        parser.error("--utilization must be above 0, and 1 at most")
    terms = Terms(
        Prices(options.vcpu_hour, options.gib_hour),
        Prices(options.zero_vcpu_hour, options.zero_gib_hour, options.million_requests),
        options.window_seconds,
        options.utilization,
    )
    print(table(measured(SERVING, FIGURES), terms).markdown())


def amount(text: str) -> float:
    value = float(text)
    if not (0 <= value < math.inf):
        raise ValueError(text)
    return value


if __name__ == "__main__":
    main()
