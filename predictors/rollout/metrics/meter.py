"""Readings of all pods → intervals.

A pod's counters are compared with the pod's own earlier ones, and the differences are summed over a variant's pods:

- A pod that cannot be read is left out of a look. The next one that works gives all that was added since the last one
  that did, so that pod's part of the interval is longer.
- A process that has started since the previous look (a new pod, or a container that was restarted) began at 0, so all
  that it has counted is new. What it counted before it was restarted and after the last look is lost.
- Another pod that is seen for the first time has counted before anyone looked: its first reading is what later ones are
  compared with.
- What a pod that is gone counted after the last look is lost.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from predictors.rollout.kube.api import Object
from predictors.rollout.metrics.counters import Counts, Reading, added, caught_up
from predictors.rollout.metrics.samples import SHADOW, comparable, sample, total
from predictors.rollout.metrics.source import Look, Source, uid_of
from predictors.rollout.signals import Interval, Sample, Value

# A pod that has not been read for so long is forgotten.
_FORGET_SECONDS = 3600.0


@dataclass
class _Memory:
    """A pod's last reading, and when it was."""

    reading: Reading
    when: float


@dataclass(frozen=True)
class _Previous:
    """When the last look was, and with which weight."""

    when: float
    weight: int


@dataclass
class Meter:
    """Measures the two variants of one model.

    Args:
        source: where readings come from.
        model_name: whose counters are read.
    """

    source: Source
    model_name: str
    faults: tuple[str, ...] = ()
    """A sentence for each thing that could not be read at the last look."""
    _previous: _Previous | None = None
    _pods: dict[str, _Memory] = field(default_factory=dict)

    def look(
        self, stable_pods: Sequence[Object], canary_pods: Sequence[Object], weight: int, now: float
    ) -> Interval | None:
        """Read all pods, and return what was counted since the last look.

        Args:
            stable_pods, canary_pods: the variants' pods; one that is not ready yet does no harm.
            weight: share of the canary, percent.
            now: seconds since 1970, for pods say by that clock when they started.

        Returns:
            None at the first look, and at the first one with another weight: an interval has one weight.
        """
        look = self.source.look(stable_pods, canary_pods, self.model_name)
        self.faults = look.faults
        previous, self._previous = self._previous, _Previous(now, weight)
        since = previous.when if previous else None
        stable, canary = (self._measure(pods, look, since, now) for pods in (stable_pods, canary_pods))
        self._pods = {uid: pod for uid, pod in self._pods.items() if now - pod.when <= _FORGET_SECONDS}
        if previous is None or previous.weight != weight:
            return None
        stable, canary = comparable(*_shadow_to_canary(stable, canary))
        values = {f"custom:{name}": Value(value) for name, value in look.values.items()}
        return Interval(previous.when, now, weight, stable, {**canary, **values})

    def _measure(self, pods: Sequence[Object], look: Look, since: float | None, now: float) -> Sample:
        """The signals of a variant since the last look."""
        differences = []
        for uid in map(uid_of, pods):
            if (reading := look.readings.get(uid)) is not None:
                differences.append(self._difference(uid, reading, since, now))
        return total(sample(counts) for counts in differences if counts is not None)

    def _difference(self, uid: str, reading: Reading, since: float | None, now: float) -> Counts | None:
        known = self._pods.get(uid)
        if known is None:
            self._pods[uid] = _Memory(reading, now)
            began = reading.started
            return reading.counts if since is not None and began is not None and began > since else None
        self._pods[uid] = _Memory(caught_up(known.reading, reading), now)
        return added(known.reading, reading)


def _shadow_to_canary(stable: Sample, canary: Sample) -> tuple[Sample, Sample]:
    """Stable's pods compare the answers; what they found is about the canary."""
    about = {name: stable[name] for name in SHADOW if name in stable}
    rest = {name: signal for name, signal in stable.items() if name not in SHADOW}
    return rest, {**{name: signal for name, signal in canary.items() if name not in SHADOW}, **about}
