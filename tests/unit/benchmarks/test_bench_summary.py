"""The benchmark's medians, targets and tables."""

import dataclasses
import json
from pathlib import Path

import pytest

from tests.benchmarks import bench
from tests.benchmarks.load import report
from tests.benchmarks.load.cases import CEILING, FASTAPI, GRPC, MLSERVER, OURS, STOCK, V1, V2, Case
from tests.benchmarks.load.report import Run
from tests.benchmarks.load.rounds import CLOSED, OVERLOAD, RATE, Sample
from tests.benchmarks.load.summary import Results, duels
from tests.benchmarks.load.targets import targets


def closed(
    server: str, rate: float, p99: float = 10.0, protocol: str = V1, model: str = "iris", cpu_us: float = 100.0
) -> Sample:
    """A closed loop of 1,000 answers, each of which took so much CPU time, a quarter of it in the kernel."""
    return Sample(
        0,
        server,
        model,
        protocol,
        CLOSED,
        target=0,
        offered=0,
        rate=rate,
        refused=0,
        p50=p99 / 2,
        p99=p99,
        statuses={"200": 1000},
        user_seconds=0.00075 * cpu_us,
        system_seconds=0.00025 * cpu_us,
        server_busy=1.0,
        client_busy=0.2,
        others_busy=0.0,
    )


def offered(server: str, target: float, rate: float, p99: float, protocol: str = V1, model: str = "iris") -> Sample:
    sample = closed(server, rate, p99, protocol, model)
    return dataclasses.replace(sample, kind=RATE, target=target, offered=target)


SAMPLES = [
    closed(CEILING, 20_000, cpu_us=60),
    closed(OURS, 8_000, cpu_us=120),
    closed(OURS, 9_000, protocol=V2, cpu_us=160),
    closed(OURS, 1_900, protocol=GRPC, cpu_us=500),
    closed(OURS, 3_000, model="intent", cpu_us=250),
    closed(STOCK, 100, cpu_us=5_880),
    closed(MLSERVER, 500, 5.0, protocol=V2, cpu_us=1_600),
    closed(MLSERVER, 950, protocol=GRPC, cpu_us=400),
    closed(FASTAPI, 700, model="intent", cpu_us=1_400),
    offered(OURS, 500, 500, 0.8),
    offered(STOCK, 500, 60, 4_000),
    offered(MLSERVER, 500, 499, 0.7, protocol=V2),
    offered(OURS, 500, 500, 0.9, protocol=V2),
    dataclasses.replace(closed(OURS, 7_500, 300), kind=OVERLOAD, target=2.0, offered=16_000, refused=5_000),
]
RUN = Run(
    {"processor": "one"},
    {"rounds": 1, "seconds": 1, "connections": 16},
    {OURS: {"version": "1", "note": "ours"}, MLSERVER: {"version": "2", "note": "theirs"}},
    SAMPLES,
)


def test_points_are_medians_of_rounds() -> None:
    rounds = [
        dataclasses.replace(closed(OURS, rate, p99), round=n) for n, (rate, p99) in enumerate([(3, 9), (5, 1), (4, 2)])
    ]
    (point,) = Results(rounds).points
    assert (point.samples, point.rate, point.lowest, point.highest) == (3, 4, 3, 5)
    assert (point.p99, point.p99_lowest, point.p99_highest) == (2, 1, 9)


def test_cpu_time_per_request_has_a_median_and_a_spread() -> None:
    rounds = [dataclasses.replace(closed(OURS, 1, cpu_us=cost), round=n) for n, cost in enumerate((120, 80, 90))]
    (point,) = Results(rounds).points
    assert (point.cpu_us, point.cpu_lowest, point.cpu_highest) == pytest.approx((90, 80, 120))
    assert (point.user_us, point.system_us) == pytest.approx((67.5, 22.5))


def test_refusals_cost_cpu_time_too() -> None:
    overload = dataclasses.replace(closed(OURS, 1, cpu_us=100), statuses={"200": 1000, "429": 3000})
    assert overload.cpu_us == pytest.approx(25)


def test_disturbed_rounds_are_left_out_where_there_are_others() -> None:
    quiet, busy = closed(OURS, 100), dataclasses.replace(closed(OURS, 20), others_busy=0.9)
    (point,) = Results([busy, quiet, busy]).points
    assert (point.samples, point.rate, point.disturbed) == (1, 100, False)
    (point,) = Results([busy, busy]).points
    assert (point.samples, point.rate, point.disturbed) == (2, 20, True)


def test_cases_and_rates_are_points_of_their_own() -> None:
    results = Results(
        [closed(OURS, 1), closed(OURS, 1, protocol=V2), offered(OURS, 50, 50, 1), offered(OURS, 100, 90, 1)]
    )
    assert len(results.points) == 4
    case = Case(OURS, "iris", V1)
    found = [results.at(case, rate) for rate in (50, 100, 200)]
    assert [point and point.keeps_up for point in found] == [True, False, None]


@pytest.mark.parametrize(
    ("server_busy", "client_busy", "bound_by"), [(1.0, 0.95, "server"), (0.7, 0.95, "client"), (0.6, 0.3, "neither")]
)
def test_a_figure_of_the_client_is_not_taken_for_the_servers(
    server_busy: float, client_busy: float, bound_by: str
) -> None:
    sample = dataclasses.replace(closed(OURS, 1), server_busy=server_busy, client_busy=client_busy)
    assert Results([sample]).points[0].bound_by == bound_by


def test_figures_to_reach() -> None:
    found = {(target.figure, target.against): (target.reached, target.holds) for target in targets(Results(SAMPLES))}
    assert found == {
        ("iris V1, CPU µs/request", STOCK): ("49.0×", False),
        ("iris V2, CPU µs/request", MLSERVER): ("10.0×", True),
        ("iris gRPC, CPU µs/request", MLSERVER): ("0.8×", False),
        ("intent V1, CPU µs/request", FASTAPI): ("5.6×", True),
        ("iris V1, CPU µs/request", CEILING): ("50%", True),
        ("iris V1, requests/s", STOCK): ("80.0×", True),
        ("iris V2, requests/s", MLSERVER): ("18.0×", True),
        ("iris gRPC, requests/s", MLSERVER): ("2.0×", True),
        ("intent V1, requests/s", FASTAPI): ("4.3×", False),
        ("iris V1, requests/s", CEILING): ("40%", True),
        ("iris gRPC, infer/s on one core", ""): ("1,900", False),
        ("iris V1, p99 at 500/s", ""): ("0.8 ms", True),
        ("iris V1, p99 at 500/s", STOCK): ("0.8 ms", True),
        ("iris V1, p99 at 500/s", "MLServer (V2)"): ("0.8 ms", False),
    }


def test_a_low_latency_of_too_few_answers_does_not_hold() -> None:
    target = next(target for target in targets(Results([offered(OURS, 500, 300, 2.0)])))
    assert (target.reached, target.holds) == ("2.0 ms", False)


def test_a_disturbed_figure_says_so() -> None:
    disturbed = [dataclasses.replace(s, others_busy=0.9) if s.server == STOCK else s for s in SAMPLES]
    marked = {target.against for target in targets(Results(disturbed)) if target.disturbed}
    assert marked == {STOCK}
    page = report.markdown(dataclasses.replace(RUN, samples=disturbed), {})
    assert "| iris V1, requests/s | stock KServe | ≥ 25× (aim: 60×) | 80.0× | yes (disturbed) |" in page
    assert "In 2 of 14 medians no round was" in page


def test_a_peer_that_wins_is_named() -> None:
    found = {(duel.protocol, duel.figure, duel.peer): duel.better for duel in duels(Results(SAMPLES))}
    assert found["V2", "requests/s", MLSERVER] == OURS
    assert found["V2", "p99, ms", MLSERVER] == MLSERVER
    assert found["gRPC", "CPU µs/request", MLSERVER] == MLSERVER
    page = report.markdown(RUN, {})
    assert "| iris | V2 | CPU µs/request | 160 | MLServer | 1,600 | 10.0× | kserve-predictors |" in page
    assert "| iris | gRPC | CPU µs/request | 500 | MLServer | 400 | 0.8× | **MLServer** |" in page
    assert "| iris | V2 | p99, ms | 10.00 | MLServer | 5.00 | 0.5× | **MLServer** |" in page
    assert "| iris V1, p99 at 500/s | MLServer (V2) | below 0.7 ms | 0.8 ms | **no** |" in page


def test_the_lowest_latency_is_of_a_server_that_keeps_up() -> None:
    slow = offered(STOCK, 500, 60, 0.1)  # quick with the few that it answers
    samples = [slow if (s.server, s.kind) == (STOCK, RATE) else s for s in SAMPLES]
    page = report.markdown(dataclasses.replace(RUN, samples=samples), {})
    row = next(line for line in page.splitlines() if line.startswith("| 500 |") and "only 60/s" in line)
    assert row.endswith("| **MLServer** |")


def test_the_page_has_what_was_measured() -> None:
    page = report.markdown(RUN, {"plot.svg": "what it shows"})
    assert "![what it shows](plot.svg)" in page
    assert "| 200%, 128 connections | 16,000 | 7,500 | 5,000 | 100 | 150.0 | 300.0 |" in page
    assert (
        "| bare ASGI | a constant | V1 | **60** (60 to 60) | 45 + 15 | 100% | 20,000 (20,000 to 20,000) | 100% |"
        in page
    )
    assert (
        "| kserve-predictors | iris | V1 | **120** (120 to 120) | 90 + 30 | 50% | 8,000 (8,000 to 8,000) | 40% |"
        in page
    )
    assert "- MLServer 2: theirs" in page
    assert "## intent V1 at an offered rate" not in page
    for line in page.splitlines():
        if line.startswith("| ---"):
            columns = line.count("|")
        elif line.startswith("| iris"):
            assert line.count("|") == columns


def test_cpu_time_comes_first() -> None:
    first_target, *_ = targets(Results(SAMPLES))
    assert first_target.figure == "iris V1, CPU µs/request"
    for model, protocol in (("iris", V1), ("iris", V2), ("intent", V1)):
        figures = [duel.figure for duel in duels(Results(SAMPLES)) if (duel.model, duel.protocol) == (model, protocol)]
        assert figures == ["CPU µs/request", "requests/s", "p99, ms"]
    assert next(iter(bench.PLOTS)) == "serving-cpu.svg"


def test_a_run_is_read_as_it_was_written(tmp_path: Path) -> None:
    file = tmp_path / "run.json"
    file.write_text(bench.dump(RUN))
    read = bench.read(file)
    assert read == RUN
    assert bench.dump(read) == file.read_text()
    assert report.markdown(read, bench.PLOTS) == report.markdown(RUN, bench.PLOTS)
    points = json.loads(file.read_text())["points"]
    assert [point["rate"] for point in points] == [sample.rate for sample in SAMPLES]
    assert [point["cpu_us"] for point in points] == pytest.approx([sample.cpu_us for sample in SAMPLES])
