"""`helm install`: all three Ready where only restricted pods may run, and each protocol through the gateway."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.cluster import Cluster, is_ready
from tests.cluster.conftest import KINDS
from tests.cluster.gateway import V1_BODIES, V2_BODIES, Gateway
from tests.cluster.namespaces import RESTRICTED
from tests.cluster.release import Release
from tests.live import ROOT

pytestmark = [pytest.mark.cluster, pytest.mark.gate]
SCHEMES = ("http", "https")
# What the answer to the one row of each kind's body must hold.
V1_FIELDS = {"iris": "labels", "intent": "predictions", "summarizer": "predictions"}
V2_OUTPUTS = {"iris": "label", "intent": "predict", "summarizer": "summary"}
LABELS = {"iris": ["setosa"], "intent": ["question"]}
TERMS = "euros"


def check(kind: str, said: list[str]) -> None:
    """Compare what a model says of its example: a label, or, in the summarizer's own words, the price."""
    if kind == "summarizer":
        assert TERMS in said[0]
    else:
        assert said == LABELS[kind]


def test_all_models_are_ready_in_a_restricted_namespace(cluster: Cluster, installed: Release) -> None:
    labels = cluster.get("Namespace", installed.namespace)["metadata"]["labels"]
    assert labels.items() >= RESTRICTED.items()
    for kind in KINDS:
        assert is_ready(cluster.get("InferenceService", kind, installed.namespace))


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("kind", KINDS)
def test_v1(gateway: Gateway, installed: Release, kind: str, scheme: str) -> None:
    with gateway.rest(kind, installed.namespace, scheme) as client:
        response = client.post(f"/v1/models/{kind}:predict", json=V1_BODIES[kind])
    assert response.status_code == 200, response.text
    answer = response.json()
    check(kind, answer[V1_FIELDS[kind]])
    assert response.headers["x-model-version"] == answer["model_version"] == "1"


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("kind", KINDS)
def test_v2(gateway: Gateway, installed: Release, kind: str, scheme: str) -> None:
    with gateway.rest(kind, installed.namespace, scheme) as client:
        response = client.post(f"/v2/models/{kind}/infer", json=V2_BODIES[kind])
    assert response.status_code == 200, response.text
    outputs = {output["name"]: output["data"] for output in response.json()["outputs"]}
    check(kind, outputs[V2_OUTPUTS[kind]])


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("client", ["http", "grpc"])
def test_tritons_clients(gateway: Gateway, installed: Release, tmp_path: Path, client: str, scheme: str) -> None:
    arguments = [client, str(gateway.address(scheme)), gateway.host("iris", installed.namespace)]
    if scheme == "https":
        certificate = tmp_path / "gateway.pem"
        certificate.write_text(gateway.certificate, "ascii")
        arguments.append(str(certificate))
    command = [sys.executable, "-m", "tests.cluster.triton", *arguments]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("scheme", SCHEMES)
def test_openais_client_streams(gateway: Gateway, installed: Release, scheme: str) -> None:
    question: Any = {"role": "user", "content": "What is a contract?"}
    with gateway.openai("summarizer", installed.namespace, scheme) as client:
        chunks = list(
            client.chat.completions.create(
                model="summarizer", messages=[question], max_tokens=12, temperature=0, stream=True
            )
        )
    texts = [chunk.choices[0].delta.content for chunk in chunks if chunk.choices and chunk.choices[0].delta.content]
    assert len(texts) > 1, "the answer came in one piece"
    assert chunks[-1].choices[0].finish_reason in ("stop", "length")


def test_helm_test(installed: Release) -> None:
    """It sends requests to each model from inside the cluster."""
    output = installed.test()
    assert output.count("Phase:          Succeeded") == len(KINDS), output
