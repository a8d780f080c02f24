"""What every way to split the traffic offers to the engine."""

from dataclasses import dataclass, field
from typing import Protocol

from predictors.rollout.engine.state import Action, Seen
from predictors.rollout.kube.api import Object


@dataclass(frozen=True)
class Look:
    """What a router sees.

    Args:
        seen: for the engine; what the pods answer, and the shadow, are filled in by the driver.
        stable_pods, canary_pods: of the two variants.
        stable, canary: predictors of the two; empty without a canary.
        canary_service: name of the canary's Service.
    """

    seen: Seen
    stable_pods: list[Object] = field(default_factory=list)
    canary_pods: list[Object] = field(default_factory=list)
    stable: Object = field(default_factory=dict)
    canary: Object = field(default_factory=dict)
    canary_service: str = ""


class Router(Protocol):
    """One way to split the traffic. Both methods may raise `KubeError`; both may be called again at any time."""

    name: str

    def look(self) -> Look:
        """What is there now."""

    def act(self, action: Action) -> None:
        """Take an action; what of it is done already is not done again."""
