"""Request deadlines."""

import time

import pytest

from predictors.serving.protocols.http import Message, Request, Response
from tests.unit.serving.app.harness import PATH, Harness, Serving, run

HEADER = "x-request-timeout-ms"


async def allowed(request: Request) -> Response:
    return Response(200, b"%d" % round((request.deadline - request.started) * 1000))


async def read(request: Request) -> Response:
    return Response(200, await request.body())


@pytest.mark.parametrize(
    ("headers", "milliseconds"),
    [({}, 60_000), ({HEADER: "1"}, 1), ({HEADER: "59999"}, 59_999), ({HEADER: "60001"}, 60_000), ({HEADER: "007"}, 7)],
)
def test_a_caller_can_only_shorten_the_time(headers: dict[str, str], milliseconds: int) -> None:
    assert Harness(allowed).ask("POST", "/allowed", headers=headers).text == str(milliseconds)


def test_the_longest_time_is_a_setting() -> None:
    harness = Harness(allowed, request_timeout_seconds=2.5)
    assert harness.ask("POST", "/allowed", headers={HEADER: "9000"}).text == "2500"


@pytest.mark.parametrize("given", ["0", "-1", "1.5", "abc", "", "86400001", "9" * 5000])
def test_an_invalid_deadline_is_refused(given: str) -> None:
    harness = Harness(allowed)
    answer = harness.ask("POST", "/allowed", headers={HEADER: given})
    assert (answer.status_code, answer.json()) == (
        400,
        {"error": f"{HEADER} must be a whole number from 1 to 86400000"},
    )
    assert harness.counted() == {("", "", "test", "400"): 1}


def test_a_body_that_misses_the_deadline_closes_the_connection() -> None:
    part: Message = {"type": "http.request", "body": b"half", "more_body": True}
    start, body = run(Harness(read).call("/read", part, headers={HEADER: "20"}))
    assert start["status"] == 504
    assert (b"connection", b"close") in start["headers"]  # else the rest of the body would be parsed as a request
    assert body["body"] == b'{"error":"the body did not arrive before the deadline"}'


def test_a_model_that_misses_the_deadline_is_told_to_stop() -> None:
    with Serving() as serving:
        begun = time.monotonic()
        answer = serving.ask("POST", PATH, json={"instances": ["wait"]}, headers={HEADER: "50"})
        assert (answer.status_code, answer.json()) == (
            504,
            {"error": 'model "paced" did not answer before the deadline'},
        )
        assert "connection" not in answer.headers
        assert time.monotonic() - begun >= 0.05
        assert serving.predictor.jobs[0].stopped()
        assert serving.counted() == {("paced", "1", "v1", "504"): 1}
