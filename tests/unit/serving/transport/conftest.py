"""Listeners: one for all tests that leave it as it was, and one for each test that does not."""

from collections.abc import Iterator

import pytest

from tests.unit.serving.transport.logged import Logged
from tests.unit.serving.transport.loopback import Loopback, until


@pytest.fixture(scope="session")
def loopback() -> Iterator[Loopback]:
    """A listener that says what it was asked."""
    with Loopback() as running:
        yield running
        running.run(until(lambda: running.open == 0))


@pytest.fixture
def logged() -> Iterator[Logged]:
    """A listener with an access log; when its test ends, nothing is left."""
    logged = Logged()
    with logged.loopback:
        yield logged
        assert logged.loopback.connections.waiting == 0
        assert logged.loopback.open == 0
