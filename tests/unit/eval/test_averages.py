"""Averages of results."""

import pytest

from tests.eval import Point, Result, Score, Summary, averages


def result(document: str, said: int, missed: int, faults: list[str]) -> Result:
    score = Score(["x"] * said, ["x"] * missed, [], faults, 1, 0, 0, 0, len(faults), 25, 100)
    return Result(document, "fast", Summary((Point("x"),) * len(faults), 1.5, 10, 3, "fast"), score)


def test_micro_averages_weigh_facts_and_macro_averages_documents() -> None:
    figures = averages([result("a", 8, 0, ["no", "", "", ""]), result("b", 0, 2, ["no"]), result("c", 0, 10, [])])
    assert figures["recall"] == {"micro": pytest.approx(8 / 20), "macro": pytest.approx(1 / 3)}
    assert figures["points"] == 5
    assert figures["wrong"] == pytest.approx(2 / 5)
    assert figures["trivial"] == pytest.approx(3 / 5)
    assert figures["quoted"] == 1
    assert figures["length"] == pytest.approx(0.25)
    assert (figures["seconds"], figures["prompt_tokens"], figures["completion_tokens"]) == (4.5, 30, 9)


def test_without_points_there_is_no_rate() -> None:
    assert averages([result("a", 0, 2, [])])["wrong"] is None
