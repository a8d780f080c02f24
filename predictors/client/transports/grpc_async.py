"""gRPC for asyncio."""

import math
import time
from collections.abc import Mapping
from typing import Any

import grpc
import grpc.aio

from predictors.client.operations import Operation
from predictors.client.target import Connections, Target, Tls
from predictors.client.transports import grpc_channel
from predictors.client.transports.attempt import Attempt
from predictors.client.wire import grpc_codec
from predictors.client.wire.grpc_codec import GrpcCodec, GrpcRequest


class AsyncGrpcTransport:
    """Sends messages over a channel; for one event loop.

    Args:
        target: the server.
        tls: what is trusted and shown.
        connections: how to connect.
    """

    def __init__(self, target: Target, tls: Tls, connections: Connections) -> None:
        self._codec = GrpcCodec()
        self._address = target.address
        self._secret = grpc_channel.credentials(target, tls)
        self._options = grpc_channel.options(target, connections)
        self._channel: Any = None
        self._methods: Mapping[str, Any] = {}

    def prepare(self, operation: Operation) -> GrpcRequest:
        """What every attempt sends.

        Raises:
            ConfigurationError, Unsupported: it cannot be sent.
        """
        return self._codec.encode(operation)

    async def call(self, operation: Operation, request: GrpcRequest, attempt: Attempt) -> Any:
        """Make an attempt.

        Raises:
            ClientError: it failed.
        """
        timeout = None if math.isinf(attempt.seconds) else attempt.seconds
        method = self._open()[request.method]
        try:
            call = method(request.message, timeout=timeout, metadata=grpc_channel.metadata(attempt))
            response = await call
        except grpc.aio.UsageError as error:
            raise grpc_channel.refused(error) from None
        except grpc.aio.AioRpcError as error:
            trailers = grpc_channel.texts(error.trailing_metadata())
            raise grpc_codec.failure(error.code(), error.details() or "", trailers, time.time()) from None
        return self._codec.decode(operation, response, grpc_channel.texts(await call.trailing_metadata()))

    def _open(self) -> Mapping[str, Any]:
        """The methods of the channel, which belongs to the event loop that runs now."""
        if self._channel is None:
            self._channel = (
                grpc.aio.insecure_channel(self._address, self._options)
                if self._secret is None
                else grpc.aio.secure_channel(self._address, self._secret, self._options)
            )
            self._methods = self._codec.methods(self._channel)
        return self._methods

    async def close(self) -> None:
        """Close the channel."""
        if self._channel is not None:
            await self._channel.close()
