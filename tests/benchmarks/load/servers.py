"""The servers to measure, and how each is started, pinned to one core."""

import contextlib
import functools
import importlib.metadata
import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import httpx
import psutil

from tests.benchmarks.load.cases import (
    BINARY,
    CEILING,
    FASTAPI,
    GRPC,
    OURS,
    STOCK,
    V1,
    V2,
    Case,
    http_request,
)
from tests.benchmarks.peers import mlserver_venv
from tests.benchmarks.starting import wait_ready
from tests.live import ARTIFACTS, ROOT

PEERS = ROOT / "tests/benchmarks/peers"
BOTH = ("iris", "intent")
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
# Of the settings tried with 16 connections on one core, these give the most requests/s over REST and gRPC together: a
# batch closes as soon as all 16 are waiting. Without batching MLServer answers a sixth as many; with half the
# max_batch_time, a third as many over gRPC; with its default, a worker process that shares the core, 10 to 33% fewer.
MLSERVER_BATCH = {"max_batch_size": 16, "max_batch_time": 0.01}
MLSERVER_SETTINGS = {"parallel_workers": 0, "debug": False}


class Ports(NamedTuple):
    """Free ports of this machine."""

    http: int
    grpc: int
    metrics: int


class Server(NamedTuple):
    """How a server is started.

    Args:
        name: what it is called in the results.
        version: of the server and what matters in it.
        note: what a reader must know to judge its figures.
        cases: the models and protocols that it serves.
        command: its command line, given ports and an empty folder for its files.
        ready_path: where it answers with success once it is ready; empty where only the cases' answers tell.
    """

    name: str
    version: str
    note: str
    cases: tuple[Case, ...]
    command: Callable[[Ports, Path], list[str]]
    ready_path: str = ""


class Live(NamedTuple):
    """A running server."""

    ports: Ports
    process: psutil.Process


def make(name: str, say: Callable[[str], None]) -> Server:
    """A server by its name; MLServer is installed first if it is not yet."""
    kserve, sklearn = (importlib.metadata.version(package) for package in ("kserve", "scikit-learn"))
    uvicorn, fastapi = (importlib.metadata.version(package) for package in ("uvicorn", "fastapi"))
    if name == OURS:
        note = "`predictors serve iris intent --log_format json`: ids, labels and probabilities, with checks, metrics and logs on"
        return Server(name, importlib.metadata.version(name), note, _cases(name, (V1, V2, BINARY, GRPC)), _ours)
    if name == CEILING:
        note = "reads the body, answers a constant: what uvicorn, uvloop and httptools leave to any server"
        return Server(name, f"uvicorn {uvicorn}", note, (Case(name, "iris", V1),), _script("bare_asgi.py"))
    if name == STOCK:
        note = "`kserve.Model` and scikit-learn's `predict`: class ids or intents alone"
        version = f"{kserve}, scikit-learn {sklearn}"
        return Server(name, version, note, _cases(name, (V1,)), _script("stock_kserve.py"))
    if name == FASTAPI:
        note = "pydantic model and scikit-learn's `predict`: class ids or intents alone"
        version = f"{fastapi}, uvicorn {uvicorn}, scikit-learn {sklearn}"
        return Server(name, version, note, _cases(name, (V1,)), _script("plain_fastapi.py"))
    python = mlserver_venv.prepare(say)
    batch = ", ".join(f"{key} {value}" for key, value in MLSERVER_BATCH.items())
    note = f"its scikit-learn runtime, parallel_workers 0, {batch}: class ids or intents alone"
    command = functools.partial(_mlserver, python)
    version = f"{mlserver_venv.pinned('mlserver')}, scikit-learn {mlserver_venv.pinned('scikit-learn')}"
    return Server(name, version, note, _cases(name, (V2, GRPC)), command)


def _cases(name: str, protocols: tuple[str, ...]) -> tuple[Case, ...]:
    return tuple(Case(name, model, protocol) for model in BOTH for protocol in protocols)


def _ours(ports: Ports, folder: Path) -> list[str]:
    listen = ["--host", "127.0.0.1", "--http_port", str(ports.http), "--grpc_port", str(ports.grpc)]
    artifacts = ["--artifacts_dir", str(ARTIFACTS)]
    return [sys.executable, "-m", "predictors", "serve", *BOTH, *listen, *artifacts, "--log_format", "json"]


def _script(name: str) -> Callable[[Ports, Path], list[str]]:
    return lambda ports, folder: [sys.executable, str(PEERS / name), str(ports.http), str(ARTIFACTS)]


def _mlserver(python: Path, ports: Ports, folder: Path) -> list[str]:
    listen = {"host": "127.0.0.1", "http_port": ports.http, "grpc_port": ports.grpc, "metrics_port": ports.metrics}
    (folder / "settings.json").write_text(json.dumps(listen | MLSERVER_SETTINGS))
    for model in BOTH:
        parameters = {"uri": str(ARTIFACTS / model / "model.joblib"), "version": "1"}
        settings = {"name": model, "implementation": "mlserver_sklearn.SKLearnModel", "parameters": parameters}
        (folder / model).mkdir()
        (folder / model / "model-settings.json").write_text(json.dumps(settings | MLSERVER_BATCH))
    return [str(python.parent / "mlserver"), "start", str(folder)]


@contextlib.contextmanager
def running(server: Server, core: int, checkout: Path = ROOT) -> Iterator[Live]:
    """Run a server on one core until the block ends; its logs go to a file, as a container's do.

    Args:
        server: which.
        core: the CPU that it is pinned to, with all its threads and children.
        checkout: its working directory, from which ``predictors`` is imported.

    Raises:
        BenchError: it ended before it answered, or did not answer in time; with the end of its log.
    """
    with contextlib.ExitStack() as stack:
        free = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in Ports._fields]
        ports = Ports(*(each.getsockname()[1] for each in free))
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            ["taskset", "--cpu-list", str(core), *server.command(ports, Path(folder))],
            cwd=checkout,
            env={**os.environ, **ONE_THREAD},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
        live = Live(ports, psutil.Process(process.pid))
        try:
            wait_ready(server.name, lambda: _answers(server, ports), process, log)
            yield live
        finally:
            _end(live.process)
            process.wait()


def _answers(server: Server, ports: Ports) -> bool:
    """Whether it says that it is ready, and every model answers."""
    url = f"http://127.0.0.1:{ports.http}"
    if server.ready_path and not httpx.get(url + server.ready_path).is_success:
        return False
    requests = [http_request(case) for case in server.cases if case.protocol != GRPC]
    return all(httpx.post(url + each.path, headers=each.headers, content=each.body).is_success for each in requests)


def _end(process: psutil.Process) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        every = [process, *process.children(recursive=True)]
        for each in every:
            with contextlib.suppress(psutil.NoSuchProcess):
                each.kill()
