"""Triton's clients through the gateway: `python -m tests.cluster.triton CLIENT ADDRESS HOST [CERTIFICATE]`.

A program of its own, since Triton's and KServe's gRPC messages cannot live in one process. It asks the model `iris` two
things that only the right server answers, over HTTPS if there is a certificate.
"""

import functools
import sys
from typing import Any

import gevent.ssl
import numpy as np
import tritonclient.grpc
import tritonclient.http

ROWS = np.array([[5.1, 3.5, 1.4, 0.2], [6.3, 3.3, 6.0, 2.5]], dtype=np.float32)


def main(client: str, address: str, host: str, certificate: str = "") -> None:
    """Run one client.

    Args:
        client: `http` or `grpc`.
        address: the gateway's.
        host: the model's host name.
        certificate: PEM file to trust.
    """
    {"http": over_http, "grpc": over_grpc}[client](address, host, certificate)


def over_http(address: str, host: str, certificate: str) -> None:
    tls: dict[str, Any] = {}
    if certificate:
        context = functools.partial(_context, certificate)
        tls = {"ssl": True, "ssl_context_factory": context, "ssl_options": {"server_hostname": host}}
    client = tritonclient.http.InferenceServerClient(address, network_timeout=120, connection_timeout=120, **tls)
    headers = {"Host": host}
    assert client.is_model_ready("iris", headers=headers)
    for binary in (True, False):
        features = tritonclient.http.InferInput("features", ROWS.shape, "FP32")
        features.set_data_from_numpy(ROWS, binary_data=binary)
        # The client writes the length of this request's JSON into the headers that it is given.
        result = client.infer("iris", [features], request_id="7", headers=dict(headers))
        assert result.get_response()["id"] == "7"
        assert result.as_numpy("predict").tolist() == [0, 2]


def over_grpc(address: str, host: str, certificate: str) -> None:
    options = [("grpc.default_authority", host)]
    if certificate:
        options.append(("grpc.ssl_target_name_override", host))
    client = tritonclient.grpc.InferenceServerClient(
        address, ssl=bool(certificate), root_certificates=certificate or None, channel_args=options
    )
    assert client.is_model_ready("iris", client_timeout=120)
    features = tritonclient.grpc.InferInput("features", ROWS.shape, "FP32")
    features.set_data_from_numpy(ROWS)
    result = client.infer("iris", [features], request_id="7", client_timeout=120)
    assert result.get_response().id == "7"
    assert result.as_numpy("predict").tolist() == [0, 2]


def _context(certificate: str, cafile: str | None = None) -> Any:
    context = gevent.ssl.create_default_context(cafile=certificate)
    context.verify_flags |= gevent.ssl.VERIFY_X509_PARTIAL_CHAIN
    return context


if __name__ == "__main__":
    main(*sys.argv[1:])
