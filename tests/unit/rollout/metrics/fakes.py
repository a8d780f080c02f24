"""Pods that count, and a way to them."""

import threading
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from predictors.rollout.kube.api import Object, Unavailable
from predictors.rollout.metrics.counters import Reading
from predictors.rollout.metrics.source import Look, uid_of

MODEL = "iris"
NOW = 1_800_000_000.0
BOUNDS = ("0.1", "0.2", "+Inf")


def pod(name: str, uid: str = "") -> Object:
    return {"metadata": {"name": name, "namespace": "ns", "uid": uid or f"uid-{name}"}, "status": {}}


def requests(good: float, failed: float = 0) -> dict[tuple[str, ...], float]:
    return {("model_requests_total", "200"): good, ("model_requests_total", "503"): failed}


def seconds(*cumulative: float, bounds: Sequence[str] = BOUNDS) -> dict[tuple[str, ...], float]:
    return {
        ("model_request_latency_seconds_bucket", le): count for le, count in zip(bounds, cumulative, strict=True)
    } | {("model_request_latency_seconds_sum",): 0.1 * cumulative[-1]}


def exposition(counts: Mapping[tuple[str, ...], float], started: float | None = None) -> str:
    """What a pod writes that has counted this."""
    lines = [] if started is None else [f"process_start_time_seconds {started!r}"]
    for (name, *values), count in counts.items():
        label = {"model_requests_total": "code", "predictions_total": "label"}.get(name, "le")
        labels = "".join(f',{label}="{value}"' for value in values)
        lines.append(f'{name}{{model_name="{MODEL}",model_version="1"{labels}}} {count}')
    return "".join(f"{line}\n" for line in lines)


class FakeSource:
    """Gives the readings that it was told; pods without one cannot be read."""

    def __init__(self) -> None:
        self.readings: dict[str, Reading] = {}
        self.values: dict[str, float | None] = {}

    def set(self, pod: Object, counts: Mapping[tuple[str, ...], float], started: float | None = None) -> None:
        self.readings[uid_of(pod)] = Reading(dict(counts), started)

    def look(self, stable: Sequence[Object], canary: Sequence[Object], model_name: str) -> Look:
        assert model_name == MODEL
        asked = {uid_of(pod) for pod in (*stable, *canary)}
        readings = {uid: reading for uid, reading in self.readings.items() if uid in asked}
        return Look(readings, self.values, tuple(f"{uid} is silent" for uid in sorted(asked - readings.keys())))


class FakePods:
    """Answers by the pod's name and the path; a text stands for a 200, an exception is raised."""

    def __init__(self, answers: Mapping[tuple[str, str], Any]) -> None:
        self.answers = dict(answers)
        self.release = threading.Event()
        self.together = threading.Barrier(1)

    def get(self, pod: Object, path: str) -> tuple[int, str]:
        answer = self.answers.get((pod["metadata"]["name"], path), Unavailable("connection refused"))
        self.together.wait(30)
        if answer == "hang":
            self.release.wait(30)
            raise Unavailable("it hung")
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, tuple) else (200, answer)


def scrapes(texts: Mapping[str, str]) -> FakePods:
    return FakePods({(name, "/metrics"): text for name, text in texts.items()})


def names(pods: Iterable[Object]) -> list[str]:
    return [str(each["metadata"]["name"]) for each in pods]
