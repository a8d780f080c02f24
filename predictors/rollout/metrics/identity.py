"""Which version of a model a pod serves, and whether it is ready to."""

from typing import Any, NamedTuple
from urllib.parse import quote

import orjson

from predictors.rollout.kube.api import KubeError, Object, Pods
from predictors.rollout.metrics.source import name_of


class Identity(NamedTuple):
    """What a pod says of a model.

    Args:
        ready: whether it can answer.
        version: that is loaded; empty if it does not say.
        message: why it is not ready, one sentence; empty if it is.
    """

    ready: bool
    version: str
    message: str


def identity(pods: Pods, pod: Object, model_name: str) -> Identity:
    """Ask a pod over V2 whether a model is ready, and which version of it is loaded. It never raises."""
    path = f"/v2/models/{quote(model_name, safe='')}"
    try:
        status, body = pods.get(pod, f"{path}/ready")
        if status != 200:
            return Identity(False, "", f"pod {name_of(pod)} is not ready: {_reason(status, body)}")
        status, body = pods.get(pod, path)
    except KubeError as error:
        return Identity(False, "", f"pod {name_of(pod)} cannot be asked: {error}")
    if status != 200:
        return Identity(False, "", f"pod {name_of(pod)} does not say its version: {_reason(status, body)}")
    return Identity(True, _version(_parsed(body)), "")


def _reason(status: int, body: str) -> str:
    error = _parsed(body).get("error")
    return error if isinstance(error, str) and error else f"it answers {status}"


def _version(metadata: dict[str, Any]) -> str:
    versions = metadata.get("versions")
    return str(versions[0]) if isinstance(versions, list) and versions else ""


def _parsed(body: str) -> dict[str, Any]:
    """The object in a body; empty if there is none."""
    try:
        found = orjson.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
