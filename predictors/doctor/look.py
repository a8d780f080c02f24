"""Reads a namespace and its cluster. It only ever asks; what it may not read, it says."""

import json
from typing import Any, Protocol

from predictors.doctor.fields import Object, condition, mapping, objects, text
from predictors.doctor.model import models
from predictors.doctor.snapshot import Snapshot
from predictors.doctor.sources import CUSTOM_METRICS_API, METRICS_API, PODS, SOURCES, Source
from predictors.rollout.kube.api import KubeError, Pods


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
    seen = Snapshot(namespace, found, unread, apis)
    metrics = _metrics(pods, seen, unread)
    return Snapshot(namespace, found, unread, apis, metrics)


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
    if status in (401, 403):
        raise _Unreadable(f"it takes the right to {right}")
    try:
        answer: Any = json.loads(body)
    except ValueError:
        answer = None
    if status != 200 or not isinstance(answer, dict):
        raise _Unreadable(f"the API server answered {status} to: {right}")
    return answer


def _metrics(pods: Pods, seen: Snapshot, unread: dict[str, str]) -> dict[str, str]:
    """What one ready pod of each model exports, by the model's name."""
    found: dict[str, str] = {}
    for model in models(seen):
        ready = [each for each in model.pods if condition(each, "Ready").get("status") == "True"]
        if not ready or not model.is_ours:
            continue
        try:
            status, body = pods.get(dict(ready[0]), "/metrics")
        except KubeError as error:
            unread[f"{PODS} {model.name}"] = str(error)
            continue
        if status == 200:
            found[model.name] = body
        else:
            unread[f"{PODS} {model.name}"] = _refusal(status, body, model.name, seen.namespace)
    return found


def _refusal(status: int, body: str, model: str, namespace: str) -> str:
    try:
        is_the_servers = text(mapping({"answer": json.loads(body)}, "answer"), "kind") == "Status"
    except ValueError:
        is_the_servers = False
    if is_the_servers and status == 403:
        return f"it takes the right to get {PODS} in namespace {namespace}"
    if status in (401, 403):
        return f"the metrics of {model} need a token"
    return f"the pod of {model} answered {status} to /metrics"
