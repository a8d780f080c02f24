"""One listener for all tests that leave it as it was."""

from collections.abc import Iterator

import pytest

from tests.unit.serving.transport.loopback import Loopback, until


@pytest.fixture(scope="session")
def loopback() -> Iterator[Loopback]:
    """A listener that says what it was asked."""
    with Loopback() as running:
        yield running
        running.run(until(lambda: running.open == 0))
