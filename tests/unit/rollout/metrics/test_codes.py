"""Every code that the server can answer with is a success, a failure, or the client's own error."""

import grpc
import pytest

from predictors.rollout.metrics.codes import is_client_error, is_success
from predictors.serving.app.middleware.errors import HTTP_STATUS
from predictors.serving.errors import DeadlineExceeded, ModelNotReady, Overloaded, RateLimited, Unavailable
from predictors.serving.protocols.grpc.service import GRPC_STATUS
from predictors.serving.telemetry.call import CLIENT_CLOSED_REQUEST

SERVERS_FAULT = (Overloaded, RateLimited, ModelNotReady, Unavailable, DeadlineExceeded)


def failed(code: str) -> bool:
    assert not (is_success(code) and is_client_error(code))
    return not is_success(code) and not is_client_error(code)


@pytest.mark.parametrize(
    "code", ["500", "501", "502", "503", "504", "429", CLIENT_CLOSED_REQUEST, "", "nonsense", "٢٠٠"]
)
def test_failures(code: str) -> None:
    assert failed(code)


@pytest.mark.parametrize("code", ["200", "204", "304", "OK"])
def test_successes(code: str) -> None:
    assert is_success(code)


@pytest.mark.parametrize("error", [*HTTP_STATUS], ids=lambda error: str(error.__name__))
def test_http_errors(error: type) -> None:
    assert failed(str(HTTP_STATUS[error])) == (error in SERVERS_FAULT)


@pytest.mark.parametrize("error", [*GRPC_STATUS], ids=lambda error: str(error.__name__))
def test_grpc_errors(error: type) -> None:
    code = GRPC_STATUS[error]
    assert failed(code.name) == (error in SERVERS_FAULT or code is grpc.StatusCode.RESOURCE_EXHAUSTED)


def test_each_grpc_code_has_its_kind() -> None:
    assert {code.name for code in grpc.StatusCode if failed(code.name)} == {
        "CANCELLED", "UNKNOWN", "DEADLINE_EXCEEDED", "RESOURCE_EXHAUSTED", "ABORTED", "UNIMPLEMENTED", "INTERNAL",
        "UNAVAILABLE", "DATA_LOSS",
    }  # fmt: skip
