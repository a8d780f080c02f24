"""Listeners, with and without TLS: one shared by tests that do not change it, and fresh ones for the others."""

import ssl
from collections.abc import Iterator

import pytest

from predictors.serving.transport.tls import Certificate
from tests.unit.serving.transport.certificates import Authority
from tests.unit.serving.transport.client import until
from tests.unit.serving.transport.logged import Logged
from tests.unit.serving.transport.loopback import Loopback, TlsSides
from tests.unit.serving.transport.scripted import Scripted


@pytest.fixture(scope="session")
def loopback() -> Iterator[Loopback]:
    """A shared listener that runs `echo`."""
    with Loopback() as running:
        yield running
        running.run(until(lambda: running.open == 0))


@pytest.fixture(scope="session")
def tls_sides(tmp_path_factory: pytest.TempPathFactory) -> TlsSides:
    """The TLS contexts of a server and its clients."""
    authority = Authority()
    files = authority.issue("server").write(tmp_path_factory.mktemp("certificate"))
    return TlsSides(Certificate(*files).context, ssl.create_default_context(cadata=authority.certificate.decode()))


@pytest.fixture(params=["plain", "tls"])
def tls(request: pytest.FixtureRequest) -> TlsSides | None:
    """Runs a test without TLS, then with it."""
    return request.getfixturevalue("tls_sides") if request.param == "tls" else None


@pytest.fixture
def app() -> Scripted:
    """The application that `scripted` runs."""
    return Scripted()


@pytest.fixture
def scripted(app: Scripted, tls: TlsSides | None) -> Iterator[Loopback]:
    """A listener with a scripted application."""
    with Loopback(app, tls=tls) as running:
        yield running


@pytest.fixture
def logged(tls: TlsSides | None) -> Iterator[Logged]:
    """A listener with an access log; checks that the test leaves no connection or request behind."""
    logged = Logged(tls)
    with logged.loopback:
        yield logged
        assert logged.loopback.connections.waiting == 0
        assert logged.loopback.open == 0
