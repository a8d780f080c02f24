"""Intervals put together until both variants had requests: with little traffic, most have none of one of them."""

from collections.abc import Mapping

from predictors.rollout.signals import Distribution, Interval, Rate, Sample, Shares, Signal


class Pool:
    """Collects intervals of one weight."""

    def __init__(self) -> None:
        self._waiting: Interval | None = None

    def add(self, interval: Interval) -> Interval | None:
        """Add an interval.

        Returns:
            It and those that waited, as one; None: one variant has had no request yet. Intervals of another weight
            that still wait are left out.
        """
        waiting = self._waiting
        if waiting is not None and waiting.weight == interval.weight:
            stable, canary = _sum(waiting.stable, interval.stable), _sum(waiting.canary, interval.canary)
            interval = Interval(waiting.start, interval.end, interval.weight, stable, canary)
        self._waiting = None if _has_any(interval.stable) and _has_any(interval.canary) else interval
        return interval if self._waiting is None else None


def size(signal: Signal | None) -> float:
    """How many things a signal has counted."""
    if isinstance(signal, Rate | Distribution):
        return signal.total
    return sum(signal.counts.values()) if isinstance(signal, Shares) else 0


def _has_any(sample: Sample) -> bool:
    return any(size(signal) > 0 for signal in sample.values())


def _sum(earlier: Sample, later: Sample) -> Mapping[str, Signal]:
    both = {name: _add(earlier[name], later[name]) for name in earlier.keys() & later.keys()}
    return {**earlier, **later, **both}


def _add(earlier: Signal, later: Signal) -> Signal:
    if isinstance(earlier, Rate) and isinstance(later, Rate):
        return Rate(earlier.bad + later.bad, earlier.total + later.total)
    if isinstance(earlier, Shares) and isinstance(later, Shares):
        names = {**earlier.counts, **later.counts}
        return Shares({name: earlier.counts.get(name, 0) + later.counts.get(name, 0) for name in names})
    if isinstance(earlier, Distribution) and isinstance(later, Distribution) and earlier.bounds == later.bounds:
        counts = tuple(one + other for one, other in zip(earlier.counts, later.counts, strict=True))
        return Distribution(later.bounds, counts, earlier.sum + later.sum)
    return later
