"""Requests at the gateway, and what became of them."""

from dataclasses import dataclass, field
from functools import partial
from random import Random

from tests.rollout.clock import Clock
from tests.rollout.gateway import Gateway
from tests.rollout.kubelet import Kubelet
from tests.rollout.process import Process


@dataclass(frozen=True)
class Lost:
    """A request without an answer from a model.

    Args:
        at: seconds since the beginning.
        reason: what was in the way.
        backend: the Service, if one was picked.
    """

    at: float
    reason: str
    backend: str = ""


@dataclass
class Record:
    """What became of the requests.

    Args:
        lost: those without an answer.
        answered: number of answers, by the version and the status.
    """

    lost: list[Lost] = field(default_factory=list)
    answered: dict[tuple[str, int], int] = field(default_factory=dict)

    def share(self, version: str) -> float:
        """Of all answers, those of a version."""
        return self.count(version) / max(1, sum(self.answered.values()))

    def count(self, version: str) -> int:
        """Answers of a version."""
        return sum(count for (each, _), count in self.answered.items() if each == version)


class Traffic:
    """A steady stream of requests for one host.

    Args:
        clock: that it lives by.
        random: picks backends and pods.
        gateway, kubelet: the way to the models.
        host: that is asked for.
        per_second: requests.
        long: seconds that every twentieth request takes.
    """

    def __init__(self, clock: Clock, random: Random, gateway: Gateway, kubelet: Kubelet, host: str) -> None:
        self.record = Record()
        self.per_second = 0.0
        self.long = 0.0
        self._clock = clock
        self._random = random
        self._gateway = gateway
        self._kubelet = kubelet
        self._host = host
        self._sent = 0

    def start(self, per_second: float, long: float = 0.0) -> None:
        """Begin, or go on at another pace.

        Args:
            per_second: requests; 0 stops.
            long: seconds that every twentieth request takes.
        """
        running, self.per_second, self.long = self.per_second > 0, per_second, long
        if not running:
            self._tick()

    def _tick(self) -> None:
        if self.per_second:
            self._send()
            self._clock.after(1 / self.per_second, self._tick)

    def _send(self) -> None:
        self._sent += 1
        rule = self._gateway.rule(self._host)
        if rule is None:
            self._lose("no route")
            return
        backends = [each for each, weight in rule.weights.items() if weight]
        if not backends:
            self._lose("no backend has a weight")
            return
        [backend] = self._random.choices(backends, [rule.weights[each] for each in backends])
        if backend in rule.missing or backend not in self._gateway.endpoints:
            self._lose("the Service is missing", backend[1])
            return
        pods = self._gateway.endpoints[backend]
        if not pods and rule.waits:
            self._clock.after(1.0, self._send)
            return
        if not pods:
            self._lose("no pod is ready", backend[1])
            return
        process = self._kubelet.processes.get(self._random.choice(pods))
        if process is None:
            self._lose("the pod is gone", backend[1])
        elif self.long and self._sent % 20 == 0:
            self._clock.after(self.long, partial(self._finish, process, backend[1]))
        else:
            self._finish(process, backend[1])

    def _finish(self, process: Process, backend: str) -> None:
        if not process.alive:
            self._lose("the pod ended during the request", backend)
            return
        key = (process.version, process.serve())
        self.record.answered[key] = self.record.answered.get(key, 0) + 1

    def _lose(self, reason: str, backend: str = "") -> None:
        self.record.lost.append(Lost(round(self._clock.elapsed, 2), reason, backend))
