"""A Prometheus server, for fleets that are too large to ask each pod, and for queries of one's own.

It knows the counters as of its last scrape: of looks that are closer together than its scrapes, some find nothing new.
"""

import math
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import orjson

from predictors.rollout.kube.api import Object
from predictors.rollout.metrics.counters import Reading, reading
from predictors.rollout.metrics.exposition import Point, usable
from predictors.rollout.metrics.queries import NAMESPACE, POD, counters, filled
from predictors.rollout.metrics.source import Look, name_of, uid_of

_TIMEOUT_SECONDS = 10.0
_AT_ONCE = 4


class PrometheusError(Exception):
    """A query got no result; the text is one sentence."""


def check_url(url: str) -> None:
    """Refuse what cannot be the URL of a Prometheus here.

    Args:
        url: of the server.

    Raises:
        PrometheusError: it is none, or holds a password.
    """
    if "@" in url:  # it is told in the rollout's status
        raise PrometheusError("the URL must not hold a user or a password, so no @")
    if not _is_http(url):
        raise PrometheusError(f"{url!r} is no URL of a Prometheus; write http://prometheus.monitoring:9090")


class Prometheus:
    """The HTTP API of a Prometheus.

    Args:
        url: of the server.
        transport: the way to it; httpx' own by default.

    Raises:
        PrometheusError: the URL is none, or holds a password, or the environment names a proxy that cannot be used.
    """

    def __init__(self, url: str, transport: httpx.BaseTransport | None = None) -> None:
        check_url(url)
        self.url = url.rstrip("/")
        try:
            self._client = httpx.Client(base_url=self.url + "/", timeout=_TIMEOUT_SECONDS, transport=transport)
        except (ImportError, ValueError) as error:  # SOCKS, say, needs another package
            raise PrometheusError(f"the proxy that the environment names cannot be used: {error}") from None

    def query(self, promql: str) -> list[Point]:
        """Evaluate a query now. A scalar is a point without labels.

        Raises:
            PrometheusError: there is no answer, or it is an error.
        """
        try:
            # By POST, since a query that names many pods is longer than a URL may be.
            answer = self._client.post("api/v1/query", data={"query": promql})
            body = orjson.loads(answer.content)
        except httpx.HTTPError as error:
            reason = str(error) or type(error).__name__
            raise PrometheusError(f"Prometheus at {self.url} cannot be asked: {reason}") from None
        except ValueError:
            raise PrometheusError(
                f"Prometheus at {self.url} answers {answer.status_code} and something that is not JSON"
            ) from None
        try:
            if body["status"] != "success":
                raise PrometheusError(f"Prometheus refuses the query: {body['error']}")
            return _points(body["data"])
        except (KeyError, TypeError, ValueError, IndexError, AttributeError):
            raise PrometheusError(f"what answers at {self.url} does not speak as Prometheus does") from None

    def close(self) -> None:
        """Close its connections."""
        self._client.close()


class PrometheusSource:
    """Asks a Prometheus for all pods at once.

    Args:
        prometheus: the server.
        queries: of one's own, by name; see `queries.filled`.
    """

    def __init__(self, prometheus: Prometheus, queries: Mapping[str, str] | None = None) -> None:
        self._prometheus = prometheus
        self._queries = dict(queries or {})

    def look(self, stable: Sequence[Object], canary: Sequence[Object], model_name: str) -> Look:
        """Read the counters that the variants' pods have of a model, and the results of the queries."""
        faults: list[str] = []
        readings: Mapping[str, Reading] = {}
        with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="prometheus") as pool:
            counts = pool.submit(self._readings, [*stable, *canary], model_name)
            asked = {
                name: pool.submit(self._value, filled(query, stable, canary)) for name, query in self._queries.items()
            }
            try:
                readings = counts.result()
            except PrometheusError as error:
                faults.append(str(error))
            values: dict[str, float | None] = dict.fromkeys(asked)
            for name, value in asked.items():
                try:
                    values[name] = value.result()
                except PrometheusError as error:
                    faults.append(f"check {name}: {error}")
        return Look(readings, values, tuple(faults))

    def _readings(self, pods: Sequence[Object], model_name: str) -> Mapping[str, Reading]:
        if not pods:
            return {}
        by_pod: dict[tuple[str, str], list[Point]] = {}
        for point in self._prometheus.query(counters(pods, model_name)):
            if usable(point.value):
                place = point.labels.get(NAMESPACE, ""), point.labels.get(POD, "")
                by_pod.setdefault(place, []).append(point)
        return {
            uid_of(pod): reading(by_pod[place], model_name)
            for pod in pods
            if (place := (str(pod["metadata"]["namespace"]), name_of(pod))) in by_pod
        }

    def _value(self, query: str) -> float | None:
        points = self._prometheus.query(query)
        if len(points) > 1:
            raise PrometheusError(f"the query gives {len(points)} series; one number is expected")
        return None if not points or math.isnan(points[0].value) else points[0].value


def _is_http(url: str) -> bool:
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        return False
    return parsed.scheme in ("http", "https") and bool(parsed.host)


def _points(data: Mapping[str, Any]) -> list[Point]:
    result = data["result"]
    if data["resultType"] == "scalar":
        return [Point("", {}, float(result[1]))]
    if data["resultType"] != "vector":
        raise PrometheusError(f"the query gives a {data['resultType']}; one number is expected")
    return [Point(str(each["metric"].get("__name__", "")), each["metric"], float(each["value"][1])) for each in result]
