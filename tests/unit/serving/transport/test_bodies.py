"""Request bodies: when they are read, and how unwanted ones are discarded."""

import pytest

from predictors.serving.protocols.http import CONNECTION, Receive, Scope, Send
from tests.unit.serving.transport.client import Client, get, post, turns, until
from tests.unit.serving.transport.loopback import Loopback, respond
from tests.unit.serving.transport.scripted import Scripted

EXPECT = "expect: 100-continue"
MB = 2**20


async def send_until_full(client: Client, text: bytes) -> bytes:
    """Send as much as the server reads and the kernel buffers; returns the rest."""
    unsent = memoryview(text)
    for _ in range(1000):
        if not client.full:
            client.transport.write(unsent[:65_536])
            unsent = unsent[65_536:]
        await turns(1)
    assert len(unsent) > len(text) / 2
    return bytes(unsent)


def test_reading_pauses_behind_a_waiting_request(app: Scripted, scripted: Loopback) -> None:
    body = bytes(MB)

    async def scenario() -> None:
        async with scripted.client() as client:
            await client.send(get("/wait"))
            rest = await send_until_full(client, (post("/never-read", MB) + body) * 32)
            app.gate.set()
            client.transport.write(rest)
            assert (await client.answer()).body == b"waited"
            for _ in range(32):
                assert (await client.answer()).status == 404
            await client.check_goes_on()

    scripted.run(scenario())


def test_the_number_of_pipelined_requests_is_bounded(app: Scripted, scripted: Loopback) -> None:
    large = get("/note", "x-large: " + "a" * 30_000)
    waiting = []

    async def note(scope: Scope, receive: Receive, send: Send) -> None:
        waiting.append(len(scope["extensions"][CONNECTION].pipeline))
        await respond(send)

    async def scenario() -> None:
        async with scripted.client() as client:
            await client.send(get("/wait"))
            rest = await send_until_full(client, large * 1000)
            app.gate.set()
            client.transport.write(rest)
            assert (await client.answer()).body == b"waited"
            for _ in range(1000):
                assert (await client.answer()).status == 200
            await client.check_goes_on()

    app.scripts["/note"] = note
    scripted.run(scenario())
    assert len(waiting) == 1000
    assert max(waiting) < 16 + 256 / 30 + 1  # the limit, and the rest of a segment


def test_reading_pauses_until_the_application_asks_for_the_body(app: Scripted, scripted: Loopback) -> None:
    body = bytes(32 * MB)

    async def scenario() -> None:
        async with scripted.client() as client:
            await client.send(post("/count-later", len(body)))
            rest = await send_until_full(client, body)
            app.gate.set()
            client.transport.write(rest)
            assert (await client.answer()).body == b"%d" % len(body)
            await client.check_goes_on()

    scripted.run(scenario())


def test_100_continue_is_sent_once_the_application_asks_for_the_body(app: Scripted, scripted: Loopback) -> None:
    async def scenario() -> None:
        async with scripted.client() as client:
            await client.send(post("/read-later", 4, EXPECT))
            await turns(10)
            assert not client.received
            app.gate.set()
            assert (await client.answer(to_head=True)).status == 100
            await client.send(b"body")
            assert (await client.answer()).asked == ("POST", "/read-later", b"body")
            await client.check_goes_on()

    scripted.run(scenario())


def test_http_1_0_clients_get_no_100_continue(scripted: Loopback) -> None:
    """They do not know interim responses (RFC 9110, 10.1.1)."""

    async def scenario() -> None:
        async with scripted.client() as client:
            await client.send(post("/a", 4, EXPECT).replace(b"HTTP/1.1", b"HTTP/1.0"), b"body")
            assert (await client.answer()).asked == ("POST", "/a", b"body")
            await client.check_ends()

    scripted.run(scenario())


@pytest.mark.parametrize("header", [(), ("connection: close",)], ids=["keep-alive", "close"])
def test_the_rest_of_a_refused_body_is_discarded(scripted: Loopback, header: tuple[str, ...]) -> None:
    """Otherwise the client would see a reset instead of the response."""

    async def scenario() -> None:
        async with scripted.client() as client:
            await client.send(post("/never-read", 8 * MB, *header), bytes(100))
            answer = await client.answer()
            assert (answer.status, answer.closes) == (404, bool(header))
            await client.send(bytes(8 * MB - 200))
            await turns(100)
            assert not client.ended
            await client.send(bytes(100))
            await (client.check_ends if header else client.check_goes_on)()

    scripted.run(scenario())


def test_discarding_a_body_is_bounded(scripted: Loopback) -> None:
    async def scenario() -> None:
        async with scripted.client() as client:
            await client.send(post("/never-read", 2**40))
            assert (await client.answer()).status == 404
            for _ in range(80):
                await client.send(bytes(MB))
                await turns(20)
            await until(lambda: client.ended)

    scripted.run(scenario())
