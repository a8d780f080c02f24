"""gRPC for threads."""

import math
import time
from typing import Any

import grpc

from predictors.client.operations import Operation
from predictors.client.target import Connections, Target, Tls
from predictors.client.transports import grpc_channel
from predictors.client.transports.attempt import Attempt
from predictors.client.transports.http_sync import Bounds
from predictors.client.wire import grpc_codec
from predictors.client.wire.grpc_codec import GrpcCodec, GrpcRequest


class GrpcTransport:
    """Sends messages over a channel; for any number of threads.

    Args:
        target: the server.
        tls: what is trusted and shown.
        connections: how to connect.
    """

    def __init__(self, target: Target, tls: Tls, connections: Connections) -> None:
        self._codec = GrpcCodec()
        secret = grpc_channel.credentials(target, tls)
        options = grpc_channel.options(target, connections)
        self._channel = (
            grpc.insecure_channel(target.address, options)
            if secret is None
            else grpc.secure_channel(target.address, secret, options)
        )
        self._methods = self._codec.methods(self._channel)

    def prepare(self, operation: Operation) -> GrpcRequest:
        """What every attempt sends.

        Raises:
            ConfigurationError, Unsupported: it cannot be sent.
        """
        return self._codec.encode(operation)

    def call(self, operation: Operation, request: GrpcRequest, attempt: Attempt, bounds: Bounds) -> Any:
        """Make an attempt.

        Raises:
            ClientError: it failed.
        """
        timeout = None if math.isinf(attempt.seconds) else attempt.seconds
        method = self._methods[request.method]
        try:
            if bounds.cancellable:
                call = method.future(request.message, timeout=timeout, metadata=grpc_channel.metadata(attempt))
                bounds.interrupt_by(call.cancel)
                response = call.result()
            else:  # on this thread alone, which takes half the time
                response, call = method.with_call(
                    request.message, timeout=timeout, metadata=grpc_channel.metadata(attempt)
                )
        except ValueError as error:
            raise grpc_channel.refused(error) from None
        except grpc.FutureCancelledError:
            raise grpc_codec.failure(grpc.StatusCode.CANCELLED, "", {}, time.time()) from None
        except grpc.RpcError as error:
            trailers = grpc_channel.texts(error.trailing_metadata())
            raise grpc_codec.failure(error.code(), error.details() or "", trailers, time.time()) from None
        return self._codec.decode(operation, response, grpc_channel.texts(call.trailing_metadata()))

    def close(self) -> None:
        """Close the channel."""
        self._channel.close()
