"""Averages of results."""

import pytest

from tests.eval import Result, Score, Summary, averages


def result(document: str, said: int, missed: int, reasons: list[str]) -> Result:
    score = Score(said / (said + missed), ["x"] * said, ["x"] * missed, [], reasons, 0, 0)
    return Result(document, "fast", Summary(["x"] * len(reasons), 1.5, 10, 3, "fast"), score)


def test_micro_averages_weigh_facts_and_macro_averages_documents() -> None:
    figures = averages([result("a", 8, 0, ["no", "", "", ""]), result("b", 0, 2, ["no"]), result("c", 0, 10, [])])
    assert figures["recall"] == {"micro": pytest.approx(8 / 20), "macro": pytest.approx(1 / 3)}
    assert figures["unsupported"] == {"micro": pytest.approx(2 / 5), "macro": pytest.approx(5 / 8)}
    assert (figures["seconds"], figures["prompt_tokens"], figures["completion_tokens"]) == (4.5, 30, 9)


def test_without_bullets_there_is_no_rate() -> None:
    assert averages([result("a", 0, 2, [])])["unsupported"] == {"micro": None, "macro": None}
