"""The summarizer on a GPU, where there is one and llama.cpp was compiled for it: what it answers, takes and gives back."""

import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from predictors.serving.errors import PackageMissing
from predictors.summarizer.llama.library import load_library
from tests.live import PATIENCE_SECONDS, LiveServer, serve, wait_for

ON_GPU = ("--gpu_layers", "-1", "--slots", "8", "--context_tokens", "2048", "--enable_repository")
QUESTION = "What is the capital of France? Answer with its name alone."
_MIB = 2**20
# What CUDA takes of a GPU for each process besides what it is asked for: its kernels, and scratch of its libraries.
_DRIVER_BYTES = 2048 * _MIB


@pytest.fixture(scope="module", autouse=True)
def gpu() -> None:
    try:
        found = load_library().api.llama_supports_gpu_offload()
    except PackageMissing as error:
        pytest.skip(str(error))
    if not found:
        pytest.skip("llama.cpp finds no GPU")


@pytest.fixture(scope="module")
def live(gpu: None, artifacts: Path) -> Iterator[LiveServer]:
    """Everything is on the GPU."""
    _ = artifacts / "summarizer"
    with serve("summarizer", *ON_GPU) as server:
        yield server.wait_ready()


def _ask(live: LiveServer, question: str = QUESTION, tokens: int = 24) -> str:
    body = {
        "model": "summarizer",
        "messages": [{"role": "user", "content": question}],
        "max_tokens": tokens,
        "temperature": 0,
    }
    answer = httpx.post(live.url + "/openai/v1/chat/completions", json=body, timeout=PATIENCE_SECONDS)
    assert answer.is_success, answer.text
    return str(answer.json()["choices"][0]["message"]["content"])


def _metric(live: LiveServer, name: str, **labels: str) -> float:
    families = text_string_to_metric_families(httpx.get(live.url + "/metrics", timeout=PATIENCE_SECONDS).text)
    [value] = [
        sample.value
        for family in families
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    ]
    return value


def _used(live: LiveServer) -> float:
    return _metric(live, "gpu_memory_used_bytes", gpu="0")


def _said(live: LiveServer, pattern: str) -> "re.Match[str]":
    def said() -> "Iterator[re.Match[str]]":
        return (match for line in live.lines if (match := re.search(pattern, str(line.get("message", "")))))

    wait_for(lambda: any(said()), pattern)
    return next(said())


def test_all_layers_are_on_it_and_the_answers_are_the_cpus(live: LiveServer) -> None:
    layers = _said(live, r"(\d+) of (\d+) layers on a GPU")
    assert layers[1] == layers[2]
    assert "Paris" in _ask(live)
    assert _ask(live) == _ask(live)
    before = _used(live)
    with serve("summarizer") as cpu:
        cpu.wait_ready()
        assert "Paris" in _ask(cpu)
        _said(cpu, r"\b0 of \d+ layers on a GPU")
        # A GPU that nobody asked for is left to others; using it takes hundreds of megabytes.
        assert _used(live) < before + 64 * _MIB


def test_some_layers_can_be_on_it(artifacts: Path) -> None:
    _ = artifacts / "summarizer"
    with serve("summarizer", "--gpu_layers", "5") as live:
        live.wait_ready()
        assert _said(live, r"(\d+) of \d+ layers on a GPU")[1] == "5"
        assert "Paris" in _ask(live)


def test_it_takes_what_was_planned_and_gives_it_back(live: LiveServer) -> None:
    planned = _metric(live, "model_memory_bytes", part="gpu")
    repository = live.url + "/v2/repository/models/summarizer/"

    def post(what: str) -> None:
        answer = httpx.post(repository + what, timeout=PATIENCE_SECONDS)
        assert answer.is_success, answer.text

    loaded = []
    for _ in range(4):
        post("unload")
        empty = _used(live)
        post("load")
        live.wait_ready()
        _ask(live)
        loaded.append(_used(live))
    assert 0.5 * planned < loaded[-1] - empty < planned + _DRIVER_BYTES
    assert loaded[-1] < loaded[0] + 64 * _MIB


def test_it_tells_how_busy_it_is(live: LiveServer) -> None:
    assert 0 < _used(live) < _metric(live, "gpu_memory_total_bytes", gpu="0")
    with ThreadPoolExecutor(8) as callers:
        answers = [callers.submit(_ask, live, f"Tell me a story about {n} cats.", 500) for n in range(32)]
        busiest = 0.0
        while not all(answer.done() for answer in answers):
            busiest = max(busiest, _metric(live, "gpu_utilization_ratio", gpu="0"))
        assert all(answer.result() for answer in answers)
    assert 0 < busiest <= 1


_TAKE = """
import ctypes, sys
cuda = ctypes.CDLL("libcudart.so.13")
free, total, there = ctypes.c_size_t(), ctypes.c_size_t(), ctypes.c_void_p()
assert cuda.cudaMemGetInfo(ctypes.byref(free), ctypes.byref(total)) == 0
assert cuda.cudaMalloc(ctypes.byref(there), ctypes.c_size_t(free.value - int(sys.argv[1]))) == 0
print("taken", flush=True)
sys.stdin.read()
"""


@contextmanager
def _taken(but: int) -> Iterator[None]:
    """Another process takes the GPU's memory, except for so many bytes."""
    command = [sys.executable, "-c", _TAKE, str(but)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "taken\n"
            yield
        finally:
            process.kill()


@pytest.mark.parametrize("but", [16 * _MIB, 700 * _MIB, 1000 * _MIB], ids=["nothing", "a bit", "the weights"])
def test_without_room_it_is_not_ready_and_says_so(but: int, artifacts: Path) -> None:
    _ = artifacts / "summarizer"
    with _taken(but), serve("summarizer", "--gpu_layers", "-1", "--slots", "60", "--context_tokens", "8192") as live:
        message = wait_for(lambda: "".join(str(x["message"]) for x in live.lines if x["level"] == "error"), "an error")
        assert "GPU" in message
        assert "Traceback" not in "".join(live.raw)
        assert httpx.get(live.url + "/v2/health/ready").status_code == 503
        assert live.terminate() == 0


def test_a_request_under_way_is_answered_before_the_end(artifacts: Path) -> None:
    _ = artifacts / "summarizer"
    with serve("summarizer", *ON_GPU) as live, ThreadPoolExecutor(8) as callers:
        live.wait_ready()
        answers = [callers.submit(_ask, live, f"Count from {n} to 1000.", 400) for n in range(8)]
        wait_for(lambda: _metric(live, "summarizer_slots_busy") > 0, "answers under way")
        assert live.terminate() == 0
        assert all(answer.result() for answer in answers)
