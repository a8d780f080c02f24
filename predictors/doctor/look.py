"""Reads a namespace and its cluster. It only ever asks; what it may not read, it says."""

import json
import time
from typing import Any, Protocol

from predictors.doctor.fields import Object, condition, name, objects, text
from predictors.doctor.model import Model, models
from predictors.doctor.snapshot import Snapshot
from predictors.doctor.sources import CUSTOM_METRICS_API, METRICS_API, PODS, SOURCES, Source
from predictors.rollout.kube.api import KubeError, Pods, Refused


class Server(Protocol):
    """The API server, to read."""

    def text(self, path: str) -> tuple[int, str]:
        """Status and body of a GET at any path; raises Unavailable if there is no answer."""


class _Unreadable(Exception):
    """Something could not be read; the text says why, and which right it takes."""


def look(server: Server, pods: Pods, namespace: str) -> Snapshot:
    """Read a namespace, and what its models need of the cluster.

    Args:
        server: the API server.
        pods: the way to the pods' HTTP port.
        namespace: which.

    Raises:
        Unavailable: the API server does not answer.
        Refused: it does not know who asks.
    """
    found: dict[str, list[Object]] = {}
    unread: dict[str, str] = {}
    for kind, source in SOURCES.items():
        try:
            items = _list(server, source, namespace)
        except _Unreadable as error:
            unread[kind] = str(error)
            continue
        if items is not None:
            found[kind] = items
    apis: dict[str, Object | None] = {}
    for path in (METRICS_API, CUSTOM_METRICS_API):
        try:
            apis[path] = _get(server, path, f"get {path}")
        except _Unreadable as error:
            unread[path] = str(error)
    asked = _Asked(pods, namespace, unread)
    for model in models(Snapshot(namespace, found)):
        if model.is_ours:
            asked.ask(model)
    return Snapshot(namespace, found, unread, apis, asked.metrics, asked.refusals, time.time())


def _list(server: Server, source: Source, namespace: str) -> list[Object] | None:
    """Objects of a kind; None if the cluster does not have it."""
    where = "in all namespaces" if source.is_everywhere else f"in namespace {namespace}"
    named = f"{source.plural}.{source.group}" if source.group else source.plural
    answer = _get(server, source.path(namespace), f"list {named} {where}")
    return None if answer is None else objects(answer, "items")


def _get(server: Server, path: str, right: str) -> Object | None:
    status, body = server.text(path)
    if status == 404:
        return None
    if status == 401:
        raise Refused("the API server does not take these credentials; log in again")
    if status == 403:
        raise _Unreadable(f"it takes the right to {right}")
    try:
        answer: Any = json.loads(body)
    except ValueError:
        answer = None
    if status != 200 or not isinstance(answer, dict):
        raise _Unreadable(f"the API server answered {status} to: {right}")
    return answer


class _Asked:
    """What pods answer: a ready one of each model, and those that are not ready.

    Args:
        pods: the way to them.
        namespace: theirs.
        unread: takes what could not be had, and why.
    """

    def __init__(self, pods: Pods, namespace: str, unread: dict[str, str]) -> None:
        self.metrics: dict[str, str] = {}
        self.refusals: dict[str, str] = {}
        self._pods = pods
        self._namespace = namespace
        self._unread = unread

    def ask(self, model: Model) -> None:
        """Ask the pods of a model."""
        running = [each for each in model.pods if text(each, "status", "phase") == "Running"]
        ready = [each for each in running if condition(each, "Ready").get("status") == "True"]
        if ready and (answer := self._get(model.name, ready[0], "/metrics")) is not None:
            self.metrics[model.name] = answer
        for pod in [each for each in running if each not in ready][:1]:
            if answer := self._get(model.name, pod, "/v2/health/ready", expected=503):
                self.refusals[name(pod)] = _error(answer)

    def _get(self, model: str, pod: Object, path: str, expected: int = 200) -> str | None:
        try:
            status, body = self._pods.get(dict(pod), path)
        except (KubeError, KeyError, TypeError, ValueError) as error:  # a pod may be as odd as its object
            self._unread[f"{PODS} {model}"] = f"pod {name(pod)} cannot be asked: {error}"
            return None
        if status == expected and not _is_api_servers(body):
            return body
        self._unread[f"{PODS} {model}"] = self._reason(status, body, model)
        return None

    def _reason(self, status: int, body: str, model: str) -> str:
        if _is_api_servers(body) and status == 403:
            return f"it takes the right to get {PODS} in namespace {self._namespace}"
        if status in (401, 403):
            return f"the metrics of {model} need a token"
        if _is_api_servers(body):
            return f"the API server did not reach a pod of {model} ({status})"
        return f"a pod of {model} answered {status}"


def _is_api_servers(answer: str) -> bool:
    """Whether the API server answered in place of the pod."""
    return '"kind":"Status"' in answer.replace(" ", "")


def _error(answer: str) -> str:
    """The reason in a readiness answer; the whole of one that is no such answer."""
    try:
        return text(json.loads(answer), "error") or answer
    except ValueError:
        return answer
