"""What a million requests cost."""

import json
import math
from pathlib import Path

import pytest

from tests.benchmarks import costs
from tests.benchmarks.costs import Prices, Terms, Work, break_even, instances, to_zero_cost, warm_cost
from tests.live import ROOT

# An instance of iris costs 3,600 an hour: 1 a second.
ONE = Prices(vcpu_hour=3600, gib_hour=0)
TERMS = Terms(warm=ONE, to_zero=Prices(7200, 0, million_requests=5), window_seconds=0.1, utilization=0.5)
WORK = Work("iris", "V1", cpu_seconds=0.001)


def test_always_warm_costs_the_same_whatever_it_does() -> None:
    assert warm_cost(WORK, 1.0, TERMS) == 1e6
    assert warm_cost(WORK, 500.0, TERMS) == pytest.approx(2e3)
    assert instances(WORK, 500.0, TERMS) == 1
    assert instances(WORK, 501.0, TERMS) == 2


def test_memory_has_its_price() -> None:
    dearer = TERMS._replace(warm=Prices(3600, 3600))
    assert warm_cost(WORK, 1.0, dearer) == 1.5e6


def test_rare_requests_pay_for_their_window_and_frequent_ones_share_it() -> None:
    assert to_zero_cost(WORK, 1e-4, TERMS) == pytest.approx(1e6 * 0.1 * 2 + 5, rel=1e-3)
    assert to_zero_cost(WORK, 100.0, TERMS) == pytest.approx(1e6 / 100 * 2 + 5, rel=1e-3)


def test_long_work_is_paid_for_in_full() -> None:
    assert to_zero_cost(Work("iris", "slow", 2.0), 0.001, TERMS) == pytest.approx(1e6 * 2 * 2 + 5, rel=1e-3)


def test_the_break_even_rate_is_where_both_cost_the_same() -> None:
    rate = break_even(WORK, TERMS)
    assert warm_cost(WORK, rate, TERMS) == pytest.approx(to_zero_cost(WORK, rate, TERMS))
    assert warm_cost(WORK, rate / 2, TERMS) > to_zero_cost(WORK, rate / 2, TERMS)
    assert warm_cost(WORK, rate * 2, TERMS) < to_zero_cost(WORK, rate * 2, TERMS)


def test_at_the_same_price_nothing_is_gained_by_running_always() -> None:
    same = TERMS._replace(to_zero=ONE)
    assert math.isnan(break_even(WORK, same))


def test_the_command_prints_a_row_for_each_kind_of_request(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    figures = tmp_path / "elsewhere.json"
    figures.write_text(json.dumps({"summary_cpu_seconds": {"fast": 0.5}}))
    monkeypatch.setattr(costs, "FIGURES", figures)
    costs.main(["--vcpu_hour", "0.1"])
    head, _, *rows = capsys.readouterr().out.splitlines()
    assert head.startswith("| a million requests | CPU time each | ")
    assert {row.split(" | ")[0][2:] for row in rows} >= {"iris, V1", "intent, V2", "summarizer, a document, fast"}


def test_the_documentation_shows_what_the_command_prints(capsys: pytest.CaptureFixture[str]) -> None:
    costs.main([])
    assert capsys.readouterr().out in (ROOT / "docs/elsewhere.md").read_text()


def test_a_price_is_a_number(capsys: pytest.CaptureFixture[str]) -> None:
    for wrong in ("-1", "nan", "free"):
        with pytest.raises(SystemExit):
            costs.main(["--vcpu_hour", wrong])
        assert f"--vcpu_hour: invalid amount value: '{wrong}'" in capsys.readouterr().err


@pytest.mark.parametrize("share", ["0", "1.5"])
def test_the_utilization_is_a_share(share: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        costs.main(["--utilization", share])
    assert "--utilization must be" in capsys.readouterr().err
