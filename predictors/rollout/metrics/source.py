"""Where readings come from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from predictors.rollout.kube.api import Object
from predictors.rollout.metrics.counters import Reading


@dataclass(frozen=True)
class Look:
    """What a source found at one time.

    Args:
        readings: by the pods' uid; those that could not be read are absent.
        values: results of queries of one's own, by name; None where one gave nothing.
        faults: a sentence for each thing that could not be read.
    """

    readings: Mapping[str, Reading] = field(default_factory=dict)
    values: Mapping[str, float | None] = field(default_factory=dict)
    faults: tuple[str, ...] = ()


class Source(Protocol):
    """Reads what pods have counted. It never raises: what it cannot read, it says in the look."""

    def look(self, stable: Sequence[Object], canary: Sequence[Object], model_name: str) -> Look:
        """Read the counters that the variants' pods have of a model."""


def name_of(pod: Object) -> str:
    """The pod's name."""
    return str(pod["metadata"]["name"])


def uid_of(pod: Object) -> str:
    """What tells a pod from a later one of its name."""
    metadata = pod["metadata"]
    return str(metadata.get("uid") or f"{metadata.get('namespace', '')}/{metadata['name']}")
