"""The dashboards: that they are up to date, and that what they ask for is exported; with Prometheus, that it answers."""

import itertools
import json
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client import CollectorRegistry, start_http_server

from predictors.rollout.controller.telemetry import Telemetry
from predictors.rollout.controller.telemetry import serve as serve_telemetry
from predictors.serving.model.standby import Outcome, Reason
from predictors.summarizer.fallback.counts import Counts, FallbackCollector
from scripts.dashboards import __main__ as dashboards
from scripts.dashboards.overview import OVERVIEW
from scripts.dashboards.panels import Dashboard
from scripts.dashboards.rollouts import ROLLOUTS
from scripts.dashboards.summarizer import SUMMARIZER
from tests.gpus import gpu_exporter
from tests.live import ARTIFACTS, PATIENCE_SECONDS, LiveServer, serve
from tests.monitoring.prometheus import RATE_WINDOW, Prometheus, prometheus
from tests.monitoring.promql import metrics_in
from tests.monitoring.series import exported
from tests.monitoring.test_alerts import rules
from tests.waiting import until

FLOWER = [5.1, 3.5, 1.4, 0.2]
DOCUMENT = "You agree to pay 9 euros a month. You can cancel with 30 days of notice."


def expressions(dashboard: Dashboard) -> dict[str, str]:
    """All queries as Prometheus gets them when all is chosen, by panel and legend."""
    chosen = {"$namespace": ".*", "$model": ".*", "$__rate_interval": RATE_WINDOW}
    found = {}
    for panel, query in dashboard.queries():
        expr = query.expr
        for name, value in chosen.items():
            expr = expr.replace(name, value)
        found[f"{panel.title}: {query.legend}"] = expr
    return found


def test_the_files_are_up_to_date() -> None:
    """`make dashboards` makes them."""
    files = {path.name: path.read_text("utf-8") for path in dashboards.DIRECTORY.iterdir()}
    assert files == dashboards.render()


@pytest.mark.parametrize("name", dashboards.DASHBOARDS)
def test_every_name_is_exported(name: str) -> None:
    dashboard = dashboards.DASHBOARDS[name]
    asked = {metric for expr in expressions(dashboard).values() for metric in metrics_in(expr)}
    asked |= {re.split(r"\{", variable.metric)[0] for variable in dashboard.variables}
    assert asked
    assert asked <= exported()


def test_a_name_that_nobody_exports_is_found() -> None:
    assert metrics_in('sum by (a, le) (rate(x_bucket{job="y"}[5m])) / on (pod) group_left () count(z > 0 or w)') == {
        "x_bucket", "z", "w",
    }  # fmt: skip
    assert "model_requests" not in exported()


@pytest.mark.parametrize("name", dashboards.DASHBOARDS)
def test_panels_neither_overlap_nor_share_an_id(name: str) -> None:
    panels = json.loads((dashboards.DIRECTORY / f"{name}.json").read_text("utf-8"))["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    cells = [
        (x, y)
        for place in (panel["gridPos"] for panel in panels)
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(set(cells)) == len(cells)
    assert max(x for x, _ in cells) < 24


def answered(source: Prometheus, wanted: dict[str, str], work: Callable[[], Any]) -> dict[str, Any]:
    """Work until every query has an answer; gives the answers."""

    def look() -> dict[str, Any] | None:
        work()
        found = {title: source.query(expr) for title, expr in wanted.items()}
        empty.clear()
        empty.extend(title for title, series in found.items() if not series)
        return None if empty else found

    empty: list[str] = []
    try:
        return until(look, "every panel to have data", PATIENCE_SECONDS)
    except AssertionError as error:
        raise AssertionError(f"{error}; without data: {empty}") from None


@contextmanager
def rollout_controller() -> Iterator[tuple[Telemetry, str]]:
    """A controller's telemetry, which has seen a rollout, and its address."""
    telemetry = Telemetry(CollectorRegistry())
    status = {"phase": "Paused", "weight": {"seen": 10}}
    telemetry.lead()
    telemetry.count([{"metadata": {"namespace": "models", "name": "iris"}, "status": status}])
    web = serve_telemetry(telemetry, 0)
    try:
        yield telemetry, f"127.0.0.1:{web.server_address[1]}"
    finally:
        web.shutdown()
        web.server_close()


class HandsOver:
    """A model with a fallback, in whose place that has answered."""

    name, version = "summarizer", "1"

    def __init__(self) -> None:
        self.fallback_counts: Counts = {(Reason.SLOW, Outcome.ANSWERED): 3}


@contextmanager
def fallback_exporter() -> Iterator[str]:
    """The address of what exports a fallback's metrics."""
    model, collector, registry = HandsOver(), FallbackCollector(), CollectorRegistry()
    collector.models.add(model)
    registry.register(collector)
    web, thread = start_http_server(0, "127.0.0.1", registry)
    try:
        yield f"127.0.0.1:{web.server_port}"
    finally:
        web.shutdown()
        web.server_close()
        thread.join()


@contextmanager
def limited_store(folder: Path) -> Iterator[LiveServer]:
    """A server that logs and limits requests, and whose store has a version that is corrupt beside one that is not."""
    for version in ("1", "2"):
        shutil.copytree(ARTIFACTS / "iris", folder / "store/iris" / version)
    corrupt = folder / "store/iris/2/model.npz"
    corrupt.write_bytes(bytes(corrupt.stat().st_size))
    log = ("--request_log_file", str(folder / "requests.jsonl"))
    with serve("--model_store", str(folder / "store"), "--client_requests_per_minute", "2", *log) as live:
        yield live.wait_ready()


def address(server: LiveServer) -> str:
    """As Prometheus takes it."""
    return f"127.0.0.1:{server.http_port}"


def ask(http: httpx.Client, server: LiveServer) -> None:
    """A success, a fault of the client's, and one of the server's."""
    predict = {"iris": [FLOWER] * 100, "intent": ["hello"]}
    codes = [
        http.post(f"{server.url}/v1/models/{name}:predict", json={"instances": rows}).status_code
        for name, rows in predict.items()
    ]
    assert codes == [200, 503]
    assert http.post(f"{server.url}/v1/models/iris:predict", json={"instances": ["no"]}).status_code == 400
    tensor = {"name": "x", "datatype": "FP64", "shape": [1, 4], "data": FLOWER}
    assert http.post(f"{server.url}/v2/models/iris/infer", json={"inputs": [tensor]}).status_code == 200


def test_every_panel_of_classifiers_and_rollouts_has_data(server: LiveServer, tmp_path: Path) -> None:
    plan = tmp_path / "shadow.json"
    plan.write_text(json.dumps({"models": {"iris": {"url": server.url, "percent": 100}}}))
    wanted = expressions(OVERVIEW) | expressions(ROLLOUTS)
    with (
        serve("iris", "intent", "--enable_repository", "--shadow_file", str(plan)) as live,
        limited_store(tmp_path) as store,
        rollout_controller() as (telemetry, controller),
        prometheus(tmp_path, [address(live.wait_ready()), address(store), controller]) as source,
        httpx.Client(timeout=PATIENCE_SECONDS) as http,
    ):
        assert http.post(f"{live.url}/v2/repository/models/intent/unload").is_success

        def work() -> None:
            ask(http, live)
            http.post(f"{store.url}/v1/models/iris:predict", json={"instances": [FLOWER]})
            telemetry.turned(0.2)

        found = answered(source, wanted, work)
        failed = next(rule["expr"] for rule in rules() if rule.get("alert") == "PredictorLoadFailed")
        load_failed = until(lambda: source.query(failed), "the version that is corrupt", PATIENCE_SECONDS)
    failures = found["Share of failures: {{model_name}}"]
    assert {each["metric"]["model_name"]: each["value"][1] for each in failures} == {"iris": "0", "intent": "1"}
    assert [each["metric"]["instance"] for each in load_failed] == [address(store)]
    legends = {title.partition(": ")[2] for title in wanted}
    labels = {label for legend in legends for label in re.findall(r"{{(\w+)}}", legend)}
    # Kubernetes' own are given by whoever scrapes.
    seen = {label for series in found.values() for each in series for label in each["metric"]}
    assert labels - seen <= {"namespace", "exported_namespace", "pod"}


@pytest.mark.llama
def test_every_panel_of_the_summarizer_has_data(summarizer: LiveServer, tmp_path: Path) -> None:
    with (
        gpu_exporter(tmp_path) as gpus,
        fallback_exporter() as fallback,
        prometheus(tmp_path, [address(summarizer), gpus, fallback]) as source,
        httpx.Client(timeout=PATIENCE_SECONDS) as http,
    ):
        numbers = itertools.count()

        def work() -> None:
            document = f"{DOCUMENT} Your number is {next(numbers)}."  # a new one, which no cache has
            question = {"model": "summarizer", "max_tokens": 4, "messages": [{"role": "user", "content": document}]}
            assert http.post(f"{summarizer.url}/openai/v1/chat/completions", json=question).is_success
            assert http.post(
                f"{summarizer.url}/v1/models/summarizer:predict", json={"instances": [document]}
            ).is_success

        answered(source, expressions(SUMMARIZER), work)
