"""Asks the controller to do something with a rollout, and waits for its answer."""

import json
import uuid
from collections.abc import Callable

from predictors.rollout.controller.reconcile import REQUEST_ANNOTATION
from predictors.rollout.kube.api import Api, KubeError, Object, Refused
from predictors.rollout.routing.target import revision
from predictors.rollout.spec import KIND

PATIENCE_SECONDS = 30.0
# Longer than the controller lets a rollout rest between two turns.
_SETTLE_SECONDS = 20.0
_LOOK_SECONDS = 0.5
DONE = "done"


class NoAnswer(KubeError):
    """No controller has answered in time."""


def rollout_of(api: Api, namespace: str, name: str) -> Object:
    """An InferenceRollout.

    Raises:
        Refused: there is none.
    """
    found = api.get(KIND, namespace, name)
    if found is None:
        raise Refused(
            f"there is no InferenceRollout {name} in namespace {namespace}; `predictors rollout get` lists them"
        )
    return found


class Requests:
    """Requests to the controller.

    Args:
        api: the API server.
        clock: seconds, on any clock that does not jump.
        sleep: waits for so many seconds.
    """

    def __init__(self, api: Api, clock: Callable[[], float], sleep: Callable[[float], None]) -> None:
        self._api = api
        self._clock = clock
        self._sleep = sleep

    def send(self, namespace: str, name: str, do: str) -> str:
        """Ask for one thing; gives the controller's outcome, which is DONE or says why not.

        Args:
            namespace, name: of the InferenceRollout.
            do: promote, pause, resume, abort or retry.

        Raises:
            NoAnswer: no controller has answered in time.
            KubeError: the API server did not take the request.
        """
        rollout = rollout_of(self._api, namespace, name)
        request = {
            "id": uuid.uuid4().hex[:12],
            "do": do,
            "revision": revision(rollout["spec"]["template"]["spec"]["predictor"]),
        }
        annotation = {"metadata": {"annotations": {REQUEST_ANNOTATION: json.dumps(request)}}}
        self._api.patch(KIND, namespace, name, annotation)
        return self._outcome(namespace, name, request)

    def _outcome(self, namespace: str, name: str, request: dict[str, str]) -> str:
        deadline = self._clock() + PATIENCE_SECONDS
        while self._clock() < deadline:
            status = rollout_of(self._api, namespace, name).get("status") or {}
            last = status.get("lastRequest") or {}
            if last.get("id") == request["id"]:
                outcome = str(last.get("outcome", ""))
                if outcome == DONE:
                    self._settle(namespace, name, status)
                return outcome
            self._sleep(_LOOK_SECONDS)
        raise NoAnswer(
            f"no controller has answered within {PATIENCE_SECONDS:.0f}s; is rollout-controller running, and does it "
            f"look after namespace {namespace}? The request stays, and is done once one runs"
        )

    def _settle(self, namespace: str, name: str, answered: Object) -> None:
        """The answer comes with the state before it. A `wait` that follows shall find the one after it."""
        deadline = self._clock() + _SETTLE_SECONDS
        while self._clock() < deadline and rollout_of(self._api, namespace, name).get("status") == answered:
            self._sleep(_LOOK_SECONDS)
