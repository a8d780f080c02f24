"""What a namespace looks like, for the report of a failed test."""

import json

from kubernetes.client.exceptions import ApiException
from urllib3.exceptions import HTTPError

from tests.cluster.cluster import Cluster, Object

_LOG_LINES = 15
_EVENTS = 40


def diagnose(cluster: Cluster, namespace: str) -> str:
    """InferenceServices with their conditions, pods with the ends of their logs, and the last events."""
    try:
        return _diagnose(cluster, namespace)
    except (ApiException, HTTPError) as error:
        return f"it cannot be read: {error}"


def _diagnose(cluster: Cluster, namespace: str) -> str:
    lines: list[str] = []
    for service in cluster.find("InferenceService", namespace):
        lines += [f"InferenceService {service['metadata']['name']}", *_conditions(service)]
    for pod in cluster.find("Pod", namespace):
        lines += _pod(cluster, namespace, pod)
    lines += [_event(each) for each in cluster.find("Event", namespace)[-_EVENTS:]]
    return "\n".join(lines)


def _conditions(thing: Object) -> list[str]:
    return [
        f"  {each['type']}={each['status']} {each.get('reason', '')} {each.get('message', '')}".rstrip()
        for each in thing.get("status", {}).get("conditions", [])
    ]


def _pod(cluster: Cluster, namespace: str, pod: Object) -> list[str]:
    name = pod["metadata"]["name"]
    status = pod.get("status", {})
    lines = [f"Pod {name} {status.get('phase')}", *_conditions(pod)]
    for each in (*status.get("initContainerStatuses", []), *status.get("containerStatuses", [])):
        lines.append(f"  {each['name']}: restarts {each['restartCount']}, {json.dumps(each['state'])}")
        log = cluster.logs(namespace, name, each["name"], _LOG_LINES)
        lines += [f"    | {line}" for line in log.splitlines()]
    return lines


def _event(event: Object) -> str:
    about = event["involvedObject"]
    return f"{event.get('lastTimestamp')} {about['kind']} {about.get('name')}: {event.get('reason')}: {event.get('message')}"
