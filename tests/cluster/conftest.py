"""What the tests of the cluster share; see the package's docstring."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from tests.cluster.archives import Archives, pack_iris, publish
from tests.cluster.cluster import Cluster
from tests.cluster.diagnosis import diagnose
from tests.cluster.gateway import Gateway
from tests.cluster.namespaces import Namespaces
from tests.cluster.page import Reader
from tests.cluster.release import Release, Values, merge, sized
from tests.cluster.settings import Settings, missing, read_settings
from tests.cluster.stores.s3 import S3

KINDS = ("iris", "intent", "summarizer")
_FIGURES = pytest.StashKey[list[str]]()
_NAMESPACES = pytest.StashKey[tuple[Cluster, Namespaces]]()
Note = Callable[[str], None]
Releases = Callable[[str, Values], AbstractContextManager[Release]]


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_FIGURES] = []


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """Skip this directory where there is no cluster to run on, or none is meant."""
    if reason := missing(os.environ):
        pytest.skip(reason)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Show the namespaces in the report of a failed test."""
    report: pytest.TestReport = yield  # type: ignore[assignment]
    if report.failed and _NAMESPACES in item.config.stash:
        cluster, namespaces = item.config.stash[_NAMESPACES]
        report.sections += [(f"namespace {each}", diagnose(cluster, each)) for each in namespaces.live]
    return report  # type: ignore[return-value]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print what was measured."""
    figures = config.stash[_FIGURES]
    if figures:
        terminalreporter.section("measured on the cluster")
        terminalreporter.write_line("\n".join(figures))


@pytest.fixture(scope="session")
def note(pytestconfig: pytest.Config) -> Note:
    """Takes a line for the end of the output."""
    return pytestconfig.stash[_FIGURES].append


@pytest.fixture(scope="session")
def settings() -> Settings:
    """Where everything is."""
    return read_settings()


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Cluster:
    """The cluster that KUBECONFIG names."""
    return Cluster(os.environ["KUBECONFIG"], tmp_path_factory.mktemp("kubernetes"))


@pytest.fixture(scope="session")
def gateway(settings: Settings) -> Gateway:
    """Clients through the gateway."""
    return Gateway(settings)


@pytest.fixture(scope="session")
def namespaces(cluster: Cluster, pytestconfig: pytest.Config) -> Iterator[Namespaces]:
    """Makes namespaces; those that are left are deleted at the end."""
    made = Namespaces(cluster)
    pytestconfig.stash[_NAMESPACES] = cluster, made
    yield made
    made.close()


@pytest.fixture(scope="session")
def releases(
    cluster: Cluster,
    gateway: Gateway,
    settings: Settings,
    namespaces: Namespaces,
    tmp_path_factory: pytest.TempPathFactory,
) -> Releases:
    """Installs the chart in a namespace of its own for the time of a block; takes the namespace's purpose and values."""
    scratch = tmp_path_factory.mktemp("values")

    @contextmanager
    def installed(purpose: str, values: Values) -> Iterator[Release]:
        namespace = namespaces.create(purpose)
        release = Release(cluster, gateway, namespace, merge(sized(settings), values), scratch)
        release.install()
        yield release
        release.uninstall()
        namespaces.delete(namespace)

    return installed


@pytest.fixture(scope="session")
def installed(releases: Releases, note: Note) -> Iterator[Release]:
    """All three models, from a volume that the chart fills from the images; several modules change it and change it back."""
    models: Values = {kind: {} for kind in KINDS}
    with releases("main", {"modelVolume": {"create": True}, "models": models}) as release:
        for model, seconds in release.wait_ready(KINDS).items():
            note(f"helm install to Ready, {model}: {seconds:.1f} s")
        yield release


@pytest.fixture(scope="session")
def archives(
    cluster: Cluster, namespaces: Namespaces, settings: Settings, tmp_path_factory: pytest.TempPathFactory
) -> Archives:
    """A file server in the cluster with artifacts of iris: two versions, and the first with a damaged file."""
    return publish(cluster, namespaces.create("files"), settings, tmp_path_factory.mktemp("artifacts"))


@pytest.fixture(scope="session")
def iris_2(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An artifact of iris, version 2."""
    directory = tmp_path_factory.mktemp("reader") / "iris-2"
    pack_iris("2", directory)
    return directory


@pytest.fixture(scope="session")
def s3() -> Iterator[S3]:
    """An S3 on this machine."""
    server = S3()
    yield server
    server.close()


@pytest.fixture
def reader(
    cluster: Cluster, gateway: Gateway, settings: Settings, namespaces: Namespaces, iris_2: Path, tmp_path: Path
) -> Iterator[Reader]:
    """Follows docs/storage.md with that artifact, in a namespace of their own."""
    shutil.copytree(iris_2, tmp_path / iris_2.name)
    namespace = namespaces.create("reader")
    reader = Reader(cluster, gateway, namespace, sized(settings), tmp_path)
    yield reader
    reader.release.uninstall()
    namespaces.delete(namespace)
