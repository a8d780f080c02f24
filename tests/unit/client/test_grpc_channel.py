"""Both gRPC clients, where a connection dies without a word."""

import asyncio
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest

from predictors.client import AsyncClient, BreakerPolicy, Client, ClientError, Policy
from predictors.client.transports import grpc_channel
from predictors.client.wire.v2_messages import load_messages
from tests.unit.client.relay import Relay
from tests.waiting import until

MESSAGES = load_messages()
POLICY = Policy(timeout=0.5, attempts=1, breaker=BreakerPolicy(failure_rate=2))
# Without pings, a connection stays dead for as long as TCP sends again: a quarter of an hour.
SOON_SECONDS = 120.0
# gRPC pings after an answer, too, to learn how fast the line is. Only when that is over, the client's own pings count.
CALM_SECONDS = 0.5


@pytest.fixture
def relay() -> Iterator[Relay]:
    method = grpc.unary_unary_rpc_method_handler(
        lambda _request, _context: MESSAGES.ServerReadyResponse(ready=True),
        MESSAGES.ServerReadyRequest.FromString,
        MESSAGES.ServerReadyResponse.SerializeToString,
    )
    handler = grpc.method_handlers_generic_handler("inference.GRPCInferenceService", {"ServerReady": method})
    options = [("grpc.http2.min_ping_interval_without_data_ms", 10), ("grpc.keepalive_permit_without_calls", 1)]
    server = grpc.server(ThreadPoolExecutor(2), (handler,), options=options)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    with Relay(port) as relay:
        yield relay
    server.stop(None).wait()


@pytest.fixture(autouse=True)
def in_haste(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ping ten times as often, and wait a tenth as long."""
    hasty = [(name, value // 10 if name.endswith("_ms") else value) for name, value in grpc_channel.KEEPALIVE]
    monkeypatch.setattr(grpc_channel, "KEEPALIVE", tuple(hasty))


def test_a_dead_connection_is_replaced(relay: Relay) -> None:
    def answered() -> bool:
        try:
            return client.ready()
        except ClientError:
            return False

    with Client(f"grpc://{relay.address}", policy=POLICY) as client:
        until(answered, "the first answer")
        time.sleep(CALM_SECONDS)
        relay.go_dark()
        assert not answered()
        until(answered, "another connection", SOON_SECONDS)


def test_so_it_is_with_asyncio(relay: Relay) -> None:
    async def answered(client: AsyncClient) -> bool:
        try:
            return await client.ready()
        except ClientError:
            return False

    async def main() -> None:
        async with AsyncClient(f"grpc://{relay.address}", policy=POLICY) as client:
            while not await answered(client):
                await asyncio.sleep(0.1)
            await asyncio.sleep(CALM_SECONDS)
            relay.go_dark()
            assert not await answered(client)
            async with asyncio.timeout(SOON_SECONDS):
                while not await answered(client):
                    await asyncio.sleep(0.1)

    asyncio.run(main())
