"""One run of a model's server in a pod: what it has counted, and what it answers."""

import json
from bisect import bisect_left
from collections import Counter
from random import Random

from predictors.serving.telemetry.buckets import LATENCY_SECONDS
from tests.rollout.behavior import Behavior

_CONFIDENCE = tuple(i / 20 for i in range(5, 21))
# Seconds: the median of a request, and the spread of the logarithm.
_MEDIAN, _SPREAD = 0.01, 0.3


class _Buckets:
    def __init__(self, bounds: tuple[float, ...]) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0.0

    def add(self, value: float) -> None:
        self._counts[bisect_left(self._bounds, value)] += 1
        self._sum += value

    def lines(self, name: str, labels: str) -> list[str]:
        total, lines = 0, [f"# TYPE {name} histogram"]
        for bound, count in zip((*map(str, self._bounds), "+Inf"), self._counts, strict=True):
            total += count
            lines.append(f'{name}_bucket{{{labels},le="{bound}"}} {float(total)}')
        return [*lines, f"{name}_sum{{{labels}}} {self._sum}", f"{name}_count{{{labels}}} {float(total)}"]


class Process:
    """A server.

    Args:
        model: name of the model.
        uri: that it was loaded from.
        behavior: of the version.
        started: seconds since the epoch.
        random: source of its answers.
    """

    def __init__(self, model: str, uri: str, behavior: Behavior, started: float, random: Random) -> None:
        self.uri = uri
        self.alive = True
        self.ready = False
        self.codes: Counter[str] = Counter()
        self._model = model
        self._behavior = behavior
        self._started = started
        self._random = random
        self._labels: Counter[str] = Counter()
        self._latency = _Buckets(LATENCY_SECONDS)
        self._confidence = _Buckets(_CONFIDENCE)

    @property
    def version(self) -> str:
        """Of the model."""
        return self._behavior.version_at(self.uri)

    def serve(self) -> int:
        """Answer a request; its status."""
        failed = self._random.random() < self._behavior.error_rate
        code = "500" if failed else "200"
        self.codes[code] += 1
        self._latency.add(self._behavior.slow * self._random.lognormvariate(0, _SPREAD) * _MEDIAN)
        if not failed:
            labels = self._behavior.labels
            [label] = self._random.choices(list(labels), list(labels.values()))
            self._labels[label] += 1
            self._confidence.add(min(1.0, self._random.triangular(0.5, 1.0, 0.95)))
        return int(code)

    def answer(self, path: str) -> tuple[int, str]:
        """Answer a GET that is no request for a prediction."""
        if path == "/metrics":
            return 200, self._exposition()
        if not path.startswith(f"/v2/models/{self._model}"):
            return 404, json.dumps({"error": f"{path} is not here"})
        if self._behavior.bad_digest:
            return 503, json.dumps({"error": f"model {self._model} is not ready: its digest is not the one pinned"})
        if path.endswith("/ready"):
            return (200 if self.ready else 503), json.dumps({"name": self._model, "ready": self.ready})
        if not self.ready:
            return 503, json.dumps({"error": f"model {self._model} is not ready"})
        return 200, json.dumps(
            {"name": self._model, "versions": [self.version], "platform": "", "inputs": [], "outputs": []}
        )

    def _exposition(self) -> str:
        labels = f'model_name="{self._model}",model_version="{self.version}"'
        lines = ["# TYPE process_start_time_seconds gauge", f"process_start_time_seconds {self._started}"]
        if self.codes:
            lines.append("# TYPE model_requests_total counter")
            lines += [
                f'model_requests_total{{{labels},protocol="v2",code="{code}"}} {float(count)}'
                for code, count in self.codes.items()
            ]
            lines += self._latency.lines("model_request_latency_seconds", f'{labels},protocol="v2"')
            lines += self._confidence.lines("prediction_confidence", labels)
            lines.append("# TYPE predictions_total counter")
            lines += [
                f'predictions_total{{{labels},label="{label}"}} {float(count)}' for label, count in self._labels.items()
            ]
        return "\n".join(lines) + "\n"
