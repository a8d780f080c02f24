"""The OpenAPI document describes the server: whatever is generated from it gets an answer that it foresees."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import response_schema_conformance

from tests.live import JSON, LiveServer

PREDICT_PATHS = (
    "/v1/models/iris:predict",
    "/v1/models/intent:predict",
    "/v2/models/iris/infer",
    "/v2/models/intent/infer",
    "/predict",
    "/inference",
)
FUZZ = settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def document(server: LiveServer) -> dict[str, Any]:
    body: dict[str, Any] = httpx.get(server.url + "/openapi.json").json()
    return body


def test_it_lists_every_model_and_protocol(document: dict[str, Any]) -> None:
    for path in (*PREDICT_PATHS, "/v2/models/iris/versions/{version}/infer", "/v2/health/ready", "/models", "/metrics"):
        assert path in document["paths"]


def test_its_paths_are_those_that_are_routed(document: dict[str, Any], server: LiveServer) -> None:
    for path, operations in document["paths"].items():
        for method in operations:
            answer = httpx.request(method, server.url + path.replace("{version}", "1"), headers=JSON, content=b"{}")
            assert answer.status_code in (200, 400, 422), (method, path)


def operations(document: dict[str, Any], server: LiveServer) -> Iterator[Any]:
    loaded = schemathesis.openapi.from_dict(document)
    loaded.config.update(base_url=server.url)
    for result in loaded.get_all_operations():
        yield result.ok()  # type: ignore[union-attr]  # the document is valid


def expected_statuses(operation: Any) -> set[int]:
    """What the document names, and what HTTP itself may bring: no such path for a mangled one, no such method."""
    return {int(status) for status in operation.definition.raw["responses"]} | {400, 404, 405}


def check_case(mode: GenerationMode, case: Any) -> None:
    response = case.call(timeout=60)
    shown = (case.body, response.status_code, response.text)
    assert response.status_code in expected_statuses(case.operation), shown
    if response.status_code >= 400:
        assert list(response.json()) == ["error"], shown
    elif response.status_code == 200:
        case.validate_response(response, checks=[response_schema_conformance])
    exact = case.operation.path in PREDICT_PATHS and "/v2/" not in case.operation.path
    if (
        mode is GenerationMode.POSITIVE and exact
    ):  # JSON Schema cannot say that a V2 tensor's data is as long as its shape
        assert response.status_code == 200, shown


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: str(mode.value))
def test_generated_requests(document: dict[str, Any], server: LiveServer, mode: GenerationMode) -> None:
    for operation in operations(document, server):
        if mode is GenerationMode.NEGATIVE and operation.method == "get":
            continue  # there is nothing in it to get wrong

        @FUZZ
        @given(case=operation.as_strategy(generation_mode=mode))
        def run(case: Any) -> None:
            check_case(mode, case)

        run()


@given(
    path=st.sampled_from([*PREDICT_PATHS, "/v2/models/iris/versions/1/infer"]),
    body=st.binary(max_size=300) | st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=20),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(
            st.sampled_from(["instances", "inputs", "text", "features", "shape", "data", "parameters", "outputs", "name"]), inner),
        max_leaves=15,
    ).map(lambda value: json.dumps(value).encode("utf-8", "surrogatepass")),
    headers=st.dictionaries(
        st.sampled_from(["content-type", "inference-header-content-length", "x-request-id", "content-encoding", "accept"]),
        st.sampled_from(["application/json", "application/octet-stream", "5", "-1", "99999999999999999999", "gzip", "x" * 300, "é"]),
    ),
)  # fmt: skip
@settings(FUZZ, max_examples=250)
def test_raw_requests(server: LiveServer, path: str, body: bytes, headers: dict[str, str]) -> None:
    encoded = {name.encode(): value.encode() for name, value in {**JSON, **headers}.items()}
    response = httpx.post(server.url + path, content=body, headers=encoded)
    assert response.status_code < 500, response.text
