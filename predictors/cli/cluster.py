"""The cluster that a command speaks to: its options, and its errors in plain words."""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from predictors.cli.console import fail

if TYPE_CHECKING:
    from predictors.rollout.kube.client import Client

Namespace = Annotated[
    str, typer.Option("--namespace", "-n", help="Namespace; by default that of the kubeconfig's context.")
]
Kubeconfig = Annotated[str, typer.Option(help="Kubeconfig file; by default where kubectl looks.")]
Context = Annotated[str, typer.Option(help="Context of the kubeconfig; by default its current one.")]

_EXTRA = ("kubernetes", "yaml")


class Format(StrEnum):
    """How a command prints."""

    TEXT = "text"
    JSON = "json"


Output = Annotated[Format, typer.Option("--output", "-o", help="Text for people, or JSON for programs.")]


class Connection(NamedTuple):
    """A cluster.

    Args:
        api: its API server.
        namespace: in which the command works.
    """

    api: "Client"
    namespace: str


@contextmanager
def sentences(status: int = 1) -> Iterator[None]:
    """Turn what the cluster refuses, and packages that are not installed, into one sentence and an exit status."""
    try:
        from predictors.rollout.kube.api import KubeError
    except ModuleNotFoundError as error:
        _explain(error, status)
    try:
        yield
    except ModuleNotFoundError as error:
        _explain(error, status)
    except KubeError as error:
        fail(str(error), status)


@contextmanager
def connected(namespace: str, kubeconfig: str, context: str, status: int = 1) -> Iterator[Connection]:
    """Connect to the cluster; its errors end the command with one sentence and an exit status."""
    with sentences(status):
        from predictors.rollout.kube.client import connect, default_namespace

        yield Connection(connect(kubeconfig, context), namespace or default_namespace(kubeconfig, context))


def _explain(error: ModuleNotFoundError, status: int) -> None:
    package = (error.name or "").partition(".")[0]
    if package not in _EXTRA:
        raise error
    fail(f"{package} is not installed: install kserve-predictors[rollout]", status)
