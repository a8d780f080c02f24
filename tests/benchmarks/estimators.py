"""Any scikit-learn model beside other servers for such models: ``make bench-sklearn``.

A gradient boosting pipeline over 30 numbers and a text pipeline, on one core, one row a request, with wrk on the other
core on 1 and on 16 connections. This project's server runs each model in the form that `predictors artifact pack` makes
first, and the first one also as skops, which scikit-learn computes. Rounds are interleaved, each with new processes; the
figures are medians, and ratios are of medians of one run.
"""

import functools
import json
import os
import statistics
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import joblib
from rich.console import Console
from sklearn.datasets import make_classification
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from predictors.serving.artifacts.manifest import MANIFEST, Manifest
from predictors.serving.artifacts.writing import write_manifest
from predictors.sklearn.pack import package
from tests.benchmarks.load.cases import MLSERVER, OURS, ROWS, STOCK, V1, V2, Case
from tests.benchmarks.load.check import check
from tests.benchmarks.load.servers import MLSERVER_BATCH, MLSERVER_SETTINGS, PEERS, Ports, Server, running
from tests.benchmarks.load.tools import Measured, Tools
from tests.benchmarks.output import Comparison, compare
from tests.benchmarks.peers import mlserver_venv
from tests.live import ROOT

MODELS = ("boosting", "sentiment")
CONNECTIONS = (1, 16)
REPORT = ROOT / "docs/benchmarks/sklearn.md"
_SKOPS = f"{OURS}, skops"
_TEXTS = (
    ("lovely shop, the staff could not be kinder", 1),
    ("thanks so much, it fits perfectly", 1),
    ("it is a good product and I would buy it again", 1),
    ("fast delivery and great quality, very happy", 1),
    ("the parcel came a week late and the box was torn", 0),
    ("terrible, broken on arrival, no answer for weeks", 0),
    ("never buy here, they kept my money", 0),
    ("cheap, flimsy, and nothing like the picture", 0),
)


class Figures(NamedTuple):
    """What one measurement gave.

    Args:
        cpu_us: CPU time of the server for each answer, microseconds.
        rate: answers/s.
        p50, p99: latency, milliseconds.
    """

    cpu_us: float
    rate: float
    p50: float
    p99: float


def fitted(model: str) -> Any:
    """The pipeline of this name."""
    if model == "boosting":
        x, y = make_classification(2_000, 30, n_informative=12, n_classes=3, random_state=5)
        return make_pipeline(StandardScaler(), HistGradientBoostingClassifier(random_state=5)).fit(x, y)
    texts, labels = zip(*_TEXTS, strict=True)
    vectorizer = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
    return make_pipeline(vectorizer, LogisticRegression()).fit(list(texts), list(labels))


def prepare(folder: Path) -> dict[str, object]:
    """Write each model's artifact and its joblib file; gives what scikit-learn predicts for the request's row."""
    wanted: dict[str, object] = {}
    for name in MODELS:
        model = fitted(name)
        directory = folder / name
        directory.mkdir()
        joblib.dump(model, directory / "model.joblib")
        wanted[name] = model.predict(ROWS[name]).tolist()[0]
        raw = (directory / "model.joblib").read_bytes()
        package(model, raw).write(directory, "1")
        skops = folder / f"{name}-skops"
        package(model, raw).write(skops, "1")
        manifest = Manifest.model_validate_json((skops / MANIFEST).read_bytes())
        files = tuple(entry for entry in manifest.files if entry.format == "skops")
        write_manifest(skops, manifest.model_copy(update={"files": files}))
    return wanted


def servers(folder: Path, model: str, console: Console) -> Iterator[Server]:
    """The servers of a model, each on its own."""

    def ours(directory: str, ports: Ports, unused: Path) -> list[str]:
        listen = ["--host", "127.0.0.1", "--http_port", str(ports.http), "--grpc_port", str(ports.grpc)]
        artifact = ["--model_dir", str(folder / directory), "--model_name", model, "--trust_artifact"]
        return [sys.executable, "-m", "predictors", "serve", "sklearn", *listen, *artifact, "--log_format", "json"]

    def stock(ports: Ports, unused: Path) -> list[str]:
        return [sys.executable, str(PEERS / "stock_kserve.py"), str(ports.http), str(folder), model]

    def mlserver(python: Path, ports: Ports, own: Path) -> list[str]:
        listen = {"host": "127.0.0.1", "http_port": ports.http, "grpc_port": ports.grpc, "metrics_port": ports.metrics}
        (own / "settings.json").write_text(json.dumps(listen | MLSERVER_SETTINGS))
        parameters = {"uri": str(folder / model / "model.joblib"), "version": "1"}
        settings = {"name": model, "implementation": "mlserver_sklearn.SKLearnModel", "parameters": parameters}
        (own / "model-settings.json").write_text(json.dumps(settings | MLSERVER_BATCH))
        return [str(python.parent / "mlserver"), "start", str(own)]

    yield Server(OURS, "", "", (Case(OURS, model, V1), Case(OURS, model, V2)), functools.partial(ours, model))
    if model == "boosting":  # texts are served as skops anyway
        case = Case(_SKOPS, model, V1)
        yield Server(_SKOPS, "", "", (case,), functools.partial(ours, f"{model}-skops"))
    yield Server(STOCK, "", "", (Case(STOCK, model, V1),), stock)
    python = mlserver_venv.prepare(console.print)
    yield Server(MLSERVER, "", "", (Case(MLSERVER, model, V2),), functools.partial(mlserver, python))


def measure(rounds: int, seconds: float, console: Console) -> dict[tuple[Case, int], list[Figures]]:
    """What was measured, by case and connections."""
    first, *_, last = sorted(os.sched_getaffinity(0)) * 2
    found: dict[tuple[Case, int], list[Figures]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        wanted = prepare(folder)
        for number in range(rounds):
            for model in MODELS:
                for server in servers(folder, model, console):
                    console.print(f"round {number + 1} of {rounds}: {server.name}, {model}")
                    with running(server, first) as live:
                        for case in server.cases:
                            check(case, live.ports.http, live.ports.grpc, wanted[model])
                            for count in CONNECTIONS:
                                tools = Tools(last, count, ("wrk",))
                                tools.closed(case, live, 1)
                                figures = _figures(tools.closed(case, live, seconds))
                                found.setdefault((case, count), []).append(figures)
    return found


def _figures(measured: Measured) -> Figures:
    load, usage = measured
    return Figures(usage.server.total / sum(load.statuses.values()) * 1e6, load.rate, load.p50, load.p99)


def rows(found: dict[tuple[Case, int], list[Figures]]) -> list[tuple[str, ...]]:
    """The table: medians over the rounds, and how many times this server's CPU time the others take."""
    medians = {key: Figures(*map(statistics.median, zip(*each, strict=True))) for key, each in found.items()}
    table: list[tuple[str, ...]] = []
    for (case, count), figures in sorted(medians.items(), key=lambda each: (each[0][0].model, each[0][1])):
        ours = medians[Case(OURS, case.model, case.protocol), count]
        times = "" if case.server == OURS else f"{figures.cpu_us / ours.cpu_us:.1f}×"
        numbers = (f"{figures.cpu_us:,.0f}", f"{figures.rate:,.0f}", f"{figures.p50:.2f} / {figures.p99:.2f}", times)
        table.append((case.model, case.protocol, str(count), case.server, *numbers))
    return table


COLUMNS = (
    "model",
    "protocol",
    "connections",
    "server",
    "CPU time a request, µs",
    "requests/s",
    "p50 / p99 ms",
    f"CPU time, times {OURS}",
)
INTRODUCTION = """# Any scikit-learn model, beside other servers: `make bench-sklearn`

Histogram gradient boosting after a scaler, over 30 numbers (served as ONNX, and as skops, computed by scikit-learn itself), and TF-IDF
with logistic regression; one row a request, each server on one core with wrk on the other. MLServer batches as in `make bench`.

"""


def main() -> None:
    assert __doc__ is not None
    compare(Comparison(__doc__, REPORT, INTRODUCTION, COLUMNS, lambda *asked: rows(measure(*asked)), width=160))


if __name__ == "__main__":
    main()
