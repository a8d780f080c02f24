"""A model of 1.5 billion parameters in a container of 2 GiB: it answers, is not killed, and takes what was calculated.

This takes 3.4 GB of disk, all of it deleted at the end.
"""

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from predictors.summarizer.llama.gguf import inspect
from predictors.summarizer.llama.memory import memory_plan
from predictors.summarizer.runtime import BATCH_TOKENS, KEPT_SEQUENCES
from predictors.summarizer.settings import SummarizerSettings
from tests.cluster.cluster import Cluster
from tests.cluster.conftest import Note, Releases
from tests.cluster.gateway import Gateway
from tests.cluster.programs import run
from tests.cluster.random_weights import write_model
from tests.cluster.refusals import readiness, the_new_pod, the_pod
from tests.cluster.release import Release
from tests.cluster.settings import Settings
from tests.cluster.weights import CLAIM, memory, volume

pytestmark = pytest.mark.cluster
# What the publisher's file has; ours has shorter tokens.
PUBLISHED_BYTES = 1_117_320_736
MODEL = "large"
LIMIT, LIMIT_BYTES = "2Gi", 2 * 2**30
TOO_LITTLE = "600Mi"
SLOTS = SummarizerSettings.model_fields["slots"].default
CONTEXT = SummarizerSettings.model_fields["context_tokens"].default
# 1,800 tokens of this vocabulary. Prompts that begin alike are read once, and copied into each slot.
LONG_TEXT = "You may cancel this contract at any time. " * 85
# A step of this model takes seconds where others compute too.
REQUEST_SECONDS = 1200
TERMS = [
    f"{number}. You pay {number} euros a month. We may share your data with partners. You can cancel with {number} days' notice."
    for number in range(1, 5)
]


@pytest.fixture(scope="module")
def artifact(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The artifact of a model in the shape of the publisher's file."""
    directory = tmp_path_factory.mktemp("large")
    file = write_model(directory / "large.gguf", own_output=True)
    packed = directory / "artifact"
    run(sys.executable, "-m", "predictors", "artifact", "pack", file, "--version", "1", "-o", packed)
    file.unlink()
    yield packed
    for each in packed.iterdir():
        each.unlink()


@pytest.fixture(scope="module")
def served(cluster: Cluster, settings: Settings, releases: Releases, artifact: Path) -> Iterator[Release]:
    """A release that serves it from a volume."""
    model = {
        "kind": "summarizer",
        "storageUri": f"pvc://{CLAIM}/model",
        "requestTimeoutSeconds": REQUEST_SECONDS,
        "settings": {"reading": "chunks"},  # the model writes what it read, where clauses may do without it
        "resources": {"requests": {"memory": "1Gi"}, "limits": {"memory": LIMIT}},
    }
    with (
        releases("large", {"models": {MODEL: model}}) as release,
        volume(cluster, release.namespace, settings, artifact),
    ):
        yield release


def planned_bytes(artifact: Path) -> int:
    """What `predictors gguf inspect` says for the defaults."""
    shape = inspect(artifact / "large.gguf").shape
    return memory_plan(shape, CONTEXT, SLOTS + KEPT_SEQUENCES, BATCH_TOKENS).total_bytes


def chat(client: httpx.Client, text: str) -> httpx.Response:
    messages = [{"role": "user", "content": text}]
    body = {"model": MODEL, "messages": messages, "max_tokens": 8, "temperature": 1, "seed": 1}
    return client.post("/openai/v1/chat/completions", json=body)


def test_the_file_is_as_large_as_the_publishers(artifact: Path) -> None:
    assert (artifact / "large.gguf").stat().st_size == pytest.approx(PUBLISHED_BYTES, rel=0.002)


def test_it_answers_within_its_limit(
    cluster: Cluster, gateway: Gateway, served: Release, artifact: Path, note: Note
) -> None:
    [seconds] = served.wait_ready([MODEL]).values()
    pod = the_pod(cluster, served.namespace, MODEL)
    with gateway.rest(MODEL, served.namespace) as client, ThreadPoolExecutor(SLOTS) as threads:
        client.timeout = httpx.Timeout(REQUEST_SECONDS)
        chats = [*threads.map(lambda number: chat(client, f"{LONG_TEXT} {number}"), range(SLOTS))]
        body = {"instances": ["\n\n".join(TERMS)], "parameters": {"mode": "full", "max_tokens": 40}}
        summary = client.post(f"/v1/models/{MODEL}:predict", json=body)
    used = memory(served.namespace, pod)
    note(
        f"1.5B in Q4_K_M, limit {LIMIT}: {used}; calculated {planned_bytes(artifact) // 2**20} MiB; Ready {seconds:.0f} s"
    )
    assert [each.status_code for each in (*chats, summary)] == [200] * (SLOTS + 1)
    assert all(CONTEXT - 300 < each.json()["usage"]["prompt_tokens"] < CONTEXT for each in chats)
    assert summary.json()["usage"][0]["completion_tokens"] > 0
    [status] = cluster.get("Pod", pod, served.namespace)["status"]["containerStatuses"]
    assert status["restartCount"] == 0
    assert used.own <= planned_bytes(artifact) <= LIMIT_BYTES


def test_a_container_that_is_too_small_says_so(cluster: Cluster, served: Release) -> None:
    """It is not killed."""
    old = the_pod(cluster, served.namespace, MODEL)
    served.upgrade(
        {"models": {MODEL: {"resources": {"requests": {"memory": "64Mi"}, "limits": {"memory": TOO_LITTLE}}}}}
    )
    pod = the_new_pod(cluster, served.namespace, MODEL, old)
    status, why = readiness(cluster, served.namespace, pod)
    assert status == 503
    assert "even without a KV cache, and the memory limit is 600 MiB" in why
