"""`predictors call` and `predictors summarize`, with servers that are not these, or newer."""

import json
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from predictors.cli.app import app
from tests.unit.client import hostile
from tests.unit.client.hostile import Behavior, Hostile
from tests.unit.client.test_summary_stream import DONE, POINT, event


def metadata(*shape: Any) -> Behavior:
    inputs = [{"name": "x", "datatype": "FP64", "shape": shape}] if shape else []
    return hostile.reply(200, {"name": "m", "inputs": inputs, "outputs": []})


def call(*behaviors: Behavior, words: tuple[str, ...] = ("1", "2")) -> Result:
    with Hostile(*behaviors) as server:
        return CliRunner().invoke(app, ["call", "m", *words, "--url", server.url])


def test_a_model_without_inputs() -> None:
    result = call(metadata())
    assert (result.exit_code, result.stdout) == (1, "")
    assert "names no inputs" in result.stderr


def test_a_shape_that_is_none() -> None:
    result = call(metadata(-1, "wide"))
    assert result.exit_code == 1
    assert "not the answer" in result.stderr


@pytest.mark.parametrize(
    ("words", "rows"), [(("1", "2"), [[1, 2]]), (("1,2", "3,4"), [[1, 2], [3, 4]]), (("1",), [[1]])]
)
def test_rows_of_any_length(words: tuple[str, ...], rows: list[list[float]]) -> None:
    result = call(metadata(-1, -1), hostile.reply(200, {"predictions": ["[red]a\x1b[2J"] * len(rows)}), words=words)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.count("[red]a [2J") == len(rows)
    assert "model version" not in result.stdout


@pytest.mark.parametrize(
    "answer",
    [
        {"predictions": [1, 2, 3]},
        {"predictions": 1},
        {
            "predictions": [1],
            "usage": [{"prompt_tokens": 1, "completion_tokens": 1, "finish_reason": "x"}],
            "model_version": 1,
        },
        {"predictions": [1], "probabilities": 5},
        {"predictions": [1], "probabilities": [[]]},
        {"predictions": ["text"], "usage": {"prompt_tokens": 1}},
        {"predictions": [1], "usage": [{"prompt_tokens": 1}]},
        {"predictions": [1], "usage": [{"prompt_tokens": 1, "completion_tokens": 1, "finish_reason": "stop"}]},
    ],
)
def test_answers_of_another_form_are_printed_as_they_are(answer: dict[str, Any]) -> None:
    result = call(metadata(-1, 2), hostile.reply(200, answer))
    assert (result.exit_code, result.stderr, json.loads(result.stdout)) == (0, "", answer)


def test_summaries_cannot_steer_the_terminal() -> None:
    usage = {"prompt_tokens": 1, "completion_tokens": 2, "finish_reason": "stop"}
    answer = {"predictions": ["[b]one\x1b[2J\ntwo"], "usage": [usage], "model_version": "1"}
    result = call(metadata(-1, 2), hostile.reply(200, answer))
    assert result.stdout == "[b]one [2J\ntwo\n\n1 tokens read, 2 written, ended by stop; model version 1\n"


def test_a_topic_of_a_newer_server() -> None:
    point = {**POINT, "topic": "weather", "gloss": "it\x1b[2J rains"}
    with Hostile(hostile.stream(event("done", {**DONE, "bullets": [[point]]}))) as server:
        result = CliRunner().invoke(app, ["summarize", "-", "--url", server.url], input="a text")
    assert (result.exit_code, result.stdout.split("\n")[:2]) == (0, ["weather", "  it [2J rains"])
