"""Pods: they start, get ready, crash, drain and go."""

from collections.abc import Mapping
from functools import partial

from predictors.rollout.kube.api import Object
from tests.rollout.behavior import Behavior, Chance
from tests.rollout.clock import Clock
from tests.rollout.process import Process
from tests.rollout.store import Store

URI_ANNOTATION = "internal.serving.kserve.io/storage-initializer-sourceuri"
# Seconds until a crashed container starts again: the first, doubled each time, and the most.
_BACKOFF, _MOST = 10.0, 300.0
# Share of a pod's start until its container runs.
_SCHEDULED = 0.2


def is_ready(pod: Object) -> bool:
    """Whether a pod takes requests."""
    conditions = pod.get("status", {}).get("conditions", [])
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def _model_name(pod: Object) -> str:
    """The server's flag `--model_name`: the last one counts, and the runtime's is the InferenceService's name."""
    arguments = pod["spec"]["containers"][0].get("args", [])
    named = [each.partition("=")[2] for each in arguments if each.startswith("--model_name=")]
    return named[-1] if named else str(pod["metadata"]["labels"]["serving.kserve.io/inferenceservice"])


class Kubelet:
    """All nodes' at once.

    Args:
        store: where the pods are.
        clock, chance: that it lives by.
        behaviors: of versions, by storage URI; others are sound.
    """

    def __init__(self, store: Store, clock: Clock, chance: Chance, behaviors: Mapping[str, Behavior]) -> None:
        self.processes: dict[tuple[str, str], Process] = {}
        self._store = store
        self._clock = clock
        self._chance = chance
        self._behaviors = behaviors
        self._known: set[tuple[str, str]] = set()
        self._leaving: set[tuple[str, str]] = set()
        store.watch("Pod", self._see)

    def lose(self, namespace: str, name: str) -> None:
        """A pod is gone at once, without a drain."""
        self._end(namespace, name)
        self._store.remove("Pod", namespace, name)

    def cut_off(self, namespace: str, name: str) -> None:
        """A pod's node is gone: nothing answers, and the pod looks as it was."""
        self._end(namespace, name)

    def give_up(self, namespace: str, name: str) -> None:
        """The pod of such a node is known not to be ready."""
        pod = self._store.get("Pod", namespace, name)
        if pod is not None:
            status = pod["status"]["containerStatuses"][0]
            self._report(pod, status["state"], status["restartCount"], ready=False)

    def restart(self, namespace: str, name: str) -> None:
        """A pod's container ends and starts again."""
        self._crash(namespace, name, self.processes[namespace, name])

    def _see(self, pod: Object) -> None:
        namespace, name = key = pod["metadata"]["namespace"], pod["metadata"]["name"]
        if key not in self._known:
            self._known.add(key)
            start = self._chance.of("start")
            self._clock.after(start * _SCHEDULED, partial(self._run, namespace, name, start * (1 - _SCHEDULED)))
        elif "deletionTimestamp" in pod["metadata"] and key not in self._leaving:
            self._leaving.add(key)
            self._clock.after(self._chance.of("drain"), partial(self._gone, namespace, name))

    def _behavior(self, pod: Object) -> tuple[str, Behavior]:
        uri = pod["metadata"]["annotations"].get(URI_ANNOTATION, "")
        return uri, self._behaviors.get(uri, Behavior())

    def _run(self, namespace: str, name: str, loading: float, restarts: int = 0) -> None:
        pod = self._store.get("Pod", namespace, name)
        if pod is None:
            return
        uri, behavior = self._behavior(pod)
        if behavior.no_image:
            waiting = {"waiting": {"reason": "ImagePullBackOff", "message": "Back-off pulling image"}}
            self._report(pod, waiting, restarts, ready=False, phase="Pending")
            return
        process = Process(_model_name(pod), uri, behavior, self._clock.now, self._chance.random)
        self.processes[namespace, name] = process
        self._report(pod, {"running": {"startedAt": self._clock.stamp}}, restarts, ready=False)
        if behavior.crash is not None:
            self._clock.after(behavior.crash, partial(self._crash, namespace, name, process))
        if not behavior.never_ready and not behavior.bad_digest:
            self._clock.after(loading, partial(self._get_ready, namespace, name, process))

    def _get_ready(self, namespace: str, name: str, process: Process) -> None:
        pod = self._store.get("Pod", namespace, name)
        if pod is not None and process.alive:
            process.ready = True
            status = pod["status"]["containerStatuses"][0]
            self._report(pod, status["state"], status["restartCount"], ready=True)

    def _crash(self, namespace: str, name: str, process: Process) -> None:
        pod = self._store.get("Pod", namespace, name)
        if pod is None or not process.alive:
            return
        self._end(namespace, name)
        restarts = pod["status"]["containerStatuses"][0]["restartCount"] + 1
        waiting = {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off restarting failed container"}}
        self._report(pod, waiting, restarts, ready=False)
        pause = min(_MOST, _BACKOFF * 2 ** (restarts - 1))
        loading = self._chance.of("start") * (1 - _SCHEDULED)
        self._clock.after(pause, partial(self._run, namespace, name, loading, restarts))

    def _end(self, namespace: str, name: str) -> None:
        process = self.processes.pop((namespace, name), None)
        if process is not None:
            process.alive = process.ready = False

    def _gone(self, namespace: str, name: str) -> None:
        self._end(namespace, name)
        self._store.remove("Pod", namespace, name)

    def _report(self, pod: Object, state: Object, restarts: int, *, ready: bool, phase: str = "Running") -> None:
        container = {"name": "kserve-container", "ready": ready, "restartCount": restarts, "state": state}
        conditions = [
            {"type": kind, "status": str(value), "lastTransitionTime": self._clock.stamp}
            for kind, value in (("PodScheduled", True), ("ContainersReady", ready), ("Ready", ready))
        ]
        status = {"phase": phase, "conditions": conditions, "containerStatuses": [container], "podIP": "10.0.0.1"}
        self._store.set_status("Pod", pod["metadata"]["namespace"], pod["metadata"]["name"], status)
