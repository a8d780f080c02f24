"""Two checkouts, compared in pairs."""

import dataclasses
from pathlib import Path

import pytest

from tests.benchmarks.load.cases import GRPC, V1, V2
from tests.benchmarks.load.compare import KINDS, NEW, OLD, Comparison, grid, ratio
from tests.benchmarks.load.errors import BenchError
from tests.benchmarks.load.rounds import Sample
from tests.benchmarks.load.tools import Tools
from tests.unit.benchmarks.test_bench_summary import closed


def pairs(model: str, protocol: str) -> list[Sample]:
    """Five pairs: the machine is half as fast in the last two; a request costs the new server a tenth less."""
    return [
        dataclasses.replace(closed(server, rate, protocol=protocol, model=model, cpu_us=cost), round=number)
        for number, slow in enumerate((1.0, 1.0, 1.0, 2.0, 2.0))
        for server, rate, cost in ((OLD, 1000 / slow, 100 * slow), (NEW, 1200 / slow, 90 * slow))
    ]


SAMPLES = [sample for model, protocol in KINDS for sample in pairs(model, protocol)]


def test_ratios_are_taken_within_a_pair() -> None:
    assert ratio(SAMPLES, "iris", V1, "cpu_us") == pytest.approx((0.9, 0.9, 0.9))
    assert ratio(SAMPLES, "iris", V2, "rate") == pytest.approx((1.2, 1.2, 1.2))


def test_one_odd_pair_does_not_change_the_ratio() -> None:
    odd = [
        dataclasses.replace(each, user_seconds=9.0) if (each.server, each.round) == (NEW, 0) else each
        for each in SAMPLES
    ]
    assert ratio(odd, "iris", V1, "cpu_us") == pytest.approx((0.9, 0.9, 0.9))


def test_one_pair_is_enough_for_a_table() -> None:
    first = [each for each in SAMPLES if each.round == 0]
    assert ratio(first, "iris", V1, "cpu_us") == pytest.approx((0.9, 0.9, 0.9))


def test_the_table_has_medians_quartiles_and_ratios() -> None:
    table = grid("old: a, new: b", SAMPLES)
    assert table.title == "old: a, new: b; medians (quartiles)"
    assert [row[0] for row in table.rows] == ["iris V1", "iris V2", "intent V1", f"iris {GRPC}"]
    assert table.rows[0] == (
        "iris V1",
        "100 (100 to 200)",
        "90 (90 to 180)",
        "**0.90×** (0.90 to 0.90)",
        "1,000 (500 to 1,000)",
        "1,200 (600 to 1,200)",
        "**1.20×** (1.20 to 1.20)",
        "0%",
    )
    assert all(len(row) == len(table.columns) for row in table.rows)


def test_a_folder_without_the_package_is_not_compared_with(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match="no predictors package to run in"):
        Comparison(tmp_path, Tools(0, 1, ()), 0, print)
