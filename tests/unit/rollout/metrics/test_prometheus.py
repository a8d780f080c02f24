"""Asking a Prometheus, which is faked at its HTTP API."""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qs

import httpx
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from predictors.rollout.metrics.counters import Reading
from predictors.rollout.metrics.prometheus import Prometheus, PrometheusError, PrometheusSource
from predictors.rollout.metrics.queries import counters, filled, matchers
from tests.unit.rollout.metrics.fakes import MODEL, NOW, pod, requests

URL = "http://prometheus:9090"
STABLE, CANARY = pod("iris-predictor-7d.x"), pod("iris-r1-predictor-9c")


def vector(*samples: tuple[Mapping[str, str], str]) -> dict[str, Any]:
    result = [{"metric": labels, "value": [NOW, value]} for labels, value in samples]
    return {"status": "success", "data": {"resultType": "vector", "result": result}}


def series(name: str, value: float, of: str, **labels: str) -> tuple[Mapping[str, str], str]:
    return {"__name__": name, "namespace": "ns", "pod": of, **labels}, str(value)


def answering(answer: Callable[[str], Any]) -> Prometheus:
    """A Prometheus that answers a query with JSON, bytes, or an error status."""

    def handle(request: httpx.Request) -> httpx.Response:
        assert (request.method, request.url.path) == ("POST", "/api/v1/query")
        (query,) = parse_qs(request.content.decode())["query"]
        found = answer(query)
        if isinstance(found, Exception):
            raise found
        if isinstance(found, bytes):
            return httpx.Response(502, content=found)
        return httpx.Response(200 if found.get("status") == "success" else 400, json=found)

    return Prometheus(URL + "/", httpx.MockTransport(handle))


def counting(query: str) -> Any:
    """What Prometheus gives for the query of the counters; custom queries have other answers."""
    if "model_requests_total" not in query:
        return {"memory": vector(({}, "3.5")), "nan": vector(({}, "NaN")), "none": vector()}[query.partition("{")[0]]
    of_model = {"model_name": MODEL}
    return vector(
        series("model_requests_total", 90, "iris-predictor-7d.x", code="200", **of_model),
        series("model_requests_total", 1, "iris-predictor-7d.x", code="503", **of_model),
        series("model_requests_total", 5, "iris-r1-predictor-9c", code="200", **of_model),
        series("model_requests_total", float("nan"), "iris-r1-predictor-9c", code="503", **of_model),
        series("process_start_time_seconds", NOW, "iris-r1-predictor-9c"),
        series("model_requests_total", 7, "of-another", code="200", **of_model),
    )


def test_counters_by_pod() -> None:
    look = PrometheusSource(answering(counting)).look([STABLE], [CANARY, pod("not-scraped")], MODEL)
    assert look.readings == {
        "uid-iris-predictor-7d.x": Reading(requests(90, 1)),
        "uid-iris-r1-predictor-9c": Reading({("model_requests_total", "200"): 5}, NOW),
    }
    assert look.faults == ()


def test_what_a_limit_refused_is_not_asked_for() -> None:
    assert 'limit=""' in counters([STABLE], MODEL).partition("or max by")[0]


def test_queries_of_ones_own() -> None:
    queries = {"m": "memory{ {{canary}} }", "none": "none{{{stable}}}", "undefined": "nan{}"}
    look = PrometheusSource(answering(counting), queries).look([STABLE], [CANARY], MODEL)
    assert look.values == {"m": 3.5, "none": None, "undefined": None}
    assert look.faults == ()


def test_without_pods_only_queries_of_ones_own_are_asked() -> None:
    look = PrometheusSource(answering(counting), {"m": "memory{}"}).look([], [], MODEL)
    assert (look.readings, look.values) == ({}, {"m": 3.5})


def test_a_scalar() -> None:
    scalar = {"status": "success", "data": {"resultType": "scalar", "result": [NOW, "2"]}}
    assert [point.value for point in answering(lambda _: scalar).query("2")] == [2]


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (httpx.ConnectError("connection refused"), f"Prometheus at {URL} cannot be asked: connection refused"),
        (httpx.ReadTimeout(""), f"Prometheus at {URL} cannot be asked: ReadTimeout"),
        (b"<html>", f"Prometheus at {URL} answers 502 and something that is not JSON"),
        ({"status": "error", "error": "parse error: bad"}, "Prometheus refuses the query: parse error: bad"),
        ({"status": "success"}, f"what answers at {URL} does not speak as Prometheus does"),
        ({"other": 1}, f"what answers at {URL} does not speak as Prometheus does"),
        (
            {"status": "success", "data": {"resultType": "matrix", "result": []}},
            "the query gives a matrix; one number is expected",
        ),
    ],
)
def test_what_goes_wrong_is_said_in_a_sentence(answer: Any, says: str) -> None:
    with pytest.raises(PrometheusError) as error:
        answering(lambda _: answer).query("up")
    assert str(error.value) == says
    look = PrometheusSource(answering(lambda _: answer), {"m": "memory{}"}).look([STABLE], [], MODEL)
    assert (look.readings, look.values) == ({}, {"m": None})
    assert look.faults == (says, f"check m: {says}")


def test_a_query_that_gives_several_numbers() -> None:
    look = PrometheusSource(answering(lambda _: vector(({}, "1"), ({}, "2"))), {"m": "up"}).look([], [], MODEL)
    assert look.values == {"m": None}
    assert look.faults == ("check m: the query gives 2 series; one number is expected",)


@pytest.mark.parametrize("url", ["", "http://", "http://a:port", "prometheus:9090", "ftp://prometheus"])
def test_what_is_no_url(url: str) -> None:
    with pytest.raises(PrometheusError, match="is no URL of a Prometheus; write http"):
        Prometheus(url)


@pytest.mark.parametrize("url", ["http://me:hunter2@prometheus:9090", "http://me:hunter2@", "ftp://hunter2@prometheus"])
def test_a_password_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(PrometheusError, match="must not hold a user or a password") as caught:
        Prometheus(url)
    assert "hunter2" not in str(caught.value)


def test_matchers() -> None:
    assert matchers([CANARY, STABLE]) == 'namespace=~"ns",pod=~"iris-predictor-7d[.]x|iris-r1-predictor-9c"'
    assert matchers([]) == 'namespace="-",pod="-"'
    assert filled("a{ {{canary}} } / b{{{stable}}}", [STABLE], []) == (
        'a{ namespace="-",pod="-" } / b{namespace=~"ns",pod=~"iris-predictor-7d[.]x"}'
    )


def test_the_query_of_the_counters() -> None:
    query = counters([CANARY], 'a"b\\')
    assert r'model_name="a\"b\\"' in query
    assert query.startswith(
        "sum by (__name__, namespace, pod, model_name, canary_label, code, kind, label, le, outcome, "
    )
    assert query.endswith(
        'or max by (__name__, namespace, pod) (process_start_time_seconds{namespace=~"ns",pod=~"iris-r1-predictor-9c"})'
    )
    assert query.count("(") == query.count(")")


JSON = st.recursive(st.none() | st.floats(allow_nan=False) | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.sampled_from(["status", "data", "result"]), inner), max_leaves=8)  # fmt: skip


@given(JSON | st.builds(lambda result: {"status": "success", "data": {"resultType": "vector", "result": result}}, JSON))
def test_rubbish_is_a_fault(body: Any) -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(200, content=orjson.dumps(body)))
    look = PrometheusSource(Prometheus(URL, transport)).look([STABLE], [], MODEL)
    assert len(look.faults) == 1 or look.readings == {}
