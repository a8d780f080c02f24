"""How versions of a model behave, and how slow the parts of the cluster are."""

from dataclasses import dataclass, field
from random import Random
from typing import TypeAlias

Range: TypeAlias = tuple[float, float]


@dataclass(frozen=True)
class Behavior:
    """One version of a model.

    Args:
        error_rate: share of the requests that it answers with 500.
        slow: factor of its latencies.
        crash: seconds after the start of a container at which it ends, again and again; None: never.
        never_ready: its pods run, and are never ready.
        bad_digest: its artifact is not what was pinned: it is never loaded, and says so.
        no_image: its image cannot be pulled.
        labels: shares of the labels that it predicts.
        version: that it reports; empty: the last part of its URI.
    """

    error_rate: float = 0.0
    slow: float = 1.0
    crash: float | None = None
    never_ready: bool = False
    bad_digest: bool = False
    no_image: bool = False
    labels: dict[str, float] = field(default_factory=lambda: {"setosa": 0.4, "versicolor": 0.3, "virginica": 0.3})
    version: str = ""

    def version_at(self, uri: str) -> str:
        """That is reported by what is loaded from a URI."""
        return self.version or uri.rstrip("/").rpartition("/")[2]


@dataclass(frozen=True)
class Delays:
    """How long the parts of the cluster take, seconds: from, to.

    Args:
        kserve: until KServe reconciles an InferenceService.
        ingress: between KServe's Deployments and its routes, in one reconcile.
        deployment: until the Deployment controller follows.
        start: from a pod's creation to its readiness.
        drain: that a deleted pod goes on serving.
        accept: until the gateway has judged a route.
        program: from there until requests follow it.
        endpoints: until the gateway knows which pods are ready.
        autoscaler: between two looks of the autoscaler.
        scale_down: that the autoscaler waits before it takes pods away.
    """

    kserve: Range = (0.05, 0.5)
    ingress: Range = (0.1, 0.4)
    deployment: Range = (0.02, 0.2)
    start: Range = (3.0, 8.0)
    drain: Range = (10.0, 15.0)
    accept: Range = (0.1, 1.0)
    program: Range = (0.1, 1.0)
    endpoints: Range = (0.05, 0.5)
    autoscaler: Range = (5.0, 5.0)
    scale_down: float = 30.0


class Chance:
    """Delays drawn at random.

    Args:
        random: source of them.
        delays: their ranges.
    """

    def __init__(self, random: Random, delays: Delays) -> None:
        self.random = random
        self.delays = delays

    def of(self, name: str) -> float:
        """A delay of that name."""
        low, high = getattr(self.delays, name)
        return self.random.uniform(low, high)
