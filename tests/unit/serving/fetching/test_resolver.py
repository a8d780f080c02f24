"""Names that take the system's resolver very long."""

import asyncio
import socket
from threading import Event
from typing import Any

import pytest

from predictors.serving.errors import Overloaded
from predictors.serving.fetching.resolver import Resolver


def test_slow_names_hold_up_each_other_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = Event()

    def slow(host: str, *_: Any, **__: Any) -> list[Any]:
        answer.wait(60)
        return [(0, 0, 0, "", ("192.0.2.1", 0))]

    monkeypatch.setattr(socket, "getaddrinfo", slow)

    async def scenario() -> None:
        resolve = Resolver()
        for _ in range(8):  # whoever asked has given up; the lookups go on
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.01):
                    await resolve("slow.example")
        with pytest.raises(Overloaded, match="8 names"):
            await resolve("slow.example")
        assert await asyncio.to_thread(lambda: "free") == "free"
        answer.set()
        while resolve._running:
            await asyncio.sleep(0.01)
        assert await resolve("slow.example") == ["192.0.2.1"]

    asyncio.run(scenario())


def test_names_that_are_none() -> None:
    for host in ("nowhere.invalid", "a" * 70 + ".example"):
        with pytest.raises((OSError, UnicodeError)):
            asyncio.run(Resolver()(host))
