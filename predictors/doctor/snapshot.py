"""What was read of a namespace and its cluster, at one time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from predictors.doctor.fields import Object


@dataclass(frozen=True)
class Snapshot:
    """What was read.

    Args:
        namespace: which.
        objects: by kind, as `sources.SOURCES` names them. A kind that the cluster does not have is not among them, nor
            is one that could not be read.
        unread: by what could not be read, a kind or an address, the reason.
        apis: the answers of APIs, by path; None where there is none.
        metrics: what one ready pod of each model exports, by the model's name.
        refusals: what pods that are not ready say of it, by their names.
        now: when it was read, seconds since the epoch.
    """

    namespace: str
    objects: Mapping[str, Sequence[Object]]
    unread: Mapping[str, str] = field(default_factory=dict)
    apis: Mapping[str, Object | None] = field(default_factory=dict)
    metrics: Mapping[str, str] = field(default_factory=dict)
    refusals: Mapping[str, str] = field(default_factory=dict)
    now: float = 0.0

    def of(self, kind: str) -> Sequence[Object]:
        """The objects of a kind; none, where the cluster does not have it."""
        return self.objects.get(kind, ())

    def has(self, kind: str) -> bool:
        """Whether the cluster has a kind."""
        return kind in self.objects
